public import Basics
public import Manifests
public import Streams

/// Reads what one source of an archive holds and takes its content digests again, without a target.
///
/// The run calls `audit` for every slice, from several lanes at once, then `conclude`.
public protocol Auditor: Sendable {
    static var kind: String { get }

    init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure)

    var slices: Int { get }

    func audit(_ slice: Int) throws(Failure)

    func conclude() throws(Failure) -> [ImportResult.Comparison]
}

extension ImportResult.Comparison {
    public var json: JSON {
        [
            "name": .string(name), "expected": .string(expected), "found": .string(found),
            "equal": .bool(equal),
        ]
    }
}
