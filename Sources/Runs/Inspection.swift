import Bags
public import Basics
import Connectors
import Manifests
import Streams

/// `exeat inspect`: what an archive says it holds. Nothing is verified, and the result says so.
public struct Inspection: Sendable {
    /// What the archive says about itself in clear.
    public let catalogue: JSON
    public let seal: JSON
    /// Null where the manifest is encrypted and no key was given.
    public let manifest: JSON
    private let archive: OpenArchive?

    public static func run(_ archive: String, keys: ArchiveKeys) throws(Failure) -> Inspection {
        let bag = try Bag(opening: archive).unverified()
        let catalogue = try Catalogue.read(from: bag)
        let seal = try JSON(parsing: bag.read(Seal.path))
        let isEncrypted = bag.entries.contains { $0.path.text == "exeat/manifest.json.age" }
        if isEncrypted, keys.isEmpty {
            return Inspection(catalogue: catalogue, seal: seal, manifest: .null, archive: nil)
        }
        let open = try OpenArchive(bag, keys: keys)
        return Inspection(
            catalogue: catalogue, seal: seal, manifest: open.manifest.json, archive: open)
    }

    /// Hands out what the index has below a path, `source` or `source/path/in/it`, line by line: an
    /// index may be longer than memory.
    public func list(
        _ path: String, _ body: (JSON) throws(Failure) -> Void
    ) throws(Failure) {
        try Self.list(path, in: opened(), body)
    }

    /// The archive with its names.
    func opened() throws(Failure) -> OpenArchive {
        guard let archive else {
            throw Failure(
                .ageNoMatch, "names in this archive are encrypted",
                hint: "Give the age identity with --decrypt-with FILE.")
        }
        return archive
    }

    private static func list(
        _ path: String, in archive: OpenArchive, _ body: (JSON) throws(Failure) -> Void
    ) throws(Failure) {
        let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let source = archive.manifest.sources.first(where: { $0.name == parts[0] }) else {
            throw Failure(
                .notFound, "the archive has no source \"\(parts[0])\"",
                hint: "Its sources are: "
                    + archive.manifest.sources.map(\.name).joined(separator: ", ") + ".")
        }
        var prefix = Array((parts.count > 1 ? parts[1] : "").utf8)
        while prefix.last == 0x2f { prefix.removeLast() }
        var isThere = prefix.isEmpty
        for record in source.artifacts where record.format == "jsonl" {
            for segment in record.segments.indices {
                let stream = try archive.open(record, segment: segment)
                try eachLine(of: stream) { (line) throws(Failure) in
                    let json = try JSON(parsing: line)
                    let name = Self.name(json)
                    if prefix.isEmpty || name == prefix || name.starts(with: prefix + [0x2f]) {
                        isThere = true
                        try body(json)
                    }
                }
            }
        }
        guard isThere else {
            throw Failure(
                .notFound, "source \"\(parts[0])\" holds no \"\(parts[1])\"",
                hint: "Ask for the source alone to see all that it holds.")
        }
    }

    /// The bytes of a path, UTF-8 or not.
    private static func name(_ line: JSON) -> [UInt8] {
        line["path"]?.string.map { Array($0.utf8) }
            ?? line["path64"]?.string.flatMap { Base64.decode($0) } ?? []
    }

    private static func eachLine(
        of stream: SegmentStream, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        var chunk = Chunk()
        var line: [UInt8] = []
        repeat {
            try stream.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                for index in bytes.indices {
                    let byte = unsafe bytes[index]
                    if byte == 0x0a {
                        try body(line)
                        line.removeAll(keepingCapacity: true)
                    } else {
                        line.append(byte)
                    }
                }
            }
        } while !chunk.isEmpty
    }

    public var json: JSON {
        [
            "verified": false, "seal": seal, "catalogue": catalogue, "manifest": manifest,
        ]
    }

    public func text(size: (Int64) -> String) -> String {
        let predicate = seal["predicate"]
        var lines = [
            "archive   \(predicate?["name"]?.string ?? "?") (\(predicate?["bag"]?.string ?? "?"))",
            "sealed    \(predicate?["createdAt"]?.string ?? "?") by "
                + "\(predicate?["signer"]?["principal"]?.string ?? "?"), as it says itself",
            "objects   \(catalogue["exported"]?.integer ?? 0) of "
                + "\(catalogue["expected"]?.integer ?? 0), "
                + "\(catalogue["omitted"]?.integer ?? 0) omitted",
        ]
        let isReadable = manifest != .null
        for source in (isReadable ? manifest : catalogue)["sources"]?.array ?? [] {
            let name = source["name"]?.string ?? source["folder"]?.string ?? "?"
            lines.append("source    \(name) (\(source["kind"]?.string ?? "?"))")
            if source["kind"]?.string == "logs", let facts = source["facts"] {
                lines += InspectedFacts.lines(facts)
            }
            for artifact in source["artifacts"]?.array ?? [] {
                let stored =
                    artifact["bytes"]?.integer
                    ?? (artifact["segments"]?.array ?? []).reduce(0) {
                        $0 &+ ($1["bytes"]?.integer ?? 0)
                    }
                // Only the manifest has names.
                let name = artifact["name"]?.string.map { " \($0)," } ?? ""
                lines.append(
                    "  \(artifact["folder"]?.string ?? "?"):\(name) "
                        + "\(artifact["kind"]?.string ?? "?"), "
                        + "\(artifact["format"]?.string ?? "?"), \(size(stored)) stored")
            }
            for omission in source["omissions"]?["lines"]?.array ?? [] {
                let name =
                    omission["object"]?.string
                    ?? String(decoding: Self.name(omission), as: UTF8.self)
                lines.append(
                    "  omitted: \(name) "
                        + "(\(omission["reason"]?.string ?? "?"))")
            }
            lines += more(source)
        }
        if !isReadable { lines.append("names are encrypted: --decrypt-with FILE shows them") }
        lines.append("nothing was verified: \"exeat verify\" does that")
        return lines.joined(separator: "\n")
    }

    /// How many omissions the manifest counts and does not list, and where they stand.
    private func more(_ source: JSON) -> [String] {
        guard let listed = source["omissions"]?["lines"]?.array?.count,
            let total = source["omissions"]?["total"]?.integer, total > Int64(listed)
        else { return [] }
        let hasIndex = (source["artifacts"]?.array ?? []).contains {
            $0["kind"]?.string == "file-index"
        }
        return [
            "  omitted: \(total - Int64(listed)) more"
                + (hasIndex
                    ? "; \"exeat inspect ARCHIVE \(source["name"]?.string ?? "SOURCE")\" lists all"
                    : ", counted alone")
        ]
    }

    /// A line of the index for people.
    public static func text(of line: JSON, _ size: (Int64) -> String) -> String {
        let name = String(decoding: name(line), as: UTF8.self)
        if let reason = line["omitted"]?.string { return "omitted (\(reason))  \(name)" }
        let link = line["link"]?.string.map { " -> \($0)" } ?? ""
        return "\(line["type"]?.string ?? "?")  \(line["mode"]?.string ?? "    ")  "
            + "\(line["size"]?.integer.map(size) ?? "-")  \(name)\(link)"
    }
}
