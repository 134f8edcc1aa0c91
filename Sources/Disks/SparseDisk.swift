public import Basics
import Glibc
import Synchronization

/// A raw image that is being filled from several threads; what is not written stays a hole.
///
/// It is made under the name that it is given and belongs to its maker, who renames it when it is
/// whole.
public final class SparseDisk: WritableDisk, Sendable {
    public let size: Int64
    private let file: Descriptor
    private let path: String
    private let isKept: Bool
    private let unsynced = Atomic<Int64>(0)

    /// How much may wait in the page cache before it is sent on its way to the disk.
    private static let writebackSize: Int64 = 32 << 20

    /// Makes a file that does not exist yet, of that size and without any data.
    ///
    /// - Parameter isKept: that it is to stay; what is read again and removed soon is better off in
    ///   the page cache alone.
    public init(creating path: String, size: Int64, isKept: Bool = true) throws(Failure) {
        let file = try Descriptor(
            opening: path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do throws(Failure) { try file.truncate(to: size) } catch {
            throw error.during(
                "cannot make \"\(path)\" with \(size) bytes",
                hint: "The file system may not take files of that size.")
        }
        self.file = file
        self.path = path
        self.size = size
        self.isKept = isKept
    }

    /// Opens a file that was made before and is gone on with.
    public init(resuming path: String, size: Int64) throws(Failure) {
        let file = try Descriptor(opening: path, O_RDWR | O_NOFOLLOW)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, Int64(status.st_size) == size else {
            throw Failure(.diskUnsuitable, "\"\(path)\" is no file of \(size) bytes")
        }
        self.file = file
        self.path = path
        self.size = size
        isKept = true
    }

    /// Gives back the room of a range that nobody will read again.
    public func release(_ range: Range<Int64>) throws(Failure) {
        do throws(Failure) {
            try file.punchHole(range.lowerBound, range.upperBound - range.lowerBound)
        } catch { throw error.during("cannot give back room of \"\(path)\"") }
    }

    public func write(_ bytes: RawSpan, at offset: Int64) throws(Failure) {
        try check(Int64(bytes.byteCount), at: offset)
        do throws(Failure) {
            try Failure.catching {
                try unsafe bytes.withUnsafeBytes { try unsafe file.writeAll($0, at: offset) }
            }
        } catch { throw error.during("cannot write \"\(path)\" at \(offset)", hint: error.hint) }
        guard isKept else { return }
        let count = Int64(bytes.byteCount)
        let waiting = unsynced.add(count, ordering: .relaxed).newValue
        if waiting >= Self.writebackSize {
            unsynced.store(0, ordering: .relaxed)
            file.startWriteback()
        }
    }

    /// Punches a hole; a file that has none there yet is not touched.
    public func writeZeros(_ count: Int64, at offset: Int64) throws(Failure) {
        try check(count, at: offset)
        guard case .data = file.nextData(from: offset, before: offset + count) else { return }
        do throws(Failure) { try file.punchHole(offset, count) } catch {
            throw error.during("cannot write \"\(path)\" at \(offset)")
        }
    }

    public func flush() throws(Failure) {
        do throws(Failure) { try file.sync() } catch {
            throw error.during("cannot write \"\(path)\"")
        }
    }

    private func check(_ count: Int64, at offset: Int64) throws(Failure) {
        guard offset >= 0, count <= size - offset else {
            throw Failure(.failed, "a write beyond the end of \"\(path)\"")
        }
    }
}
