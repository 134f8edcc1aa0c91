import Redaction

/// What a comparison has to know about placeholders.
enum Placeholders {
    private static let prefix = Array("EXEAT-REDACTED-".utf8)
    private static let classes = SecretClass.allCases.map { Array($0.rawValue.utf8) }
        .sorted { $0.count > $1.count }

    /// The same bytes with placeholders of mode `reference` as mode `omit` writes them: without the keyed
    /// digest, which nobody can take again who lacks the key.
    static func withoutReferences(_ bytes: [UInt8]) -> [UInt8] {
        guard Placeholder.isContained(in: bytes) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            guard bytes[place] == prefix[0], bytes[place...].starts(with: prefix) else {
                result.append(bytes[place])
                place += 1
                continue
            }
            let name = place + prefix.count
            let word = classes.first { bytes[name...].starts(with: $0) } ?? []
            let end = name + word.count
            result += bytes[place..<end]
            place = end
            let digits = bytes[end...].dropFirst().prefix(32)
            if !word.isEmpty, end < bytes.count, bytes[end] == 0x2d, digits.count == 32,
                digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            {
                place = end + 33
            }
        }
        return result
    }
}
