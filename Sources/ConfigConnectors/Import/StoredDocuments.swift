import Basics
import Connectors
import Manifests
import Primitives
import Streams

/// The documents of a stored source: facts, and the list of secrets.
struct StoredDocuments: Sendable {
    struct Document: Sendable {
        let name: String
        let bytes: [UInt8]
        let expected: String
        let found: String
    }

    private(set) var documents: [Document] = []

    static let largest: Int64 = 1 << 28

    init(_ source: SourceRecord, from artifacts: any ArtifactSource) throws(Failure) {
        for record in source.artifacts where Self.isDocument(record) {
            let bytes = try Self.read(record, from: artifacts)
            documents.append(
                Document(
                    name: record.name, bytes: bytes, expected: Self.expected(record),
                    found: Self.digest(record, bytes)))
        }
    }

    static func isDocument(_ record: ArtifactRecord) -> Bool {
        record.format == "json" && (record.kind == "facts" || record.kind == "secret-list")
    }

    static func read(
        _ record: ArtifactRecord, from artifacts: any ArtifactSource
    ) throws(Failure) -> [UInt8] {
        guard record.plainBytes <= largest else {
            throw Failure(
                .manifestMalformed, "the document \"\(record.name)\" is too large to be one")
        }
        var bytes: [UInt8] = []
        var chunk = Chunk()
        for segment in record.segments.indices {
            let stream = try artifacts.open(record, segment: segment)
            repeat {
                try stream.read(into: &chunk)
                try unsafe chunk.withBytes { (part) throws(Failure) in
                    unsafe bytes.append(contentsOf: part)
                }
            } while !chunk.isEmpty
        }
        return bytes
    }

    private static func digestName(_ record: ArtifactRecord) -> String {
        record.kind == "facts" ? FactDocument.digestName : "sha256"
    }

    static func expected(_ record: ArtifactRecord) -> String {
        record.digests.first { $0.key == digestName(record) }?.value.string ?? ""
    }

    /// The digest that a document has; of one that cannot be read as what it is, a word that is none.
    static func digest(_ record: ArtifactRecord, _ bytes: [UInt8]) -> String {
        guard record.kind == "facts" else { return SHA256.hash(bytes).hex }
        guard let document = try? FactDocument(parsing: bytes), document.text == bytes else {
            return "malformed"
        }
        return document.digest.hex
    }
}
