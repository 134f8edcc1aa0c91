import Basics
import Glibc
import Streams

/// A server that a rehearsal makes for one source: on a socket alone, without a network.
final class ThrowAwayServer: Sendable {
    let process: OwnedProcess
    /// The directory of its socket, or the socket itself.
    let socket: String

    init(process: OwnedProcess, socket: String) {
        self.process = process
        self.socket = socket
    }

    /// What every kind of server is made from.
    struct Site: Sendable {
        let name: String
        /// Where its files lie, as this machine sees it.
        let files: String
        /// The same as the server sees it.
        let seen: String
        let sockets: String
        let cage: Cage
        let record: String
        let errors: String
        let progress: Progress

        /// Where this process is root, the server runs as somebody who owns nothing: what is restored runs as
        /// well, and this machine's own servers let in whoever has the name of theirs.
        init(
            _ name: String, place: RunPlace, rights: Cage.Rights, progress: Progress
        ) throws(Failure) {
            let user = rights.isRoot ? Cage.User.first(of: ["nobody"]) : nil
            self.name = name
            self.progress = progress
            sockets = "\(place.short)/\(name)"
            try Files.makeDirectory(sockets, mode: 0o700)
            var files = place.directory + "/\(name)"
            var seen = files
            var binding: (String, String)?
            if rights.isRoot, rights.canBind {
                // Directories above ours may be closed to the user of the server.
                seen = "\(place.short)/\(name)-files"
                try Files.makeDirectory(seen, mode: 0o711)
                binding = (files, seen)
            } else if rights.isRoot {
                files = "\(place.short)/\(name)-files"
                seen = files
            }
            try Files.makeDirectory(files, mode: 0o700)
            self.files = files
            self.seen = seen
            cage = Cage(rights, user: user, binding: binding)
            if let user {
                for path in [sockets, files] {
                    guard unsafe chown(path, user.number, user.group) == 0 else {
                        throw Self.refusal(errno, path, user)
                    }
                }
            }
            record = place.record(of: name)
            errors = place.directory + "/\(name).log"
        }

        /// Runs a program of the server to its end. It has a record, so that it ends with us at the latest.
        func run(_ program: String, _ arguments: [String]) throws(Failure) {
            let process = try OwnedProcess(
                program, arguments, record: record + "-made", errors: errors + ".made",
                cage: cage, environment: ["HOME": seen, "LC_ALL": "C"])
            defer { process.end() }
            while true {
                if let outcome = try process.outcome() {
                    if outcome.status == 0 { return }
                    let text = outcome.complaint
                    // As shells say that there is no such program.
                    throw Failure(
                        outcome.status == 127 ? .notFound : Self.code(of: text),
                        "cannot make a throw-away server with \"\(program)\": \(text)",
                        hint: Self.isNameless ? Self.namelessHint : nil)
                }
                try progress.checkCancelled()
                usleep(50_000)
            }
        }

        /// A user namespace with one id has nobody else whom the server could run as.
        private static func refusal(_ error: Int32, _ path: String, _ user: Cage.User) -> Failure {
            Failure(
                errno: error, "cannot give \"\(path)\" to \(user.name)",
                hint: error == EINVAL
                    ? "This user namespace lacks the user id \(user.number). Rehearse as an ordinary user or with a "
                        + "range of ids, or name a lab server as target in the plan." : nil)
        }

        /// Servers look up the name of whoever starts them.
        private static var isNameless: Bool { unsafe getpwuid(geteuid()) == nil }

        private static var namelessHint: String {
            "The user id \(geteuid()) has no entry in the list of users (passwd). Rehearse as a user that has "
                + "one, or name a lab server as target in the plan."
        }

        /// A disk that is full has its own code, whoever notices it.
        static func code(of text: String) -> Failure.Code {
            text.contains("No space left on device") ? .noSpace : .databaseTool
        }

        func start(
            _ program: String, _ arguments: [String], isReady: () -> Bool
        ) throws(Failure) -> OwnedProcess {
            let process = try OwnedProcess(
                program, arguments, record: record, errors: errors, cage: cage,
                environment: ["HOME": seen, "LC_ALL": "C"])
            let end = monotonicNanoseconds() + 120_000_000_000
            while true {
                if isReady() { return process }
                if let outcome = try process.outcome() {
                    let text = outcome.complaint
                    throw Failure(
                        Self.code(of: text), "a throw-away server did not start: \(text)",
                        hint: Self.isNameless ? Self.namelessHint : nil)
                }
                do throws(Failure) { try progress.checkCancelled() } catch {
                    process.end()
                    throw error
                }
                guard monotonicNanoseconds() < end else {
                    process.end()
                    throw Failure(.databaseTool, "a throw-away server was not ready in time")
                }
                usleep(50_000)
            }
        }
    }

