public import Basics
import Glibc
public import Streams

/// A bag as one tar file that can be read at any offset; listing it reads only the headers.
public struct BagTar: BagStorage {
    public let entries: [BagEntry]
    public let name: BagName?
    public var problems: [BagProblem] { [] }
    private let file: SharedDescriptor
    private let offsets: [BagPath: Int64]

    /// Reads all headers and paddings. A tar that is not canonical from its first to its last byte
    /// throws: past such a place nothing can be trusted to be what it seems.
    public init(opening path: String) throws(Failure) {
        let descriptor = try Descriptor(opening: path, O_RDONLY)
        let size = Int64(try descriptor.status().st_size)
        let file = SharedDescriptor(descriptor, name: "\"\(path)\"")
        self.file = file
        // Headers lie far apart: reading ahead of each would read the whole archive.
        posix_fadvise(file.descriptor.raw, 0, 0, POSIX_FADV_RANDOM)
        var order = TarOrder()
        var entries: [BagEntry] = []
        var offsets: [BagPath: Int64] = [:]
        var position: Int64 = 0
        var block = [UInt8](repeating: 0, count: CanonicalTar.blockSize)
        while true {
            try Self.read(file, at: position, of: size, into: &block)
            position += 512
            if block.allSatisfy({ $0 == 0 }) { break }
            let header = try CanonicalTar.parse(block)
            try order.admit(header)
            offsets[header.path] = position
            entries.append(BagEntry(path: header.path, size: header.size))
            position += header.size
            let padding = CanonicalTar.padding(after: header.size)
            guard position <= size, Int64(padding) <= size - position else {
                throw TarOrder.truncated("within \"\(header.path)\"")
            }
            if padding > 0 {
                var zeros = [UInt8](repeating: 0, count: padding)
                try Self.read(file, at: position, of: size, into: &zeros)
                guard zeros.allSatisfy({ $0 == 0 }) else {
                    throw Failure(.tarPadding, "the padding after \"\(header.path)\" is not zeros")
                }
            }
            position += Int64(padding)
        }
        try Self.read(file, at: position, of: size, into: &block)
        guard block.allSatisfy({ $0 == 0 }) else {
            throw Failure(.tarHeader, "the archive goes on after a block of zeros")
        }
        guard position + 512 == size else {
            throw Failure(.tarTrailing, "bytes follow the end of the archive")
        }
        posix_fadvise(file.descriptor.raw, 0, 0, POSIX_FADV_NORMAL)
        self.entries = entries
        self.offsets = offsets
        name = order.name
    }

    public func source(of entry: BagEntry) throws(Failure) -> FileSource {
        guard let offset = offsets[entry.path] else {
            throw Failure(.bagFileMissing, "\"\(entry.path)\" is not in the archive")
        }
        return FileSource(file, from: offset, size: entry.size)
    }

    /// Fills the buffer, or throws `.tarTruncated`.
    private static func read(
        _ file: SharedDescriptor, at offset: Int64, of size: Int64, into buffer: inout [UInt8]
    ) throws(Failure) {
        guard offset + Int64(buffer.count) <= size else {
            throw TarOrder.truncated("without the blocks that close it")
        }
        try Failure.catching {
            try unsafe buffer.withUnsafeMutableBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let count = try unsafe file.descriptor.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]),
                        at: offset + Int64(done))
                    guard count > 0 else { throw TarOrder.truncated("while it is read") }
                    done += count
                }
            }
        }
    }
}
