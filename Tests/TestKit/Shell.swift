import Basics
import Glibc

/// Runs real programs for tests.
public enum Shell {
    public struct Result: Sendable {
        /// The exit status; 128 + N when signal N ended the program.
        public let status: Int32
        public let output: [UInt8]
        public let errors: [UInt8]

        /// The standard output as text.
        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program, found through PATH, to its end; throws only when it cannot be started.
    ///
    /// Input and output go through unlinked files, so neither side ever waits for the other.
    /// `environment` is added to that of the test. The corresponding C function is `posix_spawnp`.
    public static func run(
        _ arguments: [String], input: [UInt8] = [], in directory: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Result {
        let streams = [try Scratch(input), try Scratch(), try Scratch()]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, stream.raw, Int32(number))
        }
        // Glibc's module hides the file action that changes the directory.
        let prefix = directory.map { ["sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []
        var words = (prefix + arguments).map { strdup($0) }
        var settings = merged(environment).map { strdup($0) }
        words.append(nil)
        settings.append(nil)
        defer { for word in words + settings { free(word) } }
        var process = pid_t()
        guard let program = words[0] else { throw Failure(.usage, "nothing to run") }
        let error = posix_spawnp(&process, program, &actions, nil, words, settings)
        guard error == 0 else {
            throw Failure(errno: error, "cannot run \"\(arguments.first ?? "")\"")
        }
        var status: Int32 = 0
        _ = retrying { waitpid(process, &status, 0) }
        return Result(
            status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f,
            output: try streams[1].content(), errors: try streams[2].content())
    }

    /// Whether a program of that name is in PATH.
    public static func has(_ program: String) -> Bool {
        let found = try? run(["sh", "-c", "command -v \"$1\"", "sh", program])
        return found?.status == 0
    }

    private static func merged(_ additions: [String: String]) -> [String] {
        var settings: [String] = []
        var current = environ
        while let entry = current.pointee {
            let setting = String(cString: entry)
            if additions[String(setting.prefix { $0 != "=" })] == nil { settings.append(setting) }
            current += 1
        }
        return settings + additions.map { "\($0.key)=\($0.value)" }
    }
}

/// A file without a name.
private final class Scratch {
    let raw: Int32

    init(_ bytes: [UInt8] = []) throws {
        var template = Array("/tmp/exeat-shell-XXXXXX".utf8CString)
        raw = mkstemp(&template)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot make a temporary file") }
        _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
        unlink(template)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                pwrite(raw, $0.baseAddress, $0.count, done)
            }
            guard count > 0 else { throw Failure(errno: errno, "cannot write a temporary file") }
            done += count
        }
    }

    deinit { close(raw) }

    func content() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(raw, &buffer, buffer.count, bytes.count)
            guard count >= 0 else { throw Failure(errno: errno, "cannot read a temporary file") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
