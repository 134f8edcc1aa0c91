import Basics
import Glibc

/// Writes to a descriptor that its maker keeps.
public struct DescriptorSink: ByteSink, ~Copyable {
    private let file: SharedDescriptor
    private var unsynced = 0

    /// How much may wait in the page cache before it is sent on its way to the disk.
    private static var writebackSize: Int { 8 << 20 }

    public init(_ file: SharedDescriptor) { self.file = file }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        do throws(Failure) { try file.descriptor.writeAll(bytes) } catch {
            throw error.during("cannot write \(file.name)")
        }
        unsynced += bytes.byteCount
        if unsynced >= Self.writebackSize {
            file.descriptor.startWriteback()
            unsynced = 0
        }
    }

    public mutating func finish() throws(Failure) {}
}

/// A descriptor that a stage and its maker hold together; closed when both are gone.
public final class SharedDescriptor: Sendable {
    public let descriptor: Descriptor
    /// For messages: the path in quotes, or what it is.
    public let name: String

    public init(_ descriptor: consuming Descriptor, name: String) {
        self.descriptor = descriptor
        self.name = name
    }
}

/// Reads a file from its current position to its end, or a part of it.
public struct FileSource: ByteSource, ~Copyable {
    private let file: SharedDescriptor
    private var position: Int64
    private let end: Int64

    public init(opening path: String) throws(Failure) {
        let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW)
        let size = Int64(try file.status().st_size)
        self.init(SharedDescriptor(file, name: "\"\(path)\""), from: 0, size: size)
    }

    /// The bytes `from ..< from + size`; fewer in the file is `.truncated`.
    public init(_ file: SharedDescriptor, from: Int64, size: Int64) {
        self.file = file
        self.position = from
        self.end = from + size
        posix_fadvise(file.descriptor.raw, Int(from), Int(size), POSIX_FADV_SEQUENTIAL)
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let left = end - position
        guard left > 0 else { return }
        try unsafe chunk.append { (free) throws(Failure) in
            let wanted = Int(min(Int64(free.count), left))
            return try unsafe file.descriptor.read(
                into: UnsafeMutableRawBufferPointer(rebasing: free[..<wanted]), at: position)
        }
        guard !chunk.isEmpty else {
            throw Failure(.truncated, "\(file.name) ends \(left) bytes too early")
        }
        position += Int64(chunk.count)
    }
}
