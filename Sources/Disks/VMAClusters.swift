import Basics

/// Each cluster of each device, once.
struct VMAClusters: ~Copyable {
    private let devices: [VMAHeader.Device]
    private var set: ClusterSet
    /// The memory of the guest comes in order, and its size is no bound.
    private var memoryClusters: Int64 = 0

    init(_ devices: [VMAHeader.Device]) throws(Failure) {
        self.devices = devices
        set = try ClusterSet(counts: devices.map { $0.isMemory ? 0 : $0.clusters })
    }

    mutating func note(
        _ slot: VMAExtent.Slot, _ place: Int, extentAt offset: Int64
    ) throws(Failure) {
        guard place >= 0 else {
            throw Self.wrong(
                "cluster \(slot.cluster) is of device \(slot.device), which there is not", offset)
        }
        let device = devices[place]
        if device.isMemory {
            guard slot.cluster == memoryClusters else {
                throw Self.wrong(
                    "cluster \(slot.cluster) of \"\(device.name)\" comes where "
                        + "\(memoryClusters) must", offset)
            }
            memoryClusters += 1
            return
        }
        guard slot.cluster < device.clusters else {
            throw Self.wrong(
                "cluster \(slot.cluster) of device \"\(device.name)\" is beyond its end, "
                    + "which is after \(device.clusters)", offset)
        }
        guard set.insert(slot.cluster, of: place) else {
            throw Self.wrong(
                "cluster \(slot.cluster) of device \"\(device.name)\" comes twice", offset)
        }
    }

    func checkComplete(endOfStream offset: Int64) throws(Failure) {
        for (place, device) in devices.enumerated() where !device.isMemory {
            let seen = set.seen[place]
            guard seen == device.clusters else {
                throw Self.wrong(
                    "cluster \(set.firstMissing(of: place) ?? 0) of device \"\(device.name)\" is "
                        + "missing at the end: \(seen) of \(device.clusters) are there", offset)
            }
        }
    }

    private static func wrong(_ what: String, _ offset: Int64) -> Failure {
        Failure(
            .vmaClusters, "the VMA stream is damaged: \(what) (offset \(offset))",
            hint: "Make the backup again: this one does not hold each disk exactly once.")
    }
}
