import Glibc

/// A program that has been started; ended and reaped with its owner, whatever becomes of that.
///
/// The kernel does not end it when this process is killed: a program that must not outlive us has to
/// notice that its pipe or its last connection is gone.
public struct RunningCommand: ~Copyable, Sendable {
    /// For messages.
    public let program: String
    private let process: pid_t
    private var status: Int32?
    private let errors: Descriptor?

    init(program: String, process: pid_t, errors: consuming Descriptor?) {
        self.program = program
        self.process = process
        self.errors = errors
    }

    deinit {
        guard status == nil else { return }
        kill(process, SIGKILL)
        var last: Int32 = 0
        _ = retrying { unsafe waitpid(process, &last, 0) }
    }

    /// The number of the process, for records of what runs.
    public var identifier: Int32 { process }

    /// Asks it to end (SIGTERM).
    public func terminate() { if status == nil { kill(process, SIGTERM) } }

    /// How it ended, nil while it runs.
    public mutating func poll() throws(Failure) -> Command.Outcome? {
        try look(flags: WNOHANG)
    }

    /// Waits for its end. Looks often whether the run is to stop; then it is terminated and
    /// `.cancelled` thrown.
    public mutating func wait(isCancelled: () -> Bool = { false }) throws(Failure)
        -> Command.Outcome
    {
        var pause: UInt32 = 1000
        while true {
            if let outcome = try poll() { return outcome }
            if isCancelled() {
                terminate()
                _ = try look(flags: 0)
                throw Failure(.cancelled, "interrupted")
            }
            usleep(pause)
            pause = min(pause * 2, 100_000)
        }
    }

    private mutating func look(flags: Int32) throws(Failure) -> Command.Outcome? {
        if status == nil {
            var last: Int32 = 0
            let (process, program) = (process, program)
            let ended = retrying { unsafe waitpid(process, &last, flags) }
            if ended == 0 { return nil }
            guard ended == process else {
                throw Failure(errno: errno, "cannot wait for \"\(program)\"")
            }
            status = last & 0x7f == 0 ? last >> 8 & 0xff : 128 + last & 0x7f
        }
        return Command.Outcome(status: status ?? 0, errors: lastErrors())
    }

    /// The last of what it wrote to standard error.
    private func lastErrors() -> String {
        guard let size = try? errors?.status().st_size, size > 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: min(Int(size), 2000))
        let start = Int64(size) - Int64(bytes.count)
        let count = unsafe bytes.withUnsafeMutableBytes {
            (try? unsafe errors?.read(into: $0, at: start)) ?? 0
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
