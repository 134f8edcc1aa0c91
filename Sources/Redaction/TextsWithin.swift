/// Texts of several lines within code and settings: strings with escaped line breaks, and here documents.
///
/// What their lines say by themselves is found where they stand. Here they are read as what they are: a cloud-config, a JSON
/// object, a script that a program gets.
struct TextsWithin {
    private let bytes: [UInt8]
    private let scan: TextScan

    init(_ scan: TextScan) {
        self.scan = scan
        bytes = scan.bytes
    }

    func found() -> Spots {
        var spots = Spots(bytes)
        guard scan.depth < TextScan.deepest else { return spots }
        escaped(into: &spots)
        documents(into: &spots)
        return spots
    }

    /// `<table>` within a text of Markdown.
    func tables() -> Spots {
        var spots = Spots(bytes)
        guard scan.depth < TextScan.deepest else { return spots }
        let (opening, closing) = (Array("<table".utf8), Array("</table>".utf8))
        var position = 0
        while let open = bytes.position(of: opening, from: position) {
            let end =
                bytes.position(of: closing, from: open).map { $0 + closing.count } ?? bytes.count
            position = end
            let text = Nested(plain: open..<end, of: bytes)
            var table = XMLScanner(
                TextScan(
                    bytes: text.bytes, kind: FileKind(form: .xml, of: scan.kind),
                    depth: scan.depth + 1))
            _ = table.run()
            for spot in table.spots.settled() {
                spots.add(text.outer(spot.range), spot.secretClass, spot.detector, key: spot.key)
            }
        }
        return spots
    }

    /// `user_data = "#cloud-config\\nchpasswd:…"`.
    private func escaped(into spots: inout Spots) {
        let mark: [UInt8] = [0x5c, 0x6e]
        var position = 0
        while let hit = bytes.position(of: mark, from: position) {
            position = hit + 2
            var open = hit
            let limit = max(0, hit - 65536)
            while open > limit, bytes[open] != 0x0a, bytes[open] != 0x22 { open -= 1 }
            guard bytes[open] == 0x22,
                let quoted = Quoted(
                    at: open, of: bytes, lineEnd: bytes.endOfLine(hit), mayBreak: false),
                quoted.end > hit
            else {
                position = max(position, bytes.endOfLine(hit))
                continue
            }
            position = quoted.end
            read(Nested.unescaped(quoted.inner, of: bytes), into: &spots)
        }
    }

    /// `<<EOF` and `<<-EOF` until the word stands alone.
    private func documents(into spots: inout Spots) {
        var position = 0
        var wasted = 0
        while wasted < 64, let hit = bytes.position(of: [0x3c, 0x3c], from: position) {
            position = hit + 2
            let end = bytes.endOfLine(hit)
            let mark = bytes[position..<end].drop {
                [0x3c, 0x2d, 0x7e, 0x27, 0x22, 0x20].contains($0)
            }
            .prefix(while: \.isWord)
            guard mark.count > 1, bytes[mark.startIndex].isLetter, end < bytes.count else {
                continue
            }
            var line = end + 1
            var stop: Int?
            while line < bytes.count, line - end < 1 << 20 {
                let lineEnd = bytes.endOfLine(line)
                if bytes[bytes.trimmed(line..<lineEnd)] == mark {
                    stop = line
                    break
                }
                line = lineEnd + 1
            }
            guard let stop, stop > end + 1 else {
                wasted += 1
                continue
            }
            let body = bytes.trimmed((end + 1)..<stop)
            read(Nested(plain: body, of: bytes), into: &spots)
            let start = bytes[..<hit].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
            input(body, of: Words.split(start..<hit, of: bytes), into: &spots)
            position = stop
        }
    }

    /// A structure is read as such; plain lines have been read where they stand.
    private func read(_ text: Nested, into spots: inout Spots) {
        guard text.bytes.count >= 16, let first = text.bytes.first(where: { !$0.isSpaceOrBreak }),
            first == 0x7b || first == 0x3c || first == 0x5b
                || text.bytes.has("#cloud-config", at: 0) || text.bytes.has("apiVersion:", at: 0)
                || text.bytes.has("---", at: 0) || text.bytes.has("#!", at: 0)
        else { return }
        let inner = TextScan(
            bytes: text.bytes, kind: FileKind(form: .lines, of: scan.kind), depth: scan.depth + 1)
        for spot in inner.found().settled() {
            spots.add(text.outer(spot.range), spot.secretClass, spot.detector, key: spot.key)
        }
    }

    private static let asking: Set<String> = [
        "passwd", "smbpasswd", "kinit", "cryptsetup", "vncpasswd", "saslpasswd2", "pure-pw",
        "pdbedit",
    ]

    /// What a command is given that asks for passwords.
    private func input(_ body: Range<Int>, of words: [Range<Int>], into spots: inout Spots) {
        let names = words.map { word in
            bytes.word(
                (bytes[word].lastIndex(of: 0x2f).map { $0 + 1 } ?? word.lowerBound)..<word
                    .upperBound)
        }
        let hasLogins = names.contains("chpasswd")
        // cat > /root/.vault_pass <<EOF
        let isFile = Commands.holdsSecret(Commands.target(words[...], bytes), bytes)
        guard hasLogins || isFile || names.contains(where: TextsWithin.asking.contains) else {
            return
        }
        var line = body.lowerBound
        while line < body.upperBound {
            let end = min(bytes.endOfLine(line), body.upperBound)
            var value = bytes.trimmed(line..<end)
            line = end + 1
            if hasLogins {
                guard let colon = bytes[value].firstIndex(of: 0x3a) else { continue }
                value = (colon + 1)..<value.upperBound
            }
            for (part, secretClass) in Value.secrets(
                in: value, of: bytes, .secret(.password))
            { spots.add(part, secretClass, "command-line") }
        }
    }
}
