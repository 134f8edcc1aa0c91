import Basics
import Connectors
import Glibc
import Streams

/// A file that gets a copy of a stream.
final class StreamCopy: Sendable {
    private let file: SharedDescriptor
    private let path: String

    init(creating path: String) throws(Failure) {
        self.path = path
        file = SharedDescriptor(
            try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600),
            name: "\"\(path)\"")
    }

    var sink: DescriptorSink { DescriptorSink(file) }

    /// Brings it to the disk, and gives its size.
    func finish() throws(Failure) -> Int64 {
        do throws(Failure) { try file.descriptor.sync() } catch {
            throw error.during("cannot write \"\(path)\"")
        }
        return Int64(try file.descriptor.status().st_size)
    }
}

/// Hands a stream on, and copies what passes.
struct Copied: ByteSource, ~Copyable {
    private let stream: SegmentStream
    private var sink: DescriptorSink?

    init(_ stream: SegmentStream, to copy: StreamCopy?) {
        self.stream = stream
        sink = copy?.sink
    }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        try stream.read(into: &chunk)
        guard sink != nil else { return }
        try unsafe chunk.withBytes { (bytes) throws(Failure) in
            try unsafe sink?.write(buffer: bytes)
        }
    }
}
