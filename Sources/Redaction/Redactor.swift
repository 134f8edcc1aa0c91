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
    /// Larger content is not looked into, and counts as opaque.
    public static let largestContent = 64 << 20

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
        guard !content.isEmpty else {
            return RedactionResult(
                content: [], findings: [], isOpaqueSecret: false, isChanged: false)
        }
        if Placeholder.isPlaceholder(content) {
            return RedactionResult(
                content: content, findings: [], isOpaqueSecret: false, isChanged: false)
        }
        let kind = FileKind(path: path)
        guard content.count <= Redactor.largestContent else {
            return opaque(content, .opaque, "too-large")
        }
        if let wide = WideText(content) {
            let result = redactMarked(wide.utf8, kind)
            guard result.isChanged, !result.isOpaqueSecret else {
                return RedactionResult(
                    content: result.isChanged ? result.content : content, findings: result.findings,
                    isOpaqueSecret: result.isOpaqueSecret,
                    isChanged: result.isChanged)
            }
            return RedactionResult(
                content: wide.encoded(result.content), findings: result.findings,
                isOpaqueSecret: false, isChanged: true)
        }
        return BinaryContent.isBinary(content) || BinaryContent.der(content) != nil
            ? redactBinary(content, kind) : redactMarked(content, kind)
    }

    /// A text that may begin with a byte-order mark, which is no part of its first word.
    private func redactMarked(_ content: [UInt8], _ kind: FileKind) -> RedactionResult {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        guard content.starts(with: mark), content.count > mark.count else {
            return redactText(content, kind.adapted(to: content))
        }
        let text = Array(content.dropFirst(mark.count))
        let result = redactText(text, kind.adapted(to: text))
        guard !result.isOpaqueSecret else { return opaque(content, of: result) }
        let findings = result.findings.map {
            $0.line == 1 ? $0.moved(by: mark.count) : $0
        }
        return RedactionResult(
            content: mark + result.content, findings: findings, isOpaqueSecret: false,
            isChanged: result.isChanged)
    }

    /// The whole of a content whose text has been found to be a secret.
    private func opaque(_ content: [UInt8], of result: RedactionResult) -> RedactionResult {
        opaque(
            content, result.findings.first?.secretClass ?? .opaque,
            result.findings.first?.detector ?? "opaque")
    }

    private func redactBinary(_ content: [UInt8], _ kind: FileKind) -> RedactionResult {
        switch BinaryContent.verdict(on: content) {
        case .store(let name):
            return opaque(
                content, name == "private-key" || name == "openssh" ? .privateKey : .keyStore, name)
        case .harmless:
            // A program or picture may carry a token all the same; it cannot be taken out without breaking it.
            var inline = InlineScanner(
                TextScan(bytes: content, kind: kind, depth: TextScan.deepest))
            inline.scanKnownForms()
            return inline.spots.all.isEmpty && !kind.isSecretByPlace
                ? RedactionResult(
                    content: content, findings: [], isOpaqueSecret: false, isChanged: false)
                : opaque(content, .opaque, "binary")
        case .unknown:
            return opaque(content, kind.isSecretByPlace ? .keyStore : .opaque, "binary")
        }
    }

    private func redactText(_ content: [UInt8], _ kind: FileKind) -> RedactionResult {
        var current = content
        var findings: [Finding] = []
        // What stands after one round may show more: a second look costs time, a leak cannot be taken back.
        var isDone = false
        var shifts: [LineShifts] = []
        for _ in 0..<6 {
            var spots = TextScan(bytes: kind.spelledOut(current), kind: kind, depth: 0).found()
            spots.addRepeated()
            let settled = spots.settled()
            if settled.isEmpty {
                // A table has been read by its own rules, and what it leaves is known.
                let isTable =
                    kind.table != nil
                    && (!findings.isEmpty || Placeholder.isContained(in: current))
                if kind.isSecretByPlace, !isTable, !isUnderstood(current, kind) {
                    return opaque(content, .opaque, "place")
                }
                isDone = true
                break
            }
            let (next, found, shift) = replace(settled, in: current, earlier: shifts)
            findings += found
            if mode == .sealed {
                isDone = true
                break
            }
            shifts.append(shift)
            current = next
        }
        // What never comes to rest has not been understood.
        guard isDone else { return opaque(content, .opaque, "unstable") }
        findings.sort { ($0.line, $0.column) < ($1.line, $1.column) }
        let isChanged = mode != .sealed && !findings.isEmpty
        return RedactionResult(
            content: isChanged ? current : content, findings: findings, isOpaqueSecret: false,
            isChanged: isChanged)
    }

    /// Whether a text in the place of secrets shows that it is none: a certificate, a public key, settings, or what was redacted before.
    private func isUnderstood(_ bytes: [UInt8], _ kind: FileKind) -> Bool {
        if kind.isProse || bytes.starts(with: "#!".utf8) { return true }
        var position = 0
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            let line = bytes.trimmed(position..<end)
            position = end + 1
            if bytes.has("-----BEGIN ", at: line.lowerBound) {
                // What is between has been read with the block.
                position =
                    bytes.position(of: Array("-----END ".utf8), from: line.lowerBound)
                    .map { bytes.endOfLine($0) + 1 } ?? bytes.count
                continue
            }
            // The public half of a key of PuTTY.
            if line.count > 14, bytes.has("Public-Lines: ", at: line.lowerBound) {
                var count = bytes[(line.lowerBound + 14)..<line.upperBound].prefix(4).reduce(0) {
                    $0 * 10 + Int($1 & 15)
                }
                while count > 0, position < bytes.count {
                    position = bytes.endOfLine(position) + 1
                    count -= 1
                }
                continue
            }
            if Placeholder.isContained(in: Array(bytes[line])) || isPublicKey(line, of: bytes) {
                continue
            }
            guard !line.isEmpty,
                ![0x23, 0x3b, 0x5b, 0x7b, 0x7d, 0x5d, 0x3c, 0x2d].contains(bytes[line.lowerBound])
            else { continue }
            // Directives: key "rndc-key" {
            if let last = bytes[line].last, [0x7b, 0x3b, 0x7d].contains(last) { continue }
            let name = bytes[line].prefix {
                $0.isWordOrDash || $0 == 0x2e || $0.isSpace || $0 == 0x22
            }
            guard name.count < line.count, name.count > 1,
                [0x3d, 0x3a].contains(bytes[name.endIndex]), !isPadded(line, of: bytes)
            else { return false }
        }
        return true
    }

    /// Whole groups of base64 with its padding at the end: no name with an empty value.
    private func isPadded(_ line: Range<Int>, of bytes: [UInt8]) -> Bool {
        line.count % 4 == 0 && bytes[line].last == 0x3d
            && bytes[line].drop(while: { $0 != 0x3d }).allSatisfy { $0 == 0x3d }
    }

    /// `ssh-ed25519 AAAA… comment`, also with options in front.
    private func isPublicKey(_ line: Range<Int>, of bytes: [UInt8]) -> Bool {
        ["ssh-", "ecdsa-", "sk-", "AAAA"].contains { bytes[line].starts(with: $0.utf8) }
            || bytes.position(
                of: Array(" AAAA".utf8), from: line.lowerBound, before: line.upperBound) != nil
    }

    private func replace(_ spots: [Spot], in content: [UInt8], earlier: [LineShifts])
        -> ([UInt8], [Finding], LineShifts)
    {
        var shifts = LineShifts()
        var output: [UInt8] = []
        output.reserveCapacity(content.count)
        var findings: [Finding] = []
        var place = Place()
        var copied = 0
        for spot in spots {
            let placeholder = Placeholder.text(
                spot.secretClass, reference: key?.reference(to: Array(content[spot.range])))
            place.advance(to: spot.range.lowerBound, in: content)
            findings.append(
                Finding(
                    secretClass: spot.secretClass, detector: spot.detector,
                    line: earlier.reversed().reduce(place.line) { $1.before($0) },
                    column: place.column,
                    key: spot.key.flatMap(Redactor.publicName),
                    placeholder: mode == .sealed ? nil : placeholder))
            output += content[copied..<spot.range.lowerBound]
            if spot.needsQuotes { output.append(0x22) }
            output += placeholder.utf8
            if spot.needsQuotes { output.append(0x22) }
            copied = spot.range.upperBound
            shifts.note(content[spot.range].count { $0 == 0x0a }, at: place.line)
        }
        output += content[copied...]
        return (output, findings, shifts)
    }

    /// A name that may stand in a catalogue: made of words, and none of them looks drawn at random.
    private static func publicName(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        guard bytes.count <= 96,
            bytes.allSatisfy({ $0.isWordOrDash || [0x2e, 0x2f, 0x3a, 0x20].contains($0) })
        else { return nil }
        for word in bytes.split(whereSeparator: { !$0.isAlphanumeric }) where word.count >= 8 {
            if Randomness.tenths(of: word) >= 48 { return nil }
        }
        return name
    }

    private func opaque(_ content: [UInt8], _ secretClass: SecretClass, _ detector: String)
        -> RedactionResult
    {
        let placeholder = Placeholder.text(secretClass, reference: key?.reference(to: content))
        let finding = Finding(
            secretClass: secretClass, detector: detector, line: 0, column: 0, key: nil,
            placeholder: mode == .sealed ? nil : placeholder)
        return RedactionResult(
            content: mode == .sealed ? content : Array(placeholder.utf8) + [0x0a],
            findings: [finding], isOpaqueSecret: true, isChanged: mode != .sealed)
    }
}
