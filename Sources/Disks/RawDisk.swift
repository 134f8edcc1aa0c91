public import Basics
import Glibc
public import Streams

/// Reads a raw image or a block device; holes are found by extent (SEEK_DATA, SEEK_HOLE), and where
/// nothing can tell, all is data.
public struct RawDisk: ReadableDisk, ~Copyable {
    public let size: Int64
    private let file: SharedDescriptor
    private let canTell: Bool

    /// Opens a regular file or a block device; nothing else is a disk, and no link is followed unless
    /// it is one of a block device (`/dev/disk/by-id/…`).
    public init(opening path: String) throws(Failure) {
        let resolved = Files.kind(path) == S_IFLNK ? Files.absolute(path) : path
        let file = try Descriptor(opening: resolved, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let status = try file.status()
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFBLK || kind == S_IFREG && resolved == path else {
            throw Failure(
                .diskUnsuitable, "\"\(path)\" is neither a file nor a block device",
                hint: "Name the image itself.")
        }
        try self.init(SharedDescriptor(file, name: "\"\(path)\""))
    }

    /// Several readers may share a descriptor, each on its own thread.
    public init(_ file: SharedDescriptor) throws(Failure) {
        let end = Int64(lseek(file.descriptor.raw, 0, SEEK_END))
        guard end >= 0 else { throw Failure(errno: errno, "cannot tell the size of \(file.name)") }
        self.file = file
        size = end
        canTell = file.descriptor.nextData(from: 0, before: end) != .unknown
    }

    public func extent(at offset: Int64, before end: Int64) -> DiskExtent {
        func run(to end: Int64, isHole: Bool) -> DiskExtent {
            DiskExtent(offset: offset, length: end - offset, isHole: isHole)
        }
        guard canTell else { return run(to: end, isHole: false) }
        switch file.descriptor.nextData(from: offset, before: end) {
        case .unknown: return run(to: end, isHole: false)
        case .none: return run(to: end, isHole: true)
        case .data(let data):
            return data.lowerBound > offset
                ? run(to: data.lowerBound, isHole: true) : run(to: data.upperBound, isHole: false)
        }
    }

    public func read(_ count: Int, at offset: Int64, into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while chunk.count < count {
            let before = chunk.count
            let place = offset + Int64(before)
            do throws(Failure) {
                try unsafe chunk.append { (free) throws(Failure) in
                    try unsafe file.descriptor.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: free[..<(count - before)]),
                        at: place)
                }
            } catch { throw error.during("cannot read \(file.name) at \(place)") }
            guard chunk.count > before else {
                throw Failure(.truncated, "\(file.name) ends at \(place), before its size")
            }
        }
    }
}
