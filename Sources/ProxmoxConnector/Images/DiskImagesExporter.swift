public import Basics
public import Connectors
import Disks
import Manifests
public import Plans
import Primitives
public import Streams
import Synchronization

/// Exports images of disks that no hypervisor is asked for; see docs/connectors/disks.md.
///
/// Nothing freezes them: each must stay as the inventory found it until its last segment is stored, or
/// the run fails, and the next one begins that image anew.
public final class DiskImagesExporter: Exporter {
    public static let kind = "disks"

    private let images: [DiskImage]
    private let room: Room
    private let stamps = Mutex<[DiskImage.Stamp]>([])

    private var listPath: String { room.directory + "/list" }
    private func notePath(_ image: Int, _ segment: Int) -> String {
        room.directory + "/note-\(image)-\(segment)"
    }
    private func donePath(_ image: Int) -> String { room.directory + "/done-\(image)" }
    /// Stands while an image is to begin anew.
    private func renewedPath(_ image: Int) -> String { room.directory + "/renewed-\(image)" }

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        let settings = DiskImagesSettings(source, problems)
        try problems.check()
        images = settings.images.map { DiskImage($0, progress: room.progress) }
        self.room = room
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = DiskImagesSettings(source, problems)
    }

    public func survey() throws(Failure) -> Survey {
        var findings: [Finding] = []
        var size: Int64 = 0
        var stored: Int64 = 0
        for image in images {
            let path = image.settings.path
            do throws(Failure) {
                let stamp = try image.stamp()
                size += stamp.size
                stored += stamp.stored
            } catch {
                findings.append(
                    Finding("disk-unusable", .decision, error.what, decision: error.hint))
                continue
            }
            if image.isLocked {
                findings.append(
                    Finding(
                        "disk-in-use", .decision, "a program has \"\(path)\" open and locked",
                        decision: "Stop the guest, or export a snapshot: an image that changes "
                            + "while it is read fails the run."))
            }
            if let format = image.looksLike {
                findings.append(
                    Finding(
                        "disk-format", .warning,
                        "\"\(path)\" begins like a \(format), and is exported byte for byte",
                        decision: "A qcow2 is opened as one when its name ends in .qcow2."))
            }
        }
        return Survey(
            bytes: size, bytesToMove: stored,
            counts: [.init("disks", .integer(Int64(images.count)))], findings: findings,
            omissions: OmissionSummary())
    }

    // MARK: - Inventory

    public func inventory() throws(Failure) -> Inventory {
        var (moment, stamps) = try readList() ?? (room.world.now().text, [])
        if stamps.isEmpty {
            stamps = try images.map { (image) throws(Failure) in try image.stamp() }
        }
        for (place, image) in images.enumerated() where Files.exists(renewedPath(place)) {
            let stamp = try image.stamp()
            guard stamp.size == stamps[place].size else {
                throw Failure(
                    .diskUnsuitable, "\"\(image.settings.path)\" has another size than before",
                    hint: "Export to a new output.")
            }
            stamps[place] = stamp
            try Files.remove(donePath(place))
        }
        try write(moment, stamps)
        for place in images.indices { try Files.remove(renewedPath(place)) }
        self.stamps.withLock { [stamps] in $0 = stamps }
        let artifacts = zip(images, stamps).map { image, stamp in
            let cut = DiskCut(size: stamp.size)
            var outline = ArtifactOutline(
                name: "disks/\(image.settings.name)", slug: "disk", kind: "disk",
                legal: .digitalAsset, format: "raw", segments: cut.count, expected: 1,
                bytes: stamp.size)
            outline.order = image.segmentsByData(cut)
            return outline
        }
        return Inventory(
            artifacts: artifacts, objects: Int64(images.count),
            moment: Moment(kind: "time", value: moment), facts: .object([]),
            counts: [.init("disks", .integer(Int64(images.count)))])
    }

    /// What has changed since it was looked at begins anew, and so does a device that was let go of
    /// before all of it was stored: nothing tells whether it was written to.
    public func restarts(voided: Set<Int>) throws(Failure) -> Set<Int> {
        guard let stamps = try readList()?.stamps else { return [] }
        var renewed: Set<Int> = []
        for (place, image) in images.enumerated() {
            let isDone = Files.exists(donePath(place)) && !voided.contains(place)
            if !isDone, !Files.exists(renewedPath(place)) {
                let found = try? image.stamp()
                if stamps[place].isDevice || found?.identity != stamps[place].identity {
                    try Files.write([], to: renewedPath(place), mode: 0o600)
                }
            }
            if Files.exists(renewedPath(place)) { renewed.insert(place) }
        }
        return renewed
    }

    // MARK: - Segments

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let image = images[number.artifact]
        let stamp = stamps.withLock { $0[number.artifact] }
        try image.check(stamp)
        let range = DiskCut(size: stamp.size).range(number.segment)
        let note = try image.export(range, into: &sink)
        try image.check(stamp)
        try note.write(to: notePath(number.artifact, number.segment))
        let isFirst = number.segment == 0
        if isFirst { room.progress.add(objects: 1) }
        return SegmentResult(exported: isFirst ? 1 : 0, omitted: 0)
    }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        let image = images[artifact]
        let stamp = stamps.withLock { $0[artifact] }
        if !Files.exists(donePath(artifact)) { try image.check(stamp) }
        var leaves = MerkleRange()
        var data: Int64 = 0
        for segment in 0..<DiskCut(size: stamp.size).count {
            let note = try DiskRange.Note(reading: notePath(artifact, segment))
            leaves.append(note.leaves)
            data += note.data
        }
        try Files.write([], to: donePath(artifact), mode: 0o600)
        let name = image.settings.name
        return Conclusion(
            exported: 1, digests: [.init("sha256-tree-1m", .string(leaves.root.hex))],
            counts: [.init("bytes", .integer(stamp.size)), .init("data", .integer(data))],
            restoring:
                "dd of=\"$HERE/\(name).raw\" bs=1M iflag=fullblock conv=sparse status=none")
    }

    public func omissions() throws(Failure) -> OmissionSummary { OmissionSummary() }

    // MARK: - In the room

    private func write(_ moment: String, _ stamps: [DiskImage.Stamp]) throws(Failure) {
        let json: JSON = [
            "moment": .string(moment),
            "images": .array(
                stamps.map {
                    [
                        "size": .integer($0.size), "stored": .integer($0.stored),
                        "device": .bool($0.isDevice), "identity": .string($0.identity),
                    ]
                }),
        ]
        try Files.write(json.canonical, to: listPath, mode: 0o600)
    }

    /// nil before the first inventory.
    private func readList() throws(Failure) -> (moment: String, stamps: [DiskImage.Stamp])? {
        guard Files.exists(listPath) else { return nil }
        let json = try JSON(parsing: Files.read(listPath))
        let stamps = (json["images"]?.array ?? []).compactMap { image -> DiskImage.Stamp? in
            guard let size = image["size"]?.integer, let stored = image["stored"]?.integer,
                let isDevice = image["device"]?.bool, let identity = image["identity"]?.string
            else { return nil }
            return .init(size: size, stored: stored, isDevice: isDevice, identity: identity)
        }
        guard let moment = json["moment"]?.string, stamps.count == images.count else {
            throw Failure(.failed, "the inventory \"\(listPath)\" is damaged")
        }
        return (moment, stamps)
    }
}
