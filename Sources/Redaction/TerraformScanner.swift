/// Reads the blocks of Terraform whose values are secrets whatever they are called: the data of a `kubernetes_secret`, what is
/// marked `sensitive`, parameters of the type SecureString, secrets of Vault.
///
/// Only literals are values; `var.x` and `random_password.x.result` name what lies elsewhere.
struct TerraformScanner {
    private let bytes: [UInt8]
    private(set) var spots: Spots

    init(_ scan: TextScan) {
        bytes = scan.bytes
        spots = Spots(scan.bytes)
    }

    static func isMeant(_ kind: FileKind) -> Bool { ["tf", "hcl", "tofu"].contains(kind.ending) }

    private static let longest = 1 << 16
    private static let values: Set<String> = [
        "value", "default", "plaintext_value", "secret_string", "secret_data",
    ]
    private static let encoded: Set<String> = [
        "data_json", "secret_string", "secret_data", "value",
    ]
    private static let maps: Set<String> = [
        "data", "string_data", "binary_data", "data_wo", "binary_data_wo",
    ]

    mutating func run() {
        var line = 0
        while line < bytes.count {
            let end = bytes.endOfLine(line)
            let words = Words.split(line..<end, of: bytes)
            guard let first = words.first,
                ["resource", "data", "output", "variable"].contains(bytes.word(first)),
                let open = bytes.position(of: 0x7b, from: first.upperBound, before: end)
            else {
                line = end + 1
                continue
            }
            let close = self.close(of: open, before: bytes.count)
            block((open + 1)..<close, type: words.count > 1 ? bytes.word(words[1]) : "")
            named(in: open..<min(close + 1, bytes.count))
            line = max(end, bytes.endOfLine(close)) + 1
        }
    }

    private mutating func block(_ range: Range<Int>, type: String) {
        let members = members(of: range)
        func says(_ name: String, _ value: StaticString) -> Bool {
            members.contains { bytes.word($0.name) == name && bytes.has(value, at: $0.value) }
        }
        let isSecret = type.contains("\"kubernetes_secret")
        let isVault = type.contains("\"vault_generic_secret") || type.contains("\"vault_kv_secret")
        // variable "db_password" { default = "…" }, and the secrets of vaults in clouds.
        let label = type.filter { $0 != "\"" }
        let isOfVault = label.contains("secret")
        let isMarked = says("sensitive", "true") || says("type", "\"SecureString\"")
        for member in members {
            let name = bytes.word(member.name)
            if isSecret && TerraformScanner.maps.contains(name)
                || isVault && name == "data_json"
                || isOfVault && TerraformScanner.encoded.contains(name)
                    && bytes.has("jsonencode(", at: member.value)
            {
                guard
                    let open = bytes.position(
                        of: 0x7b, from: member.value, before: range.upperBound)
                else { continue }
                let inner = (open + 1)..<close(of: open, before: range.upperBound)
                for entry in self.members(of: inner) { judge(entry, before: inner.upperBound) }
            } else if isMarked || isOfVault && !isSecret, TerraformScanner.values.contains(name) {
                judge(member, before: range.upperBound)
            } else if name == "default", case .secret = KeyName(label.utf8).sensitivity {
                judge(member, before: range.upperBound)
            }
        }
    }

    private static let sensitiveSet = Array("set_sensitive".utf8)
    private static let deepest = 12

