import CLinux
import Glibc

/// An open file that closes itself.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that are not wrapped here; valid as long as the owner lives.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Opens a path. The corresponding C function is `open`; `O_CLOEXEC` is always added.
    public init(opening path: String, _ flags: Int32, mode: mode_t = 0o600) throws(Failure) {
        let result = retrying { unsafe open(path, flags | O_CLOEXEC, mode) }
        guard result >= 0 else { throw Failure(errno: errno, "cannot open \"\(path)\"") }
        raw = result
    }

    /// Reads up to the buffer's size; 0 at the end. The corresponding C function is `read`.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        let count = retrying { unsafe Glibc.read(raw, buffer.baseAddress, buffer.count) }
        guard count >= 0 else { throw Failure(errno: errno, "cannot read") }
        return count
    }

    /// Reads at an offset; 0 at the end. The corresponding C function is `pread`.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Failure) -> Int {
        let count = retrying { unsafe pread(raw, buffer.baseAddress, buffer.count, Int(offset)) }
        guard count >= 0 else { throw Failure(errno: errno, "cannot read") }
        return count
    }

    /// Writes all bytes, however many calls it takes.
    public func writeAll(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = retrying {
                unsafe Glibc.write(
                    raw, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
            }
            guard count >= 0 else { throw Failure(errno: errno, "cannot write") }
            done += count
        }
    }

    public func writeAll(_ bytes: [UInt8]) throws(Failure) {
        try Failure.catching { try unsafe bytes.withUnsafeBytes { try unsafe writeAll($0) } }
    }

    public func writeAll(_ bytes: RawSpan) throws(Failure) {
        try Failure.catching { try unsafe bytes.withUnsafeBytes { try unsafe writeAll($0) } }
    }

    /// Writes all bytes at an offset. The corresponding C function is `pwrite`.
    public func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = retrying {
                unsafe pwrite(
                    raw, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done,
                    Int(offset) + done)
            }
            guard count >= 0 else { throw Failure(errno: errno, "cannot write") }
            done += count
        }
    }

    /// Brings the content to the disk. The corresponding C function is `fdatasync`.
    public func sync() throws(Failure) {
        guard retrying({ fdatasync(raw) }) == 0 else { throw Failure(errno: errno, "cannot sync") }
    }

    /// Has the kernel begin to write back what was written so far, so that `sync` waits less.
    public func startWriteback() { exeat_start_writeback(raw) }

    /// Brings everything of the file system that holds it to the disk (`syncfs`).
    public func syncFileSystem() throws(Failure) {
        guard exeat_syncfs(raw) == 0 else { throw Failure(errno: errno, "cannot sync") }
    }

    /// Takes up the numbers of standard input, output and error where they are closed: the next file that is
    /// opened would get one of them, and with it what is printed. Reading from them and writing to
    /// them fails, as before.
    public static func occupyStandard() {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 && errno == EBADF {
            _ = unsafe open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
        }
    }

    /// Raises this process's limit of open files as far as its user may: shells set it low for programs
    /// that wait with select(2), which none here does.
    public static func raiseLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        let wanted = min(limit.rlim_max, 65_536)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// The corresponding C function is `fstat`.
    public func status() throws(Failure) -> stat {
        var status = stat()
        guard unsafe fstat(raw, &status) == 0 else { throw Failure(errno: errno, "cannot stat") }
        return status
    }

    public func truncate(to size: Int64) throws(Failure) {
        guard retrying({ ftruncate(raw, Int(size)) }) == 0 else {
            throw Failure(errno: errno, "cannot truncate")
        }
    }

    /// Puts a hole in place of bytes; the size stays. The corresponding C function is `fallocate`.
    public func punchHole(_ offset: Int64, _ length: Int64) throws(Failure) {
        guard length > 0 else { return }
        guard retrying({ exeat_punch_hole(raw, offset, length) }) == 0 else {
            throw Failure(errno: errno, "cannot make a hole")
        }
    }

    public func seek(to offset: Int64) throws(Failure) {
        guard lseek(raw, Int(offset), SEEK_SET) >= 0 else {
            throw Failure(errno: errno, "cannot seek")
        }
    }

    /// Takes a lock without waiting; false when one that was taken before excludes it.
    ///
    /// - Parameter shared: only excludes who wants it for himself.
    public func lock(shared: Bool = false) throws(Failure) -> Bool {
        if retrying({ shared ? exeat_lock_shared(raw) : exeat_lock(raw) }) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw Failure(errno: errno, "cannot lock") }
        return false
    }
}

/// Calls again as long as a signal interrupts (EINTR).
@inline(__always)
public func retrying<Result: FixedWidthInteger & SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

extension Failure {
    /// Runs a body whose closures have lost the type of what they throw; only `Failure` is thrown
    /// in this code base, anything else is a fault of ours and says so.
    @inline(__always)
    public static func catching<Value: ~Copyable>(
        _ body: () throws -> Value
    ) throws(Failure) -> Value {
        do { return try body() } catch let failure as Failure { throw failure } catch {
            throw Failure(.failed, "unexpected error: \(error)")
        }
    }
}
