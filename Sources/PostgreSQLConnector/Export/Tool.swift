import Basics
import Glibc
import Streams

/// A run of pg_dump or pg_dumpall; its standard output goes to a sink, chunk by chunk.
///
/// Arguments hold no secrets; a password goes through the environment of the child alone.
struct Tool: Sendable {
    let name: String
    let path: String
    let major: Int

    /// Finds the newest one: on PATH, and where Debian keeps the versions side by side.
    static func find(_ name: String, atLeast server: Int) throws(Failure) -> Tool {
        var folders: [String] = []
        let base = "/usr/lib/postgresql"
        if Files.kind(base) == S_IFDIR {
            folders += try Files.names(in: base).compactMap { Int($0) }.sorted(by: >)
                .map { "\(base)/\($0)/bin" }
        }
        if let path = unsafe getenv("PATH") {
            folders = unsafe String(cString: path).split(separator: ":").map(String.init) + folders
        }
        var found: [Tool] = []
        for folder in folders where folder.hasPrefix("/") {
            let path = "\(folder)/\(name)"
            guard unsafe access(path, X_OK) == 0 else { continue }
            if let major = try? version(path) {
                if major >= server { return Tool(name: name, path: path, major: major) }
                found.append(Tool(name: name, path: path, major: major))
            }
        }
        let what =
            found.first.map {
                "\($0.path) is of version \($0.major), older than the server's \(server)"
            }
            ?? "\(name) is not installed"
        throw Failure(
            .toolUnusable, what,
            hint: "Install the package postgresql-client-\(server), or a later one.")
    }

    private static func version(_ path: String) throws(Failure) -> Int {
        let store = MemorySink.Store()
        var sink = MemorySink(store)
        try unsafe Tool(name: path, path: path, major: 0).run(
            ["--version"], password: nil, progress: Progress()
        ) { (bytes) throws(Failure) in try unsafe sink.write(buffer: bytes) }
        // pg_dump (PostgreSQL) 15.18 (Debian …), or 18beta1
        let words = String(decoding: store.bytes, as: UTF8.self).split(separator: " ")
        let digits = words.first { $0.first?.isNumber == true }?.prefix { $0.isNumber }
        guard let major = digits.flatMap({ Int($0) }) else {
            throw Failure(.toolUnusable, "\"\(path)\" does not tell its version")
        }
        return major
    }

    /// Runs it to its end; anything but exit status 0 is a failure with what it said.
    func run(
        _ arguments: [String], password: Secret?, progress: Progress,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var output = try Pipe()
        var errors = try Pipe()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.write, 2)
        let argv = TextList([path] + arguments)
        let environment = TextList(Self.environment(password))
        var child: pid_t = 0
        let status = withExtendedLifetime((argv, environment)) {
            let words = unsafe argv.pointers.map { unsafe UnsafeMutablePointer(mutating: $0) }
            let settings = unsafe environment.pointers.map {
                unsafe UnsafeMutablePointer(mutating: $0)
            }
            return unsafe posix_spawn(&child, path, &actions, nil, words, settings)
        }
        guard status == 0 else { throw Failure(errno: status, "cannot run \"\(path)\"") }
        output.closeWrite()
        errors.closeWrite()
        var said: [UInt8] = []
        do throws(Failure) {
            try unsafe drain(output, errors, progress, &said, body)
        } catch {
            kill(child, SIGTERM)
            var ended: Int32 = 0
            _ = retrying { unsafe waitpid(child, &ended, 0) }
            throw error
        }
        var ended: Int32 = 0
        _ = retrying { unsafe waitpid(child, &ended, 0) }
        guard ended == 0 else {
            let text = String(decoding: said, as: UTF8.self)
                .split(whereSeparator: \.isNewline)
                .filter { $0.contains("error:") || $0.contains("detail:") || $0.contains("hint:") }
                .suffix(6).joined(separator: "; ")
            throw Failure(
                .toolUnusable, "\(name) failed: \(text.isEmpty ? "status \(ended)" : text)",
                hint: "The source is as it was; see what the tool says.")
        }
    }

    private static func environment(_ password: Secret?) -> [String] {
        var list: [String] = []
        var next = unsafe environ
        while let text = unsafe next.pointee {
            let entry = unsafe String(cString: text)
            if !entry.hasPrefix("PGOPTIONS="), password == nil || !entry.hasPrefix("PGPASSWORD=") {
                list.append(entry)
            }
            unsafe next += 1
        }
        list += ["LC_ALL=C", "PGCLIENTENCODING=UTF8", "PGTZ=UTC", "PGDATESTYLE=ISO, YMD"]
        if let password { list.append("PGPASSWORD=" + password.revealed()) }
        return list
    }

    private func drain(
        _ output: borrowing Pipe, _ errors: borrowing Pipe, _ progress: Progress,
        _ said: inout [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var chunk = Chunk(capacity: 256 << 10)
        var open = [true, true]
        while open[0] || open[1] {
            try progress.checkCancelled()
            var entries = [
                pollfd(fd: open[0] ? output.read : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1] ? errors.read : -1, events: Int16(POLLIN), revents: 0),
            ]
            if unsafe poll(&entries, 2, 200) < 0, errno != EINTR {
                throw Failure(errno: errno, "cannot wait for \(name)")
            }
            for place in 0..<2 where entries[place].revents != 0 {
                let file = entries[place].fd
                chunk.removeAll()
                try unsafe chunk.append { (free) throws(Failure) in
                    let count = retrying { unsafe read(file, free.baseAddress, free.count) }
                    guard count >= 0 else {
                        throw Failure(errno: errno, "cannot read from \(name)")
                    }
                    return count
                }
                if chunk.isEmpty { open[place] = false }
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    if place == 0 {
                        if unsafe !bytes.isEmpty { try unsafe body(bytes) }
                    } else {
                        unsafe said.append(contentsOf: bytes)
                        if said.count > 256 << 10 { said.removeFirst(said.count - 64 << 10) }
                    }
                }
            }
        }
    }
}

/// Two ends of a pipe(2), closed when dropped; neither is inherited by other children.
struct Pipe: ~Copyable {
    let read: Int32
    private(set) var write: Int32

    init() throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw Failure(errno: errno, "cannot make a pipe")
        }
        read = ends[0]
        write = ends[1]
    }

    /// After the child has its copy.
    mutating func closeWrite() {
        close(write)
        write = -1
    }

    deinit {
        close(read)
        if write >= 0 { close(write) }
    }
}
