/// Communities of SNMP that are called a name: in exports of MikroTik below `/snmp community`, in configurations of FortiOS
/// between `config system snmp community` and its `end`.
struct CommunityScanner {
    private let bytes: [UInt8]
    private(set) var spots: Spots

    init(_ scan: TextScan) {
        bytes = scan.bytes
        spots = Spots(scan.bytes)
    }

    private static let marks = Redaction.bytes(of: ["snmp community", "snmp/community"])

    mutating func run() {
        guard CommunityScanner.marks.contains(where: { bytes.position(of: $0, from: 0) != nil })
        else { return }
        var isMenu = false
        var depth = 0
        var line = 0
        while line < bytes.count {
            let end = bytes.endOfLine(line)
            let words = Words.split(bytes.trimmed(line..<end), of: bytes)
            line = end + 1
            guard let first = words.first else { continue }
            let texts = words.prefix(4).map { bytes.word($0) }
            if bytes[first.lowerBound] == 0x2f {
                isMenu =
                    texts.starts(with: ["/snmp", "community"]) || texts[0] == "/snmp/community"
            }
            if isMenu { assigned(words) }
            if depth == 0 {
                if texts == ["config", "system", "snmp", "community"] { depth = 1 }
            } else if texts[0] == "config" {
                depth += 1
            } else if texts[0] == "end" {
                depth -= 1
            } else if depth == 1, words.count > 2, texts[0] == "set", texts[1] == "name" {
                add(words[2])
            }
        }
    }

    private mutating func assigned(_ words: [Range<Int>]) {
        for word in words where bytes.has("name=", at: word.lowerBound) {
            add((word.lowerBound + 5)..<word.upperBound)
        }
    }

    private mutating func add(_ range: Range<Int>) {
        let inner =
            Quoted(at: range.lowerBound, of: bytes, lineEnd: range.upperBound, mayBreak: false)?
            .inner ?? range
        for (part, secretClass) in Value.secrets(in: inner, of: bytes, .secret(.community)) {
            spots.add(part, secretClass, "position", key: "community")
        }
    }
}
