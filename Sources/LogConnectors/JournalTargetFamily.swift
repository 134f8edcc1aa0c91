import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Plans
import Primitives
import Streams
import Synchronization

/// The journal on its way to a target: entries through systemd-journal-remote into journal files, one
/// set for each machine and boot; raw journal files as they were.
///
/// A stream is one unit, since its entries must stay in order. What is being written lies in a
/// directory that journalctl does not look into; whole files are renamed into place.
final class JournalTargetFamily: LogTargetFamily {
    static let artifactKinds = ["journal", "journal-file"]

    private let target: LogsTarget
    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    /// Places of our artifacts in the source.
    private let streams: [Int]
    private let files: [Int]
    private let found = Mutex<[Int: JournalChain]>([:])
    private let raw = Mutex<[Int: JSON.Member]>([:])

    init(
        _ target: LogsTarget, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        self.target = target
        self.source = source
        self.artifacts = artifacts
        self.room = room
        streams = source.artifacts.indices.filter { source.artifacts[$0].kind == "journal" }
        files = source.artifacts.indices.filter { source.artifacts[$0].kind == "journal-file" }
    }

    /// Where the files of a stream go: what `journalctl --directory` reads.
    private func place(_ artifact: Int) throws(Failure) -> (directory: String, name: String) {
        let parts = source.artifacts[artifact].name.split(separator: "/")
        guard parts.count == 2, let machine = JournalID(parts[0]), let boot = JournalID(parts[1])
        else {
            throw Failure(
                .manifestMalformed,
                "\"\(source.artifacts[artifact].name)\" names no machine and boot")
        }
        return ("\(target.directory)/\(machine)", "boot-\(boot)")
    }

    /// Where a raw file goes, by its place among them and its last name.
    private func rawPath(_ artifact: Int) -> String {
        let name = Files.lastComponent(of: source.artifacts[artifact].name)
        let number = files.firstIndex(of: artifact) ?? 0
        return "\(target.directory)/verbatim/\(number)-\(name)"
    }

    /// Where a stream or a file is written until it is whole. Of this process alone: a program that an
    /// import has started may outlive it for a moment, and must not write among our files.
    private func partial(_ artifact: Int) -> String {
        "\(target.directory)/\(Self.partialName(artifact))\(getpid())"
    }

    private static func partialName(_ artifact: Int) -> String { ".exeat-partial-\(artifact)-" }

    /// Removes what earlier attempts have left, but for a directory that is whole.
    private func removePartials(_ artifact: Int, keeping kept: String?) throws(Failure) {
        for name in try Files.names(in: target.directory)
        where name.hasPrefix(Self.partialName(artifact)) && name != kept {
            try Files.remove("\(target.directory)/\(name)")
        }
    }

    /// Names of the files that came of a stream, once all of them are whole.
    private func record(_ artifact: Int) -> String { "\(room.directory)/files-\(artifact)" }

    func prepare() throws(Failure) -> ImportOutline {
        try refuseStrangers()
        if !streams.isEmpty { _ = try JournalRemote.program() }
        let units = (streams + files).map { SegmentNumber(artifact: $0, segment: 0) }
        return ImportOutline(
            rounds: units.isEmpty ? [] : [units], slices: units.count,
            bytes: (streams + files).reduce(0) { $0 + source.artifacts[$1].plainBytes })
    }

    func begin() throws(Failure) {
        // One may have come while other sources were checked.
        try refuseStrangers()
        if target.existing == .replace {
            for path in try strangers() { try Files.remove(path) }
        }
    }

    private func refuseStrangers() throws(Failure) {
        guard target.existing != .replace, let path = try strangers().first else { return }
        throw Failure(
            .targetOccupied, "\"\(path)\" is there already, and not of this import",
            hint: "Name an empty directory, or move the file away.")
    }