    /// The major version of PostgreSQL to take for an archive: the same, else the next that is
    /// installed.
    static func postgresql(major wanted: Int) throws(Failure) -> (major: Int, programs: String) {
        let root = "/usr/lib/postgresql"
        let found = ((try? Files.names(in: root)) ?? []).compactMap { Int($0) }
            .filter { Files.exists("\(root)/\($0)/bin/initdb") }.sorted()
        if let major = found.first(where: { $0 >= wanted }) {
            return (major, "\(root)/\(major)/bin")
        }
        // Elsewhere than on Debian the programs are on the path.
        if let major = majorOnPath(), major >= wanted { return (major, "") }
        throw Failure(
            .databaseTool,
            "no PostgreSQL server of version \(wanted) or later is installed here",
            hint: "Install postgresql-\(wanted), or name a lab server as target in the plan.")
    }

    /// The major version of the programs on the path; nil where there are none.
    private static func majorOnPath() -> Int? {
        guard let file = try? Command.unnamedFile(),
            var running = try? Command("initdb", ["--version"]).start(output: file.raw),
            (try? running.wait())?.status == 0
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = unsafe bytes.withUnsafeMutableBytes {
            (try? unsafe file.read(into: $0, at: 0)) ?? 0
        }
        // "initdb (PostgreSQL) 17.2 (Debian 17.2-1)", "initdb (PostgreSQL) 18beta1".
        let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return words.count > 2 ? Int(words[2].prefix { $0.isNumber }) : nil
    }

    static func postgresql(
        _ site: Site, programs: String, encoding: String
    ) throws(Failure) -> ThrowAwayServer {
        let prefix = programs.isEmpty ? "" : programs + "/"
        try site.run(
            prefix + "initdb",
            [
                "-D", site.seen + "/data", "-A", "trust", "-U", "postgres", "-E", encoding,
                "--locale=C", "--no-sync",
            ])
        let process = try site.start(
            prefix + "postgres",
            [
                "-D", site.seen + "/data", "-c", "listen_addresses=", "-c",
                "unix_socket_directories=\(site.sockets)", "-c", "port=5432",
                "-c", "max_connections=100", "-c", "max_locks_per_transaction=512",
                "-c", "max_prepared_transactions=0", "-c", "shared_buffers=256MB",
                "-c", "max_wal_size=2GB", "-c", "wal_level=minimal", "-c", "max_wal_senders=0",
                "-c", "logging_collector=off",
                // What a server that is killed leaves in /dev/shm stays there; files go with the others.
                "-c", "dynamic_shared_memory_type=mmap",
                // Tells the importer that probes get a role of their own, which large objects do not stop.
                "-c", "cluster_name=exeat-rehearsal", "-c", "lo_compat_privileges=on",
            ]
        ) {
            // The last line of the file says whether it takes connections.
            let lines = (try? Files.readText(site.files + "/data/postmaster.pid"))?
                .split(separator: "\n")
            return lines?.last.map { $0.contains("ready") } ?? false
        }
        return ThrowAwayServer(process: process, socket: site.sockets)
    }

    static func mariadb(_ site: Site) throws(Failure) -> ThrowAwayServer {
        let user = site.cage.user.map { ["--user=\($0.name)"] } ?? []
        do throws(Failure) {
            // A server that starts removes the temporary tables of all that keep theirs in the same
            // place: in /tmp also those of this machine's own servers.
            try site.run(
                "mariadb-install-db",
                [
                    "--no-defaults", "--datadir=\(site.seen)/data", "--skip-test-db",
                    "--auth-root-authentication-method=normal", "--skip-name-resolve",
                    "--innodb-log-file-size=32M", "--tmpdir=\(site.seen)",
                ] + user)
        } catch {
            guard error.code == .notFound else { throw error }
            throw Failure(
                .databaseTool, "no MariaDB server is installed here",
                hint: "Install mariadb-server, or name a lab server as target in the plan.",
                cause: error)
        }
        let socket = site.sockets + "/socket"
        let process = try site.start(
            "mariadbd",
            [
                "--no-defaults", "--datadir=\(site.seen)/data", "--socket=\(socket)",
                "--pid-file=\(site.seen)/pid", "--skip-networking", "--skip-name-resolve",
                "--local-infile=1", "--event-scheduler=OFF", "--max-allowed-packet=1G",
                "--log-bin-trust-function-creators=1", "--innodb-buffer-pool-size=256M",
                "--innodb-log-file-size=128M", "--tmpdir=\(site.seen)",
                // What is restored reads and writes no files but its own.
                "--secure-file-priv=\(site.seen)",
            ] + user
        ) { Port.takes(unix: socket) }
        return ThrowAwayServer(process: process, socket: socket)
    }
}
