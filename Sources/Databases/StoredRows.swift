public import Basics
public import Connectors
import Glibc
public import Manifests
public import Primitives
public import Streams

/// Count and digest of the rows of each segment, kept in the room of an export.
public struct RowNotes: Sendable {
    private let directory: String

    public init(directory: String) { self.directory = directory }

    private func path(_ number: SegmentNumber) -> String {
        "\(directory)/rows-\(number.artifact)-\(number.segment)"
    }

    /// - Parameter longest: the bytes of the longest row, where that is known.
    public func write(
        _ digest: MultisetDigest, longest: Int = 0, for number: SegmentNumber
    ) throws(Failure) {
        try Files.write(
            Array("\(digest.count) \(digest.sum.hex) \(longest)".utf8), to: path(number),
            mode: 0o600)
    }

    /// The sum over all segments of an artifact, and the bytes of the longest row.
    public func total(
        artifact: Int, segments: Int
    ) throws(Failure) -> (rows: MultisetDigest, longest: Int) {
        var total = (rows: MultisetDigest(), longest: 0)
        for segment in 0..<segments {
            let path = path(SegmentNumber(artifact: artifact, segment: segment))
            let parts = try Files.readText(path).split(separator: " ")
            guard parts.count == 3, let count = Int64(parts[0]),
                let sum = Digest256(hex: parts[1]), let longest = Int(parts[2])
            else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
            total.rows.add(MultisetDigest(sum: sum, count: count))
            total.longest = max(total.longest, longest)
        }
        return total
    }
}

extension Conclusion {
    /// Of an artifact that holds rows.
    public mutating func set(rows: MultisetDigest) {
        digests = [.init("rows-sha256-sum", .string(rows.sum.hex))]
        counts = [.init("rows", .integer(rows.count))]
    }
}

extension ArtifactRecord {
    /// Row count and digest that the export took; nil for artifacts without rows.
    public var rows: MultisetDigest? {
        guard let count = counts.first(where: { $0.key == "rows" })?.value.integer,
            let sum = digests.first(where: { $0.key == "rows-sha256-sum" })?.value.string,
            let digest = Digest256(hex: sum)
        else { return nil }
        return MultisetDigest(sum: digest, count: count)
    }

    /// The whole plaintext of a script or a list; at most 1 GiB.
    public func read(from artifacts: any ArtifactSource) throws(Failure) -> [UInt8] {
        guard plainBytes <= 1 << 30 else {
            throw Failure(.databaseContent, "\(name) is larger than a script may be")
        }
        var bytes: [UInt8] = []
        var chunk = Chunk()
        for segment in segments.indices {
            let stream = try artifacts.open(self, segment: segment)
            repeat {
                try stream.read(into: &chunk)
                try unsafe chunk.withBytes { (part) throws(Failure) in
                    unsafe bytes.append(contentsOf: part)
                }
            } while !chunk.isEmpty
        }
        return bytes
    }
}

/// A file of the room as a segment.
public enum RoomFile {
    public static func copy(
        _ path: String, into sink: inout some ByteSink & ~Copyable, _ progress: Progress
    ) throws(Failure) {
        let file = SharedDescriptor(try Descriptor(opening: path, O_RDONLY), name: "\"\(path)\"")
        var source = FileSource(file, from: 0, size: Int64(try file.descriptor.status().st_size))
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
                progress.add(bytes: Int64(bytes.count))
            }
        } while !chunk.isEmpty
    }
}

/// As one word of a POSIX shell.
public func shellQuoted(_ text: String) -> String {
    // By scalars: a quote stays one whatever combines with it.
    "'" + text.unicodeScalars.reduce(into: "") { $0 += $1 == "'" ? "'\\''" : String($1) } + "'"
}

/// The rows of an archive, read through again.
public enum StoredRows {
    /// Gives every row of an artifact to `body`.
    public static func each(
        of record: ArtifactRecord, from artifacts: any ArtifactSource, _ progress: Progress,
        _ body: ([UInt8]) -> Void
    ) throws(Failure) {
        var splitter = RowSplitter()
        var chunk = Chunk()
        for segment in record.segments.indices {
            let stream = try artifacts.open(record, segment: segment)
            repeat {
                try progress.checkCancelled()
                try stream.read(into: &chunk)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe splitter.split(bytes, body)
                }
            } while !chunk.isEmpty
        }
    }

    /// Count and digest of a segment.
    public static func digest(
        of record: ArtifactRecord, segment: Int, from artifacts: any ArtifactSource,
        salt: [UInt8], _ progress: Progress
    ) throws(Failure) -> MultisetDigest {
        let stream = try artifacts.open(record, segment: segment)
        var hasher = RowHasher(salt: salt)
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe hasher.update(lines: bytes)
                progress.add(bytes: Int64(bytes.count))
            }
        } while !chunk.isEmpty
        guard hasher.isAtEnd else {
            throw Failure(.databaseContent, "a segment of \(record.name) ends inside a row")
        }
        return hasher.digest
    }
}
