/// Reads statements of SQL for values that stand apart from their names: `INSERT INTO t (login, password) VALUES (…)`, rows whose
/// columns a `CREATE TABLE` above has named, `COPY t (…) FROM stdin`, `SET PASSWORD FOR x = '…'`.
struct SQLScanner {
    let bytes: [UInt8]
    private(set) var spots: Spots
    /// The columns of tables, as `CREATE TABLE` has them; nil for those without a secret.
    private var tables: [String: [SecretClass?]] = [:]

    init(_ scan: TextScan) {
        bytes = scan.bytes
        spots = Spots(scan.bytes)
    }

    mutating func run() {
        for (position, verb) in statements() {
            switch verb {
            case .create: create(position)
            case .insert: insert(position)
            case .copy: copy(position)
            case .set: account(position)
            case .update: update(position)
            }
        }
    }

    private enum Verb { case create, insert, copy, set, update }

    private static let verbs: [(text: [UInt8], verb: Verb)] = [
        (Array("create table ".utf8), .create), (Array("insert into ".utf8), .insert),
        (Array("replace into ".utf8), .insert), (Array("insert ignore into ".utf8), .insert),
        (Array("copy ".utf8), .copy), (Array("set password ".utf8), .set),
        (Array("update ".utf8), .update),
    ]

    /// Where statements begin, and what follows their first words.
    private func statements() -> [(Int, Verb)] {
        var found: [(Int, Verb)] = []
        var position = 0
        while position < bytes.count {
            let first = bytes[position] | 0x20
            if first == 0x63 || first == 0x69 || first == 0x72 || first == 0x73
                || first == 0x75,
                position == 0 || !bytes[position - 1].isWordOrDash
            {
                for (text, verb) in SQLScanner.verbs
                where text[0] == first && has(text, at: position) {
                    position += text.count - 1
                    found.append((position + 1, verb))
                    break
                }
            }
            position += 1
        }
        return found
    }

    func has(_ word: [UInt8], at start: Int) -> Bool {
        guard start + word.count <= bytes.count else { return false }
        for index in word.indices where bytes[start + index].lowered != word[index] { return false }
        return true
    }

    // MARK: statements

    private mutating func create(_ start: Int) {
        var position = start
        if has(Array("if not exists ".utf8), at: position) { position += 14 }
        guard let name = name(&position) else { return }
        skipSpace(&position)
        guard bytes.has("(", at: position) else { return }
        let definitions = list(&position, limit: 1 << 20)
        var columns: [SecretClass?] = []
        for definition in definitions {
            var start = definition.lowerBound
            guard let column = self.name(&start) else { continue }
            let word = bytes.word(column)
            if ["primary", "unique", "key", "constraint", "foreign", "index", "check", "fulltext"]
                .contains(word), !bytes[definition.lowerBound].isNameQuote
            {
                continue
            }
            columns.append(secretClass(column))
        }
        if columns.contains(where: { $0 != nil }), tables.count < 4096 {
            tables[bytes.word(name)] = columns
        }
    }

    private mutating func insert(_ start: Int) {
        var position = start
        guard let name = name(&position) else { return }
        skipSpace(&position)
        var columns = tables[bytes.word(name)] ?? []
        if bytes.has("(", at: position) {
            columns = list(&position, limit: 65536).map { cell in
                var start = cell.lowerBound
                return self.name(&start).flatMap(secretClass)
            }
            skipSpace(&position)
        }
        let values = Array("value".utf8)
        let isOfPeople = columns.isEmpty && SQLScanner.isOfPeople(bytes.word(name))
        // OVERRIDING SYSTEM VALUE stands between.
        while position < bytes.count, bytes[position].isLetter || bytes[position].isSpaceOrBreak {
            if has(values, at: position), !has(Array("value values".utf8), at: position) {
                position += values.count
                if position < bytes.count, bytes[position] | 0x20 == 0x73 { position += 1 }
                break
            }
            position += 1
        }
        while true {
            skipSpace(&position)
            guard bytes.has("(", at: position) else { return }
            let cells = list(&position, limit: 1 << 24)
            for (cell, secretClass) in zip(cells, columns) {
                if let secretClass { judge(cell, secretClass) }
            }
            for (name, cell) in zip(cells, cells.dropFirst()) {
                // A sentence is a translation: 'reset_password','Choose a new password'.
                if bytes[cell].count(where: { $0 == 0x20 }) < 3, let secretClass = setting(name) {
                    judge(cell, secretClass)
                }
            }
            if isOfPeople {
                for cell in cells where isDigest(cell) { judge(cell, .passwordHash) }
            }
            skipSpace(&position)
            guard bytes.has(",", at: position) else { return }
            position += 1
        }
    }

    /// Rows of COPY, with tabs between their columns, until `\.`.
    private mutating func copy(_ start: Int) {
        var position = start
        guard name(&position) != nil else { return }
        skipSpace(&position)
        guard bytes.has("(", at: position) else { return }
        let columns = list(&position, limit: 65536).map { cell -> SecretClass? in
            var start = cell.lowerBound
            return name(&start).flatMap(secretClass)
        }
        skipSpace(&position)
        guard columns.contains(where: { $0 != nil }), has(Array("from stdin".utf8), at: position)
        else { return }
        position = bytes.endOfLine(position) + 1
        while position < bytes.count, !bytes.has("\\.", at: position) {
            let end = bytes.endOfLine(position)
            var cell = position
            for secretClass in columns where cell <= end {
                let stop = bytes.position(of: 0x09, from: cell, before: end) ?? end
                let text = bytes.trimmed(cell..<stop)
                if let secretClass, !bytes.has("\\N", at: text.lowerBound) {
                    add(text, secretClass)
                }
                cell = stop + 1
            }
            position = end + 1
        }
    }

