import Basics
import Connectors
import Manifests
import Plans
import Runs
import Streams

/// The target that a rehearsal makes for a source, as an import plan names it.
struct ThrowAwayTarget: Sendable {
    let plan: TargetPlan
    /// Where images, trees, logs or configurations are restored; nil for a server.
    let directory: String?
    let server: ThrowAwayServer?

    static func make(
        for source: SourceRecord, of archive: OpenArchive, at number: Int, place: RunPlace,
        rights: Cage.Rights, connectors: [any Importer.Type], progress: Progress
    ) throws(Failure) -> ThrowAwayTarget {
        let name = "target-\(number + 1)"
        switch source.kind {
        case "postgresql":
            let text = source.facts["server"]?.string ?? ""
            let major = Int(text.prefix { $0.isNumber }) ?? 0
            let (_, programs) = try ThrowAwayServer.postgresql(major: major)
            let site = try ThrowAwayServer.Site(
                name, place: place, rights: rights, progress: progress)
            let server = try ThrowAwayServer.postgresql(
                site, programs: programs, encoding: source.facts["encoding"]?.string ?? "UTF8")
            let database = source.facts["database"]?.string ?? "rehearsal"
            let connection =
                "host='\(quoted(server.socket))' port=5432 user=postgres dbname='\(quoted(database))'"
            var members: [JSON.Member] = [.init("connection", .string(escaped(connection)))]
            let spaces = try tablespaces(of: source, archive)
            if !spaces.isEmpty {
                members.append(
                    .init(
                        "map",
                        [
                            "tablespaces": .object(
                                spaces.map { .init($0, .string("pg_default")) })
                        ]))
            }
            return ThrowAwayTarget(
                plan: try target(source, "postgresql", members, connectors), directory: nil,
                server: server)
        case "mariadb":
            let site = try ThrowAwayServer.Site(
                name, place: place, rights: rights, progress: progress)
            let server = try ThrowAwayServer.mariadb(site)
            return ThrowAwayTarget(
                plan: try target(
                    source, "mariadb",
                    [.init("connection", ["socket": .string(server.socket), "user": "root"])],
                    connectors), directory: nil, server: server)
        case "proxmox", "disks":
            let path = place.directory + "/" + name
            return ThrowAwayTarget(
                plan: try target(
                    source, "directory",
                    [.init("path", .string(escaped(path))), .init("format", "raw")], connectors),
                directory: path, server: nil)
        case "configs":
            // A throw-away directory has nothing to do with the machine that rehearses.
            let path = place.directory + "/" + name
            return ThrowAwayTarget(
                plan: try target(
                    source, "configs",
                    [.init("directory", .string(escaped(path))), .init("compare", false)],
                    connectors), directory: path, server: nil)
        default:
            // Every other kind is restored into a directory.
            let path = place.directory + "/" + name
            return ThrowAwayTarget(
                plan: try directory(source, path, connectors), directory: path, server: nil)
        }
    }

    /// Trees have a `path`, what is staged has a `directory`.
    private static func directory(
        _ source: SourceRecord, _ path: String, _ connectors: [any Importer.Type]
    ) throws(Failure) -> TargetPlan {
        guard let type = connectors.first(where: { $0.sources.contains(source.kind) }) else {
            throw Failure(
                .unsupported, "no connector for kind \"\(source.kind)\" of the archive",
                hint: "Use a release of exeat that knows it.")
        }
        var failure: Failure?
        for key in ["path", "directory"] {
            do throws(Failure) {
                return try target(
                    source, type.kind, [.init(key, .string(escaped(path)))], connectors)
            } catch { failure = failure ?? error }
        }
        throw failure ?? Failure(.failed, "no target for source \"\(source.name)\"")
    }

    /// A target as if a plan had named it: JSON is YAML, too.
    private static func target(
        _ source: SourceRecord, _ kind: String, _ members: [JSON.Member],
        _ connectors: [any Importer.Type]
    ) throws(Failure) -> TargetPlan {
        let plan: JSON = [
            "exeat": 1, "trust": "-", "sign-with": "-",
            "targets": .object([
                .init(source.name, .object([.init("kind", .string(kind))] + members))
            ]),
        ]
        let parsed = try ImportPlan(
            parsing: Array(plan.pretty.utf8), file: "/the target of a rehearsal",
            kinds: connectors.map { $0.kind }, environment: [:]
        ) { target, problems in
            connectors.first { $0.kind == target.kind }?.check(target, problems)
        }
        guard let target = parsed.targets.first else {
            throw Failure(.failed, "no target for source \"\(source.name)\"")
        }
        return target
    }

    /// `${` begins a reference in a plan.
    private static func escaped(_ text: String) -> String {
        text.split(separator: "${", omittingEmptySubsequences: false).joined(separator: "$${")
    }

    /// Inside of quotes of a conninfo string.
    private static func quoted(_ text: String) -> String {
        String(text.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] })
    }

    /// Tablespaces that the archive names: a throw-away cluster has none of its own.
    private static func tablespaces(
        of source: SourceRecord, _ archive: OpenArchive
    ) throws(Failure) -> [String] {
        guard let list = source.artifacts.first(where: { $0.kind == "postgresql-contents" }) else {
            return []
        }
        var bytes: [UInt8] = []
        for segment in list.segments.indices {
            var stream = StreamSource(try archive.open(list, segment: segment))
            bytes += try stream.readAll(limit: 256 << 20)
        }
        var names: [String] = []
        for line in bytes.split(separator: 0x0a) {
            let json = try JSON(parsing: Array(line))
            if json["type"]?.string == "tablespace", let name = json["name"]?.string {
                names.append(name)
            }
        }
        return names
    }
}
