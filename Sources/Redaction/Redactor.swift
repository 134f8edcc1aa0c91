import Basics

/// Takes the secrets out of configuration files, and says where they were.
///
/// A file is read by the structure its content shows, and line by line as well. What may stay is what
/// is understood: a value under a name that speaks of a secret goes unless its form proves it harmless
/// (empty, a switch, a path, a reference to elsewhere), a value under any other name goes if it looks
/// random, and a file that cannot be read goes as a whole. Nothing is thrown, and no value is ever part of a finding.
///
/// Redaction is a function of path, content, mode and key; to redact the outcome again changes nothing. It takes
/// time in proportion to the content, and memory of a few times its size.
public struct Redactor: Sendable {
    public let mode: RedactionMode
    private let key: RedactionKey?

    /// - Parameter key: what placeholders of mode `reference` are made with; the other modes need none.
    ///
    /// Throws `.invalidValue` where mode `reference` has no key.
    public init(mode: RedactionMode, key: RedactionKey? = nil) throws(Failure) {
        guard mode != .reference || key != nil else {
            throw Failure(.invalidValue, "references to secrets need a key")
        }
        self.mode = mode
        self.key = mode == .reference ? key : nil
    }

    /// - Parameters:
    ///   - path: the file's name with its directories as they are on the source; they say a lot about the content.
    ///   - content: the whole file.
    public func redact(path: [UInt8], content: [UInt8]) -> RedactionResult {
        let kind = FileKind(path: path)
        var lines = LineScanner(content, kind: kind)
        lines.scan(0..<content.count)
        var inline = InlineScanner(content)
        inline.scan(0..<content.count)
        var spots = Spots(content)
        spots.add(contentsOf: lines.spots)
        spots.add(contentsOf: inline.spots)
        let settled = spots.settled()
        var output: [UInt8] = []
        output.reserveCapacity(content.count)
        var findings: [Finding] = []
        var place = Place()
        var copied = 0
        for spot in settled {
            let placeholder = Placeholder.text(spot.secretClass, reference: key?.reference(to: Array(content[spot.range])))
            place.advance(to: spot.range.lowerBound, in: content)
            findings.append(
                Finding(
                    secretClass: spot.secretClass, detector: spot.detector, line: place.line, column: place.column,
                    key: spot.key, placeholder: mode == .sealed ? nil : placeholder))
            output += content[copied..<spot.range.lowerBound]
            output += placeholder.utf8
            copied = spot.range.upperBound
        }
        output += content[copied...]
        let isKept = mode == .sealed || settled.isEmpty
        return RedactionResult(content: isKept ? content : output, findings: findings, isOpaqueSecret: false, isChanged: !isKept)
    }
}

/// Line and column of a byte, found while going forward.
struct Place {
    private(set) var line = 1
    private var lineStart = 0
    private var position = 0

    var column: Int { position - lineStart + 1 }

    mutating func advance(to target: Int, in bytes: [UInt8]) {
        while let hit = bytes.position(of: 0x0a, from: position, before: target) {
            line += 1
            lineStart = hit + 1
            position = hit + 1
        }
        position = target
    }
}
