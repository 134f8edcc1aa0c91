import Basics
import Glibc

/// Runs the real tools that tests compare with.
public enum Shell {
    public struct Result: Sendable {
        /// The exit status; 128 + the signal's number when one ended the program.
        public let status: Int32
        public let output: [UInt8]
        public let errors: [UInt8]
        /// The output as text.
        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program found by PATH and waits for it. Whatever status it ends with is a result.
    ///
    /// Input and outputs go through unlinked files, so none can block another.
    public static func run(
        _ arguments: [String], input: [UInt8] = [], in directory: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Result {
        let arguments = (directory.map { ["env", "-C", $0] } ?? []) + arguments
        guard let program = arguments.first else { throw Failure(.invalidValue, "no program") }
        let standardInput = try scratch()
        let standardOutput = try scratch()
        let standardError = try scratch()
        try standardInput.writeAll(input)
        try standardInput.seek(to: 0)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standardInput.raw, 0)
        posix_spawn_file_actions_adddup2(&actions, standardOutput.raw, 1)
        posix_spawn_file_actions_adddup2(&actions, standardError.raw, 2)

        var variables = Self.environment
        for (name, value) in environment { variables[name] = value }
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] =
            variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            argv.forEach { free($0) }
            envp.forEach { free($0) }
        }
        var process: pid_t = 0
        let error = posix_spawnp(&process, program, &actions, nil, &argv, &envp)
        guard error == 0 else { throw Failure(errno: error, "cannot run \"\(program)\"") }
        var status: Int32 = 0
        guard retrying({ waitpid(process, &status, 0) }) == process else {
            throw Failure(errno: errno, "cannot wait for \"\(program)\"")
        }
        let signal = status & 0x7f
        return Result(
            status: signal == 0 ? status >> 8 & 0xff : 128 + signal,
            output: try contents(of: standardOutput), errors: try contents(of: standardError))
    }

    /// Whether a program of that name is installed.
    public static func has(_ program: String) -> Bool {
        let path = environment["PATH"] ?? "/usr/bin:/bin"
        let folders = (path + ":/usr/sbin:/sbin").split(separator: ":").map(String.init)
        return folders.contains { Files.exists($0 + "/" + program) }
    }

    private static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }

    private static func scratch() throws -> Descriptor {
        var template = Array("/tmp/exeat-shell-XXXXXX".utf8CString)
        let raw = mkstemp(&template)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot make a scratch file") }
        _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return Descriptor(owning: raw)
    }

    private static func contents(of file: borrowing Descriptor) throws -> [UInt8] {
        let size = Int(try file.status().st_size)
        try file.seek(to: 0)
        var bytes = [UInt8](repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = try bytes.withUnsafeMutableBytes {
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
            }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[..<done])
    }
}
