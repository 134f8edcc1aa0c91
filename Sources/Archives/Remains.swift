import Basics
import CLinux
import Glibc

/// What stands in the place of an object when an import is resumed: what an earlier run of it has made
/// there is made again, what anybody else has put there stays.
struct Remains: ~Copyable {
    private let file: Descriptor
    private let size: Int64
    private var buffer: [UInt8] = []

    /// Opens what may be the beginning of a file.
    static func open(
        _ directory: Int32, _ name: UnsafePointer<CChar>
    ) throws(Failure) -> Int32 {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        var raw = retrying { unsafe openat(directory, name, flags) }
        if raw < 0, errno == EACCES, unsafe openToOwner(directory, name) {
            raw = retrying { unsafe openat(directory, name, flags) }
        }
        if raw >= 0 { return raw }
        throw foreign(cause: Failure(errno: errno, "cannot open it"))
    }

    /// Without root's rights a file may be closed to its own owner, who has made it so.
    private static func openToOwner(_ directory: Int32, _ name: UnsafePointer<CChar>) -> Bool {
        var status = stat()
        guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
            status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid()
        else {
            errno = EACCES
            return false
        }
        return unsafe fchmodat(directory, name, status.st_mode & 0o7777 | 0o400, 0) == 0
    }

    init(_ file: consuming Descriptor, size: Int64) {
        self.file = file
        self.size = size
    }

    /// Throws `.targetOccupied` when what is open is no file, or longer than `largest`.
    static func size(of file: borrowing Descriptor, largest: Int64) throws(Failure) -> Int64 {
        let status = try file.status()
        let size = Int64(status.st_size)
        guard status.st_mode & S_IFMT == S_IFREG, size <= largest else { throw foreign() }
        return size
    }

    /// Throws unless the file holds these bytes at that place, as far as it reaches. Zeros are what a
    /// power cut leaves where data had not come to the disk.
    mutating func check(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Failure) {
        let count = min(Int64(bytes.count), size - offset)
        guard count > 0 else { return }
        if buffer.count < Int(count) { buffer = [UInt8](repeating: 0, count: Int(count)) }
        let raw = file.raw
        let isSame = unsafe buffer.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < Int(count) {
                let read = retrying {
                    unsafe pread(
                        raw, buffer.baseAddress.map { unsafe $0 + done }, Int(count) - done,
                        Int(offset) + done)
                }
                if read < 0 { return false }
                if read == 0 { break }
                done += read
            }
            for index in 0..<done where unsafe buffer[index] != bytes[index] && buffer[index] != 0 {
                return false
            }
            return true
        }
        guard isSame else { throw Self.foreign() }
    }

    /// Throws unless a FIFO or device of that kind has the name.
    static func checkNode(
        _ directory: Int32, _ name: UnsafePointer<CChar>, _ type: mode_t, _ device: dev_t
    ) throws(Failure) {
        var status = stat()
        guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        guard status.st_mode & S_IFMT == type, type == S_IFIFO || status.st_rdev == device
        else { throw foreign() }
    }

    /// Whether what has the name got its metadata from this import already: nobody else gives it that
    /// time, and no more than this content.
    static func are(_ status: stat, _ type: mode_t, _ modified: FileTime, _ size: Int64) -> Bool {
        status.st_mode & S_IFMT == type && FileTime(status.st_mtim) == modified
            && Int64(status.st_size) <= size
    }

    static func foreign(cause: Failure? = nil) -> Failure {
        Failure(
            .targetOccupied, "something else is in its place",
            hint: "It is not this import's: move it away, then run the same command again.",
            cause: cause)
    }
}
