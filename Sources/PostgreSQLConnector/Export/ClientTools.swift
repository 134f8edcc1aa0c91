import Basics
import Glibc
import Streams

/// pg_dump and pg_dumpall, not older than the server; they write the definitions.
struct ClientTools: Sendable {
    let directory: String
    let major: Int

    /// Debian keeps each version in a directory of its own; elsewhere what PATH has must do.
    init(for server: ServerFacts, room: String) throws(Failure) {
        let base = "/usr/lib/postgresql"
        let versions = ((try? Files.names(in: base)) ?? []).compactMap { Int($0) }
            .filter { Files.exists("\(base)/\($0)/bin/pg_dump") }
        let package = "postgresql-client-\(server.major)"
        if let best = versions.filter({ $0 >= server.major }).min() {
            directory = "\(base)/\(best)/bin/"
            major = best
            return
        }
        directory = ""
        do throws(Failure) {
            let output = room + "/pg_dump-version"
            let outcome = try Command("pg_dump", ["--version"]).run(
                output: output, errors: room + "/pg_dump-errors")
            let words = try Files.readText(output).split { $0 == " " || $0 == "." || $0 == "\n" }
            guard outcome.status == 0, let number = words.compactMap({ Int($0) }).first else {
                throw Failure(.databaseTool, "pg_dump does not tell its version")
            }
            major = number
        } catch {
            throw Failure(
                .databaseTool, "pg_dump is needed to write the definitions, and cannot be run",
                hint: "Install \(package) or a later one.", cause: error)
        }
        guard major >= server.major else {
            throw Failure(
                .databaseTool,
                "pg_dump is of version \(major), the server of version \(server.major)",
                hint: "Install \(package) or a later one.")
        }
    }

    /// Runs a tool and gives back what it wrote. The password goes through a file of its own.
    func run(
        _ tool: String, _ arguments: [String], conninfo: Conninfo, room: String, progress: Progress
    ) throws(Failure) -> [UInt8] {
        let output = "\(room)/\(tool).out"
        let errors = "\(room)/\(tool).err"
        var environment: [String: String] = [:]
        let passwords = "\(room)/passwords"
        if let line = conninfo.passwordFile {
            try Files.write(Array(line.utf8), to: passwords, mode: 0o600)
            environment["PGPASSFILE"] = passwords
        }
        defer {
            for path in [output, errors, passwords] { try? Files.remove(path) }
        }
        let outcome = try Command(directory + tool, arguments, environment: environment).run(
            output: output, errors: errors, isCancelled: { progress.isCancelled })
        guard outcome.status == 0 else {
            let lines = outcome.errors.split(separator: "\n").filter {
                $0.contains("error:") || $0.contains("ERROR") || $0.contains("DETAIL")
                    || $0.contains("HINT")
            }
            throw Failure(
                .databaseTool, "\(tool) failed with status \(outcome.status)",
                hint: "Its own message says what to do.",
                cause: Failure(
                    .databaseTool,
                    lines.isEmpty ? outcome.errors : lines.suffix(5).joined(separator: "; ")))
        }
        return try Files.read(output, limit: 1 << 30)
    }
}
