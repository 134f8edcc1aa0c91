public import Basics

/// What a VMA stream (version 1, the backup format of Proxmox VE) says of itself before its data.
public struct VMAHeader: Sendable, Equatable {
    /// A file of the guest's configuration, `qemu-server.conf` for one.
    public struct Configuration: Sendable, Equatable {
        public let name: String
        public let bytes: [UInt8]
    }

    public struct Device: Sendable, Equatable {
        /// The number by which the stream calls it, 1…254.
        public let number: UInt8
        public let name: String
        /// Bytes.
        public let size: Int64

        /// The memory of a guest that was saved while it ran; no disk, and not handed on.
        public var isMemory: Bool { name == "vmstate" }

        /// How many clusters make up the device; the last may be partial.
        var clusters: Int64 { (size + VMA.clusterSize - 1) / VMA.clusterSize }
    }

    /// The 16 bytes that each extent repeats.
    public let uuid: [UInt8]
    public let created: Timestamp
    /// In the order of the stream; names are unique.
    public let configurations: [Configuration]
    /// In the order of their numbers; names are unique.
    public let devices: [Device]

    /// The UUID in the usual form of five groups.
    public var uuidText: String {
        let text = Hex.encode(uuid)
        var groups: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            groups.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return groups.joined(separator: "-")
    }
}

/// The constants of the format (vma_spec.txt of pve-qemu).
enum VMA {
    static let clusterSize: Int64 = 65_536
    static let blockSize = 4096
    static let blocksPerCluster = 16
    static let slots = 59
    static let extentHeaderSize = 512
    /// Clusters have 32-bit numbers.
    static let largestDevice: Int64 = 1 << 48
    /// Where the table of blobs begins at the earliest.
    static let fixedHeaderSize = 12_288
    /// 256 names and 256 files of 65 535 bytes each, rounded up.
    static let largestHeader = 34 << 20

    static func malformed(_ what: String) -> Failure {
        Failure(
            .vmaMalformed, "the VMA stream is damaged: \(what)",
            hint: "Copy the file again from where it came, or make the backup again.")
    }
}
