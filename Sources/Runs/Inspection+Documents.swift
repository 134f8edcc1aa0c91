public import Basics
import Connectors
import Manifests
import Streams

extension Inspection {
    /// A document that an archive holds as an artifact of its own.
    public struct Document: Sendable {
        public let source: String
        public let name: String
        public let bytes: [UInt8]
    }

    /// Longer artifacts are no documents.
    private static let largestDocument: Int64 = 1 << 28

    /// The artifacts of a kind as they are stored. Needs the key of an archive that is encrypted.
    public func documents(of kind: String) throws(Failure) -> [Document] {
        let archive = try opened()
        var documents: [Document] = []
        for source in archive.manifest.sources {
            for record in source.artifacts where record.kind == kind {
                guard record.plainBytes <= Self.largestDocument else {
                    throw Failure(
                        .manifestMalformed, "the document \"\(record.name)\" is too large to be one"
                    )
                }
                var bytes: [UInt8] = []
                var chunk = Chunk()
                for segment in record.segments.indices {
                    let stream = try archive.open(record, segment: segment)
                    repeat {
                        try stream.read(into: &chunk)
                        try unsafe chunk.withBytes { (part) throws(Failure) in
                            unsafe bytes.append(contentsOf: part)
                        }
                    } while !chunk.isEmpty
                }
                documents.append(Document(source: source.name, name: record.name, bytes: bytes))
            }
        }
        return documents
    }
}
