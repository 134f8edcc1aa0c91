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

extension [ImportResult.Comparison] {
    /// For what travels: an object is a number, and the lists that stay have its name.
    public var nameless: [JSON] {
        var numbers: [ImportResult.Comparison.Object: Int] = [:]
        return map { comparison in
            var numbered = comparison
            numbered.name = comparison.measure
            if let object = comparison.object {
                let number = numbers[object] ?? numbers.keys.count { $0.kind == object.kind } + 1
                numbers[object] = number
                numbered.name += " of \(object.kind) \(number)"
            }
            return numbered.json
        }
    }
}
