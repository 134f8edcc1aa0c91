import Glibc

/// A program with its arguments, run to its end.
///
/// Secrets never go into arguments; the environment may name a file that holds them.
public struct Command: Sendable {
    public let program: String
    public let arguments: [String]
    /// Added to the environment of this process.
    public let environment: [String: String]

    public init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    /// How a program ended.
    public struct Outcome: Sendable {
        /// The exit status, or 128 and the signal that ended it.
        public let status: Int32
        /// The last of what it wrote to standard error.
        public let errors: String
    }

    /// Runs the program with standard output and standard error in files, nothing on standard input.
    ///
    /// Blocks. Looks ten times a second whether the run is to stop; then the program is terminated
    /// and `.cancelled` thrown. Throws `.notFound` when there is no such program.
    public func run(
        output: String, errors: String, isCancelled: () -> Bool = { false }
    ) throws(Failure) -> Outcome {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
        var words = unsafe Self.copies([program] + arguments)
        var variables = unsafe Self.copies(mergedEnvironment)
        defer {
            unsafe Self.free(words)
            unsafe Self.free(variables)
        }
        var process: pid_t = 0
        let failed = unsafe posix_spawnp(&process, program, &actions, nil, &words, &variables)
        guard failed == 0 else {
            throw Failure(errno: failed, "cannot start \"\(program)\"")
        }
        var status: Int32 = 0
        var pause: UInt32 = 1000
        while true {
            let ended = unsafe waitpid(process, &status, WNOHANG)
            if ended == process { break }
            if ended < 0, errno != EINTR {
                throw Failure(errno: errno, "cannot wait for \"\(program)\"")
            }
            if isCancelled() {
                kill(process, SIGTERM)
                unsafe waitpid(process, &status, 0)
                throw Failure(.cancelled, "interrupted")
            }
            usleep(pause)
            pause = min(pause * 2, 100_000)
        }
        let text = (try? Files.read(errors)).map {
            String(decoding: $0.suffix(2000), as: UTF8.self)
        }
        return Outcome(
            status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f,
            errors: text ?? "")
    }

    private var mergedEnvironment: [String] {
        var lines: [String] = []
        var place = unsafe environ
        while let line = unsafe place.pointee {
            let text = unsafe String(cString: line)
            if environment[String(text.prefix { $0 != "=" })] == nil { lines.append(text) }
            unsafe place += 1
        }
        return lines + environment.map { "\($0.key)=\($0.value)" }
    }

    /// A list of C strings that ends with a null pointer; goes back to `free`.
    private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var copies: [UnsafeMutablePointer<CChar>?] = unsafe []
        for text in texts { unsafe copies.append(strdup(text)) }
        unsafe copies.append(nil)
        return unsafe copies
    }

    private static func free(_ copies: [UnsafeMutablePointer<CChar>?]) {
        var index = 0
        while let copy = unsafe copies[index] {
            unsafe Glibc.free(copy)
            index += 1
        }
    }
}
