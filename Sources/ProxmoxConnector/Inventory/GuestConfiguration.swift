import Basics

/// The configuration of a guest as far as the export needs it.
struct GuestConfiguration: Sendable {
    private let kind: GuestEntry.Kind
    private let lines: [Substring]

    init(parsing bytes: [UInt8], kind: GuestEntry.Kind) throws(Failure) {
        self.kind = kind
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    func value(_ key: String) -> String? {
        lines.first { $0.hasPrefix(key + ": ") }.map { String($0.dropFirst(key.count + 2)) }
    }

    var name: String { value(kind == .machine ? "name" : "hostname") ?? "" }

    /// `scsi0` for `drive-scsi0`, `tpmstate0` for `drive-tpmstate0-backup`: as the map at the end of
    /// the configuration says.
    func key(ofDevice device: String) -> String {
        for line in lines where line.hasPrefix("#qmdump#map:") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 3, fields[2] == device { return String(fields[1]) }
        }
        return device.hasPrefix("drive-") ? String(device.dropFirst(6)) : device
    }
}