    /// What is not of this import, where its files go.
    private func strangers() throws(Failure) -> [String] {
        var paths: [String] = []
        for artifact in streams {
            let (directory, name) = try place(artifact)
            if Files.exists(record(artifact)) { continue }
            for other in (try? Files.names(in: directory)) ?? []
            where other == name + ".journal" || other.hasPrefix(name + "@") {
                paths.append(directory + "/" + other)
            }
        }
        for artifact in files
        where Files.exists(rawPath(artifact)) && !Files.exists(record(artifact)) {
            paths.append(rawPath(artifact))
        }
        return paths
    }

    // MARK: - Replay

    func replay(_ unit: SegmentNumber) throws(Failure) {
        if files.contains(unit.artifact) { return try replayRaw(unit.artifact) }
        let (directory, name) = try place(unit.artifact)
        if !Files.exists(record(unit.artifact)) {
            // Nobody can go on with a half journal file: it is made again.
            try removePartials(unit.artifact, keeping: nil)
            try write(unit.artifact, into: partial(unit.artifact), name: "\(name).journal")
        }
        let (partial, names) = try written(unit.artifact)
        try Files.makeDirectory(directory)
        let whole = "\(target.directory)/\(partial)"
        for name in names where Files.exists("\(whole)/\(name)") {
            guard unsafe link("\(whole)/\(name)", "\(directory)/\(name)") == 0 || errno == EEXIST
            else { throw Failure(errno: errno, "cannot make \"\(directory)/\(name)\"") }
        }
        try Files.syncDirectory(of: directory + "/x")
        try removePartials(unit.artifact, keeping: nil)
        room.progress.add(objects: 1)
    }

    /// Writes a stream, and notes the files that came of it once they are on the disk.
    private func write(_ artifact: Int, into partial: String, name: String) throws(Failure) {
        try Files.makeDirectory(partial, mode: 0o750)
        let remote = try JournalRemote(writing: "\(partial)/\(name)")
        let record = source.artifacts[artifact]
        for segment in record.segments.indices {
            try remote.feed(try artifacts.open(record, segment: segment), room.progress)
        }
        try remote.finish(room.progress)
        let names = try Files.names(in: partial)
        for name in names { try Self.sync("\(partial)/\(name)") }
        try Files.syncDirectory(of: partial + "/x")
        let json: JSON = [
            "directory": .string(Files.lastComponent(of: partial)),
            "files": .array(names.map { .string($0) }),
        ]
        try Files.write(json.canonical, to: self.record(artifact), mode: 0o600)
    }

    private func written(_ artifact: Int) throws(Failure) -> (directory: String, files: [String]) {
        let json = try JSON(parsing: Files.read(record(artifact)))
        guard let directory = json["directory"]?.string, let files = json["files"]?.array else {
            throw Failure(.failed, "the record \"\(record(artifact))\" is damaged")
        }
        return (directory, files.compactMap(\.string))
    }

    private func names(_ artifact: Int) throws(Failure) -> [String] {
        try written(artifact).files
    }

    private static func sync(_ path: String) throws(Failure) {
        try Descriptor(opening: path, O_RDONLY).sync()
    }

