public import Basics
import Glibc
public import Streams

/// A backup that vzdump left as a file, plain or compressed as its first bytes say.
public struct BackupFile: Sendable {
    /// What is inside.
    public enum Content: Sendable, Equatable {
        /// A virtual machine: a VMA stream.
        case machine
        /// A container: a tar stream with two members of Proxmox VE at its start.
        case container
    }

    public enum Compression: String, Sendable {
        case none, zstd, gzip, lzop
    }

    public let path: String
    public let content: Content
    public let compression: Compression
    /// Bytes as they are stored.
    public let size: Int64

    /// What a name says there is: `….vma`, or `vzdump-lxc-….tar`, with or without `.zst`, `.gz`,
    /// `.lzo`; nil for any other name.
    public static func content(named path: String) -> Content? {
        var name = Files.lastComponent(of: path)[...]
        for ending in [".zst", ".gz", ".lzo"] where name.hasSuffix(ending) {
            name = name.dropLast(ending.count)
            break
        }
        if name.hasSuffix(".vma") { return .machine }
        if name.hasSuffix(".tar"), name.hasPrefix("vzdump-lxc-") { return .container }
        return nil
    }

    public init(opening path: String) throws(Failure) {
        let content = Self.content(named: path)
        // A link to a backup is as good as the backup.
        let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
        let status = try file.status()
        guard let content, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                .diskUnsuitable, "\"\(path)\" is no file that vzdump made",
                hint: "Its name ends with .vma, or begins with vzdump-lxc- and ends with .tar; "
                    + "a compressed one has .zst, .gz or .lzo behind it.")
        }
        var head = [UInt8](repeating: 0, count: 4)
        let count = try Failure.catching {
            try unsafe head.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: 0) }
        }
        self.path = path
        self.content = content
        compression = Self.compression(of: head[..<count])
        size = Int64(status.st_size)
    }

    private static func compression(of head: ArraySlice<UInt8>) -> Compression {
        if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
        if head.starts(with: [0x1f, 0x8b]) { return .gzip }
        if head.starts(with: [0x89, 0x4c, 0x5a, 0x4f]) { return .lzop }
        return .none
    }

    /// The decompressed stream from its start; whatever is damaged throws.
    public func open() throws(Failure) -> BackupSource {
        let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
        let shared = SharedDescriptor(file, name: "\"\(path)\"")
        switch compression {
        case .none: return BackupSource(FileSource(shared, from: 0, size: size))
        case .zstd:
            return BackupSource(
                try Decompressing(FileSource(shared, from: 0, size: size), size: nil))
        case .gzip: return BackupSource(try Inflating(FileSource(shared, from: 0, size: size)))
        case .lzop:
            return BackupSource(
                try CommandSource(Command("lzop", ["-dc"]), input: shared, package: "lzop"))
        }
    }
}

/// The stream of a backup, however it is stored.
public struct BackupSource: ByteSource, ~Copyable {
    private var source: any ByteSource & ~Copyable

    public init(_ source: consuming any ByteSource & ~Copyable) { self.source = source }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        try source.read(into: &chunk)
    }
}