    /// `set_sensitive { name = "a" value = "…" }` and lists of such, and whatever block has a `name` that speaks of a secret
    /// and a `value` beside it.
    private mutating func named(in range: Range<Int>) {
        // For each open bracket: where it is, and whether all in it is sensitive.
        var stack: [(open: Int, isSensitive: Bool)] = []
        var statement = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = bytes[position]
            if byte == 0x22 {
                position =
                    Quoted(
                        at: position, of: bytes,
                        lineEnd: min(range.upperBound, bytes.endOfLine(position)), mayBreak: false
                    )?.end ?? position + 1
                continue
            }
            switch byte {
            case 0x7b, 0x5b:
                let isSensitive =
                    stack.last?.isSensitive == true
                    || bytes.position(
                        of: TerraformScanner.sensitiveSet, from: statement, before: position)
                        != nil
                stack.append((position, isSensitive))
                statement = position + 1
            case 0x7d, 0x5d:
                if let last = stack.popLast(), byte == 0x7d, stack.count < TerraformScanner.deepest
                {
                    pair(
                        members(of: (last.open + 1)..<position), last.isSensitive, before: position)
                }
                statement = position + 1
            case 0x0a, 0x2c: statement = position + 1
            default: break
            }
            position += 1
        }
    }

    private mutating func pair(
        _ members: [(name: Range<Int>, value: Int)], _ isSensitive: Bool, before end: Int
    ) {
        guard let value = members.first(where: { bytes.word($0.name) == "value" }) else { return }
        if isSensitive { return judge(value, before: end) }
        for member in members where ["name", "key"].contains(bytes.word(member.name)) {
            guard
                let name = Quoted(at: member.value, of: bytes, lineEnd: end, mayBreak: false),
                case .secret = KeyName(bytes[name.inner]).sensitivity
            else { continue }
            judge(value, before: end)
        }
    }

    private mutating func judge(_ member: (name: Range<Int>, value: Int), before end: Int) {
        var start = member.value
        if bytes.has("base64encode(", at: start) { start += 13 }
        if bytes.has("sensitive(", at: start) { start += 10 }
        let value: Range<Int>
        if let quoted = Quoted(at: start, of: bytes, lineEnd: end, mayBreak: false) {
            value = quoted.inner
        } else if let body = document(at: start, before: end) {
            value = body
        } else {
            return
        }
        for (part, secretClass) in Value.secrets(in: value, of: bytes, .secret(.secret)) {
            spots.add(part, secretClass, "terraform", key: bytes.text(member.name))
        }
    }

    /// The names in a block or map, and where their values begin; not those of blocks within.
    private func members(of range: Range<Int>) -> [(name: Range<Int>, value: Int)] {
        var members: [(name: Range<Int>, value: Int)] = []
        var position = range.lowerBound
        while position < range.upperBound, members.count < 4096 {
            let byte = bytes[position]
            if byte == 0x23 || bytes.has("//", at: position) {
                position = bytes.endOfLine(position) + 1
                continue
            }
            guard byte.isWord || byte == 0x22 else {
                position += 1
                continue
            }
            let quoted = Quoted(
                at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
            let end =
                quoted?.end
                ?? bytes[position..<range.upperBound].firstIndex {
                    !$0.isWordOrDash && $0 != 0x2e
                } ?? range.upperBound
            let name = quoted?.inner ?? position..<end
            var value = end
            while value < range.upperBound, bytes[value].isSpace { value += 1 }
            guard value < range.upperBound else { break }
            if bytes[value] == 0x7b {
                position = close(of: value, before: range.upperBound) + 1
                continue
            }
            guard bytes[value] == 0x3d || bytes[value] == 0x3a else {
                // Without one of the marks there is no progress to rely on but this.
                position = max(end, position + 1)
                continue
            }
            value += 1
            while value < range.upperBound, bytes[value].isSpaceOrBreak { value += 1 }
            guard value < range.upperBound else { break }
            members.append((name, value))
            position = behind(value, before: range.upperBound)
        }
        return members
    }

    /// Where a value ends.
    private func behind(_ start: Int, before limit: Int) -> Int {
        if let quoted = Quoted(at: start, of: bytes, lineEnd: limit, mayBreak: false) {
            return quoted.end
        }
        if let body = document(at: start, before: limit) { return body.upperBound }
        var position = start
        while position < limit, !bytes[position].isBreak, bytes[position] != 0x2c {
            if [0x7b, 0x5b, 0x28].contains(bytes[position]) {
                position = close(of: position, before: limit)
            }
            position += 1
        }
        return min(position, limit)
    }

    /// The lines of `<<EOT` and `<<-EOT`.
    private func document(at start: Int, before limit: Int) -> Range<Int>? {
        guard bytes.has("<<", at: start) else { return nil }
        let first = bytes.endOfLine(start)
        let mark = bytes[start..<first].drop { $0 == 0x3c || $0 == 0x2d }.prefix(while: \.isWord)
        guard !mark.isEmpty else { return nil }
        var line = first + 1
        while line < limit {
            let end = bytes.endOfLine(line)
            if bytes[bytes.trimmed(line..<min(end, limit))] == mark {
                return bytes.trimmed((first + 1)..<line)
            }
            line = end + 1
        }
        return nil
    }

    /// The bracket that closes one, or where looking for it ends; brackets in quotes do not count.
    private func close(of open: Int, before limit: Int) -> Int {
        let limit = min(limit, open + TerraformScanner.longest)
        var depth = 0
        var position = open
        while position < limit {
            let byte = bytes[position]
            if byte == 0x22 {
                position =
                    Quoted(
                        at: position, of: bytes, lineEnd: min(limit, bytes.endOfLine(position)),
                        mayBreak: false)?.end ?? position + 1
                continue
            }
            if [0x7b, 0x5b, 0x28].contains(byte) { depth += 1 }
            if [0x7d, 0x5d, 0x29].contains(byte) {
                depth -= 1
                if depth == 0 { return position }
            }
            position += 1
        }
        return limit
    }
}