    private func replayRaw(_ artifact: Int) throws(Failure) {
        let path = rawPath(artifact)
        let partial = partial(artifact)
        let record = source.artifacts[artifact]
        if Files.exists(path), Files.exists(self.record(artifact)) { return }
        try removePartials(artifact, keeping: nil)
        try Files.makeDirectory(Files.parent(of: path))
        let file = try Descriptor(
            opening: partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640)
        var chunk = Chunk()
        for segment in record.segments.indices {
            let stream = try artifacts.open(record, segment: segment)
            repeat {
                try room.progress.checkCancelled()
                try stream.read(into: &chunk)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    try unsafe file.writeAll(bytes)
                    room.progress.add(bytes: Int64(bytes.count), stored: Int64(bytes.count))
                }
            } while !chunk.isEmpty
        }
        try file.sync()
        try Files.write(Array("[]".utf8), to: self.record(artifact), mode: 0o600)
        try Files.rename(partial, to: path)
        room.progress.add(objects: 1)
    }

    func finish() throws(Failure) {}

    // MARK: - Comparison

    func compare(_ slice: Int) throws(Failure) {
        guard slice < streams.count else {
            let artifact = files[slice - streams.count]
            let digest = try rawDigest(artifact)
            return raw.withLock { $0[artifact] = digest }
        }
        let artifact = streams[slice]
        let (directory, _) = try place(artifact)
        let chain = try JournalControl.chain(
            of: try names(artifact).map { "\(directory)/\($0)" }, room.progress)
        found.withLock { $0[artifact] = chain }
    }

    private func rawDigest(_ artifact: Int) throws(Failure) -> JSON.Member {
        let path = rawPath(artifact)
        let file = SharedDescriptor(
            try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW), name: "\"\(path)\"")
        let size = Int64(try file.descriptor.status().st_size)
        var digests: [String] = []
        var from: Int64 = 0
        for segment in source.artifacts[artifact].segments {
            var hasher = SHA256()
            var chunk = Chunk()
            let length = min(segment.plainBytes, max(0, size - from))
            var source = FileSource(file, from: from, size: length)
            repeat {
                try room.progress.checkCancelled()
                try source.read(into: &chunk)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe hasher.update(bytes)
                }
            } while !chunk.isEmpty
            digests.append(hasher.finish().hex)
            from += segment.plainBytes
        }
        guard size == from else {
            return .init("sha256", .string("of \(size) bytes in place of \(from)"))
        }
        return RawJournal.digest(digests)
    }

    func conclude(counting: Bool) throws(Failure) -> ImportResult {
        var result = ImportResult(
            comparisons: [], differences: [], differenceCount: 0, shortfalls: [],
            shortfallCount: 0, counts: [], mappings: [:])
        var entries: Int64 = 0
        for artifact in streams {
            let record = source.artifacts[artifact]
            var chain = found.withLock { $0[artifact] }
            if chain == nil, counting {
                let (directory, _) = try place(artifact)
                chain = try JournalControl.chain(
                    of: try names(artifact).map { "\(directory)/\($0)" }, room.progress)
            }
            guard let chain else { continue }
            entries += chain.entries
            let before = result.comparisons.filter { !$0.equal }.count
            result.add(record, chain, digests: !counting)
            if result.comparisons.filter({ !$0.equal }).count > before {
                result.differenceCount += 1
                result.differences.append(["stream": .string(record.name)])
            }
        }
        for artifact in files {
            let record = source.artifacts[artifact]
            guard let digest = raw.withLock({ $0[artifact] }), let expected = record.digests.first
            else { continue }
            result.comparisons.append(
                .init(
                    expected.key, of: .init("journal", record.name),
                    name: "\(record.name) \(expected.key)", expected: expected.value.string ?? "",
                    found: digest.value.string ?? ""))
        }
        result.counts = [
            .init("journal-entries", .integer(entries)),
            .init("journal-files", .integer(Int64(files.count))),
        ]
        return result
    }
}

extension ImportResult {
    /// Holds a stream against what was sealed of it: how many entries, the first and the last, and the
    /// chain over all of them.
    mutating func add(_ record: ArtifactRecord, _ chain: JournalChain, digests: Bool) {
        comparisons += chain.comparisons(with: record, digests: digests)
    }
}

extension JournalChain {
    func comparisons(
        with record: ArtifactRecord, digests: Bool
    ) -> [ImportResult.Comparison] {
        func text(_ members: [JSON.Member], _ key: String) -> String {
            switch members.first(where: { $0.key == key })?.value {
            case .integer(let number): String(number)
            case .string(let text): text
            default: "none"
            }
        }
        let stream = ImportResult.Comparison.Object("stream", record.name)
        let keys = ["entries", "firstMicroseconds", "lastMicroseconds"]
        var comparisons = keys.map {
            ImportResult.Comparison(
                $0, of: stream, name: "\(record.name) \($0)", expected: text(record.counts, $0),
                found: text(counts, $0))
        }
        if digests {
            comparisons.append(
                .init(
                    Self.digestName, of: stream, name: "\(record.name) \(Self.digestName)",
                    expected: text(record.digests, Self.digestName), found: head.hex))
        }
        return comparisons
    }
}
