import Basics
import Glibc

/// A real server that runs beside a test, and ends with it.
///
/// Its standard input is a pipe: a program that reads it sees the end of the test, even of one that
/// crashed.
public final class BackgroundProgram: @unchecked Sendable {
    // Sendable: the number of the process is set once; signals may be sent from anywhere.
    private let process: pid_t
    private let input: Int32
    private let output: Int32

    public init(_ arguments: [String], environment: [String: String] = [:]) throws {
        var (toProgram, fromProgram): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard pipe(&toProgram) == 0, pipe(&fromProgram) == 0 else {
            throw Failure(errno: errno, "cannot make a pipe")
        }
        for end in toProgram + fromProgram { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toProgram[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromProgram[1], 1)
        // Threads of a test run block signals, and a program would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = environment.isEmpty ? [] : ["env"] + environment.map { "\($0.key)=\($0.value)" }
        let all = words + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = all.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var number: pid_t = 0
        let error = posix_spawnp(&number, all[0], &actions, &attributes, &argv, environ)
        close(toProgram[0])
        close(fromProgram[1])
        guard error == 0 else { throw Failure(errno: error, "cannot run \"\(all[0])\"") }
        process = number
        input = toProgram[1]
        output = fromProgram[0]
    }

    deinit { stop() }

    /// The next line of standard output; what there is of it when the program ends.
    public func line() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != 0x0a { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a line to standard input.
    public func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
    }

    /// Ends the program and waits for it; may be called again.
    public func stop() {
        guard kill(process, SIGKILL) == 0 else { return }
        var status: Int32 = 0
        if waitpid(process, &status, 0) == process {
            close(input)
            close(output)
        }
    }
}
