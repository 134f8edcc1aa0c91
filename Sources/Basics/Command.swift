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
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        let written = try Descriptor(opening: output, flags)
        // Read back from its end, so it is open for both.
        let complaints = try Descriptor(opening: errors, O_RDWR | O_CREAT | O_TRUNC)
        var running = try start(output: written.raw, errors: complaints)
        _ = consume written
        return try running.wait(isCancelled: isCancelled)
    }

    /// Starts the program with these descriptors; without one, nothing can be read from standard
    /// input, and standard output goes nowhere.
    ///
    /// Throws `.notFound` when there is no such program. What it writes to standard error is kept
    /// where no name leads to, unless there is a file for it.
    public func start(
        input: Int32? = nil, output: Int32? = nil, errors: consuming Descriptor? = nil
    ) throws(Failure) -> RunningCommand {
        let complaints: Descriptor
        switch consume errors {
        case .some(let given): complaints = given
        case .none: complaints = try Self.unnamedFile()
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        if let output {
            unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, complaints.raw, 2)
        var words = unsafe Self.copies([program] + arguments)
        var variables = unsafe Self.copies(mergedEnvironment)
        defer {
            unsafe Self.free(words)
            unsafe Self.free(variables)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        Self.setSignals(&attributes)
        var process: pid_t = 0
        let failed = unsafe posix_spawnp(
            &process, program, &actions, &attributes, &words, &variables)
        guard failed == 0 else {
            throw Failure(errno: failed, "cannot start \"\(program)\"")
        }
        return RunningCommand(program: program, process: process, errors: complaints)
    }

    /// Lanes block signals, and a program inherits that: SIGTERM would never reach it. An interruption
    /// at the terminal stays with us, who end the program in our own time.
    private static func setSignals(_ attributes: inout posix_spawnattr_t) {
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe sigaddset(&blocked, SIGINT)
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        var standard = sigset_t()
        unsafe sigemptyset(&standard)
        unsafe sigaddset(&standard, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &standard)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// A file for reading and writing that no name leads to.
    public static func unnamedFile() throws(Failure) -> Descriptor {
        var template = Array("/tmp/exeat-errors-XXXXXX".utf8CString)
        let raw = unsafe mkostemp(&template, O_CLOEXEC)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot make a file in \"/tmp\"") }
        unsafe unlink(template)
        return Descriptor(owning: raw)
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