    /// `SET PASSWORD FOR 'bob'@'localhost' = '…'`.
    private mutating func account(_ start: Int) {
        guard has(Array("for ".utf8), at: start) else { return }
        let end = min(bytes.endOfLine(start), start + 512)
        guard let equals = bytes.position(of: 0x3d, from: start, before: end) else { return }
        judge(bytes.trimmed((equals + 1)..<end), .password)
    }

    /// `UPDATE settings SET value = '…' WHERE name = 'smtp_password'`.
    private mutating func update(_ start: Int) {
        let end = min(
            bytes.position(of: 0x3b, from: start) ?? bytes.count, start + 1024, bytes.count)
        for (column, value) in assignments(start..<end) {
            if let secretClass = secretClass(column) { judge(value, secretClass) }
        }
        let texts = texts(in: start..<end)
        guard
            let place = texts.indices.dropFirst().first(where: { secretClass(texts[$0]) != nil }),
            let secretClass = secretClass(texts[place]),
            has(
                Array("where ".utf8), before: texts[place].lowerBound, within: 64)
        else { return }
        for text in texts[..<place] { add(text, secretClass) }
    }

    private func has(_ word: [UInt8], before end: Int, within length: Int) -> Bool {
        (max(0, end - length)..<end).contains { has(word, at: $0) }
    }

    private func texts(in range: Range<Int>) -> [Range<Int>] {
        var texts: [Range<Int>] = []
        var position = range.lowerBound
        while position < range.upperBound {
            if bytes[position] == 0x27,
                let quoted = Quoted(
                    at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
            {
                texts.append(quoted.inner)
                position = quoted.end
            } else {
                position += 1
            }
        }
        return texts
    }

    // MARK: parts

    /// The first text in quotes of a cell, also within a call: `MD5('…')`.
    mutating func judge(_ cell: Range<Int>, _ secretClass: SecretClass) {
        var position = cell.lowerBound
        var isQuoted = false
        while position < cell.upperBound {
            if bytes[position] == 0x27 || bytes[position] == 0x22,
                let quoted = Quoted(
                    at: position, of: bytes, lineEnd: cell.upperBound, mayBreak: false)
            {
                add(quoted.inner, secretClass)
                isQuoted = true
                position = quoted.end
                // The second argument of AES_ENCRYPT is a key.
                continue
            }
            position += 1
        }
        // 0x… of MySQL, a number.
        if !isQuoted, bytes[cell].first?.isDigit == true { add(cell, secretClass) }
    }

    private mutating func add(_ range: Range<Int>, _ secretClass: SecretClass) {
        for (part, secretClass) in Value.secrets(in: range, of: bytes, .secret(secretClass)) {
            spots.add(
                part, secretClass, "sql",
                needsQuotes: bytes[part].allSatisfy(\.isDigit)
                    && part.lowerBound > 0 && !bytes[part.lowerBound - 1].isQuote
                    && bytes[part.lowerBound - 1] != 0x09)
        }
    }

    func secretClass(_ column: Range<Int>) -> SecretClass? {
        if case .secret(let secretClass) = KeyName(bytes[column]).sensitivity {
            return secretClass
        }
        return nil
    }

    func skipSpace(_ position: inout Int) {
        while position < bytes.count, bytes[position].isSpaceOrBreak { position += 1 }
    }

    /// A name with or without quotes; of `schema.table` the last part.
    func name(_ position: inout Int) -> Range<Int>? {
        skipSpace(&position)
        var found: Range<Int>?
        while position < bytes.count {
            let start = position
            if bytes[position].isNameQuote {
                let close: UInt8 = bytes[position] == 0x5b ? 0x5d : bytes[position]
                guard
                    let end = bytes.position(
                        of: close, from: start + 1, before: min(bytes.count, start + 130))
                else { return found }
                found = (start + 1)..<end
                position = end + 1
            } else {
                while position < bytes.count,
                    bytes[position].isWord || bytes[position] == 0x24 || bytes[position] >= 0x80
                { position += 1 }
                guard position > start else { return found }
                found = start..<position
            }
            guard bytes.has(".", at: position) else { return found }
            position += 1
        }
        return found
    }

    /// What stands between commas within a bracket; the position is behind the bracket then.
    private func list(_ position: inout Int, limit: Int) -> [Range<Int>] {
        var cells: [Range<Int>] = []
        var depth = 0
        let stop = min(bytes.count, position + limit)
        var start = position + 1
        while position < stop {
            let byte = bytes[position]
            switch byte {
            case 0x28: depth += 1
            case 0x29:
                depth -= 1
                if depth == 0 {
                    cells.append(bytes.trimmed(start..<position))
                    position += 1
                    return cells
                }
            case 0x2c where depth == 1:
                cells.append(bytes.trimmed(start..<position))
                start = position + 1
            case 0x27, 0x22:
                if let quoted = Quoted(at: position, of: bytes, lineEnd: stop, mayBreak: false) {
                    position = quoted.end
                    continue
                }
            default: break
            }
            position += 1
        }
        return cells
    }
}

extension UInt8 {
    /// What names of SQL stand in: `x`, "x", [x].
    fileprivate var isNameQuote: Bool { self == 0x60 || self == 0x22 || self == 0x5b }
}
