/// Reads of YAML what its lines alone do not tell: which block, list or nested mapping a value belongs to.
///
/// Values beside their names are left to `LineScanner`. Not a parser: indentation, names, tags and block scalars are
/// enough, and what is not YAML does no harm.
struct YAMLScanner {
    private struct Level {
        let indent: Int
        let name: Range<Int>
        let sensitivity: Sensitivity
    }

    private let bytes: [UInt8]
    private let scan: TextScan
    private(set) var spots: Spots
    private var levels: [Level] = []
    private var position = 0
    /// The value of the last `name:` and the column in which it stood.
    private var named: (range: Range<Int>, indent: Int)?
    /// A value that came before its name: `value:` above `name:`.
    private var valued: (range: Range<Int>, indent: Int)?
    private var secretIndent: Int?
    /// A name that stands on a line of its own behind a question mark.
    private var asked: Range<Int>?
    /// The column of the element of a list that is being read.
    private var element: Int?
    /// The last element of a list, where it was an option of a command.
    private var option: Range<Int>?

    init(_ scan: TextScan) {
        self.scan = scan
        bytes = scan.bytes
        spots = Spots(scan.bytes)
    }

    mutating func run() {
        secretIndent = kindOfSecret(from: 0)
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            let next = line(position..<end)
            position = max(end + 1, next)
        }
    }

    /// The column of `kind: Secret` in the document that begins there.
    private func kindOfSecret(from start: Int) -> Int? {
        let limit = bytes.position(of: Array("\n---".utf8), from: start) ?? bytes.count
        for word in ["kind: Secret", "kind: \"Secret\"", "kind: 'Secret'", "kind: SealedSecret"] {
            guard let hit = bytes.position(of: Array(word.utf8), from: start, before: limit) else {
                continue
            }
            let end = hit + word.utf8.count
            if end < bytes.count, bytes[end].isWordOrDash { continue }
            var line = hit
            while line > start, bytes[line - 1] != 0x0a { line -= 1 }
            return hit - line
        }
        return nil
    }

    private mutating func line(_ line: Range<Int>) -> Int {
        var start = line.lowerBound
        let stop = line.upperBound
        while start < stop, bytes[start] == 0x20 { start += 1 }
        if bytes.has("---", at: line.lowerBound) {
            levels = []
            named = nil
            valued = nil
            secretIndent = kindOfSecret(from: line.lowerBound + 3)
            return 0
        }
        guard start < stop, bytes[start] != 0x23, bytes[start] != 0x0d else { return 0 }
        var indent = start - line.lowerBound
        var isItem = false
        while bytes.has("- ", at: start) {
            if !isItem { levels.removeAll { $0.indent > indent } }
            isItem = true
            start += 2
            while start < stop, bytes[start] == 0x20 { start += 1 }
            indent = start - line.lowerBound
            named = nil
            valued = nil
        }
        if isItem {
            element = indent
        } else if let column = element, indent < column {
            element = nil
        }
        guard start < stop else { return 0 }
        // `? name` and `: value` below it.
        if bytes.has("? ", at: start), name(start..<stop) == nil {
            asked = bytes.trimmed((start + 2)..<stop)
            return 0
        }
        if bytes.has(": ", at: start), let name = asked {
            asked = nil
            return scalar((start + 2)..<stop, indent: indent, name, context(name, indent: indent))
        }
        guard let (name, after) = name(start..<stop) else {
            if isItem { item(start..<stop, indent: indent) }
            return 0
        }
        levels.removeAll { $0.indent >= indent }
        let sensitivity = context(name, indent: indent)
        var value = after
        while value < stop, bytes[value].isSpace { value += 1 }
        // `!secret name` of Home Assistant and its like names what lies elsewhere.
        if bytes.has("!secret ", at: value) || bytes.has("!env_var ", at: value)
            || bytes.has("!ENV ", at: value) || bytes.has("!Ref ", at: value)
        {
            return 0
        }
        // Tags and anchors: !!str &x hunter2.
        while value < stop, bytes[value] == 0x21 || bytes[value] == 0x26 {
            while value < stop, !bytes[value].isSpaceOrBreak { value += 1 }
            while value < stop, bytes[value].isSpace { value += 1 }
        }
        let isEmpty = value >= stop || bytes[value].isBreak || bytes[value] == 0x23
        if isEmpty {
            levels.append(Level(indent: indent, name: name, sensitivity: sensitivity))
            named = nil
            if case .secret = sensitivity, let below = plain(below: stop, indent: indent) {
                return scalar(below, indent: indent, name, sensitivity)
            }
            return 0
        }
        if bytes[value] == 0x7c || bytes[value] == 0x3e {
            return block(after: stop, indent: indent, name, sensitivity)
        }
        return scalar(value..<stop, indent: indent, name, sensitivity)
    }

    /// A scalar on the line below its name, indented more than it.
    private func plain(below stop: Int, indent: Int) -> Range<Int>? {
        var position = stop + 1
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            let text = bytes.trimmed(position..<end)
            guard text.isEmpty || bytes[text.lowerBound] == 0x23 else {
                let isScalar =
                    text.lowerBound - position > indent && name(text) == nil
                    && !bytes.has("- ", at: text.lowerBound)
                    && ![0x7b, 0x5b, 0x7c, 0x3e, 0x2a].contains(bytes[text.lowerBound])
                return isScalar ? text.lowerBound..<end : nil
            }
            position = end + 1
        }
        return nil
    }

    /// A name and where its value may begin.
    private func name(_ range: Range<Int>) -> (Range<Int>, Int)? {
        var start = range.lowerBound
        if bytes.has("? ", at: start) { start += 2 }
        guard start < range.upperBound else { return nil }
        if bytes[start].isQuote,
            let quoted = Quoted(at: start, of: bytes, lineEnd: range.upperBound, mayBreak: false)
        {
            var end = quoted.end
            while end < range.upperBound, bytes[end] == 0x20 { end += 1 }
            return end < range.upperBound && bytes[end] == 0x3a ? (quoted.inner, end + 1) : nil
        }
        var colon = start
        while let hit = bytes.position(of: 0x3a, from: colon, before: range.upperBound) {
            if hit + 1 >= range.upperBound || bytes[hit + 1].isSpaceOrBreak {
                let name = bytes.trimmed(start..<hit)
                return name.isEmpty || name.count > 256 || bytes[name.lowerBound] == 0x7b
                    ? nil : (name, hit + 1)
            }
            colon = hit + 1
        }
        return nil
    }

    private func context(_ name: Range<Int>, indent: Int) -> Sensitivity {
        let key = KeyName(bytes[name])
        let own = scan.kind.sensitivity(of: key)
        let words = key.words.joined()
        if indent == secretIndent, words == "data" || words == "stringdata" {
            return .secret(.secret)
        }
        if ContainerNames.holders.contains(words) { return .secret(.password) }
        guard let above = levels.last, above.indent < indent else { return own }
        if own == .neutral || own == .suspicious(.symmetricKey),
            element.map({ $0 <= above.indent }) ?? true
        {
            let outer = KeyName(bytes[above.name])
            if let found = key.sensitivity(below: outer) { return found }
            if let found = ContainerNames.member(key, of: outer) { return found }
        }
        if let secretIndent, above.indent == secretIndent,
            ["data", "stringdata"].contains(KeyName(bytes[above.name]).words.joined())
        {
            return key.words.last == "crt" || key.words.last == "cert" ? own : .secret(.secret)
        }
        switch (own, above.sensitivity) {
        case (.neutral, .secret), (.neutral, .suspicious):
            return ContainerNames.carriers.contains(words)
                || ContainerNames.isHolder(bytes[above.name]) ? above.sensitivity : .neutral
        default: return own
        }
    }

    /// An element of a list belongs to the name above the list.
    private mutating func item(_ range: Range<Int>, indent: Int) {
        let (value, _) = extent(range, indent: indent)
        if let option, case .secret = KeyName(bytes[option]).sensitivity {
            add(value, KeyName(bytes[option]).sensitivity, option, isExtent: true)
        }
        option =
            value.count > 2 && bytes[value.lowerBound] == 0x2d && !bytes[value].contains(0x3d)
                && !bytes[value].contains(0x20) ? value : nil
        guard let above = levels.last, above.indent <= indent else { return }
        if bytes.word(above.name) == "list",
            levels.contains(where: { bytes.word($0.name) == "chpasswd" })
        {
            login(value)
        }
        // Literals of a secretGenerator of Kustomize: every one is a secret.
        if bytes.word(above.name) == "literals",
            levels.contains(where: { bytes.word($0.name) == "secretgenerator" }),
            let equals = bytes[value].firstIndex(of: 0x3d)
        {
            add(
                (equals + 1)..<value.upperBound, .secret(.secret), value.lowerBound..<equals,
                isExtent: true)
        }
        add(range, above.sensitivity, above.name)
    }

    /// `root:password`.
    private mutating func login(_ range: Range<Int>) {
        guard let colon = bytes.position(of: 0x3a, from: range.lowerBound, before: range.upperBound)
        else { return }
        add(
            (colon + 1)..<range.upperBound, .secret(.password), range.lowerBound..<colon,
            isExtent: true)
    }

    /// The members of `data: {password: aHVudGVy}` in a Secret, and `list: ["root:password"]` of chpasswd.
    private mutating func flow(
        _ range: Range<Int>, indent: Int, _ name: Range<Int>, _ sensitivity: Sensitivity
    ) {
        let isLogins =
            bytes.word(name) == "list" && levels.last.map { bytes.word($0.name) } == "chpasswd"
        let isSecret = indent == secretIndent && sensitivity == .secret(.secret)
        guard isLogins || isSecret else { return }
        var start = range.lowerBound + 1
        var position = start
        while position < range.upperBound {
            if let quoted = Quoted(
                at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
            {
                position = quoted.end
                continue
            }
            if [0x2c, 0x7d, 0x5d].contains(bytes[position]) {
                let part = bytes.trimmed(start..<position)
                start = position + 1
                if isLogins {
                    login(extent(part, indent: indent).0)
                } else if let (key, value) = self.name(part) {
                    let value = bytes.trimmed(value..<part.upperBound)
                    if !value.isEmpty {
                        add(extent(value, indent: indent).0, sensitivity, key, isExtent: true)
                    }
                }
            }
            position += 1
        }
    }

    private mutating func scalar(
        _ range: Range<Int>, indent: Int, _ name: Range<Int>, _ sensitivity: Sensitivity
    ) -> Int {
        if bytes[range.lowerBound] == 0x7b || bytes[range.lowerBound] == 0x5b {
            flow(range, indent: indent, name, sensitivity)
        }
        let (value, end) = extent(range, indent: indent)
        add(value, sensitivity, name, isExtent: true)
        switch bytes.word(name) {
        case "name", "key", "variable", "parameter", "property", "id", "macro", "nom", "cle", "clé",
            "libelle":
            named = (value, indent)
            if let valued, valued.indent == indent {
                add(
                    valued.range, scan.kind.sensitivity(named: bytes[value]), value,
                    isExtent: true)
            }
        case "value", "default", "val", "valeur":
            if let named, named.indent == indent {
                add(
                    value, scan.kind.sensitivity(named: bytes[named.range]), named.range,
                    isExtent: true)
            } else {
                valued = (value, indent)
            }
        default: break
        }
        return end
    }

    /// A value with what follows of it on deeper lines; without quotes and remarks.
    private func extent(_ range: Range<Int>, indent: Int) -> (Range<Int>, Int) {
        if let quoted = Quoted(
            at: range.lowerBound, of: bytes, lineEnd: range.upperBound, mayBreak: true)
        {
            return (quoted.inner, quoted.end)
        }
        var end = range.upperBound
        if let remark = bytes.position(of: Array(" #".utf8), from: range.lowerBound, before: end) {
            end = remark
        }
        if [0x7b, 0x5b, 0x2a].contains(bytes[range.lowerBound]) {
            return (range.lowerBound..<range.lowerBound, range.upperBound)
        }
        var last = end
        var position = range.upperBound + 1
        // Plain scalars go on while lines are indented more and are no names.
        while end == range.upperBound, position < bytes.count {
            let stop = bytes.endOfLine(position)
            var start = position
            while start < stop, bytes[start] == 0x20 { start += 1 }
            guard start < stop, start - position > indent, bytes[start] != 0x23,
                !bytes[start].isBreak, self.name(start..<stop) == nil,
                !bytes.has("- ", at: start)
            else { break }
            last = stop
            position = stop + 1
        }
        return (bytes.trimmed(range.lowerBound..<last), max(last, range.upperBound))
    }

    /// A block scalar: the lines below that are indented more than its name.
    private mutating func block(
        after stop: Int, indent: Int, _ name: Range<Int>, _ sensitivity: Sensitivity
    ) -> Int {
        var position = stop + 1
        var first: Int?
        var last = stop
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            var start = position
            while start < end, bytes[start] == 0x20 { start += 1 }
            if start < end, !bytes[start].isBreak {
                guard start - position > indent else { break }
                if first == nil { first = start }
                last = end
            }
            position = end + 1
        }
        guard let first else { return 0 }
        let content = bytes.trimmed(first..<last)
        // chpasswd: { list: | } of cloud-init has user:password in each line.
        if bytes.word(name) == "list", let above = levels.last, bytes.word(above.name) == "chpasswd"
        {
            var start = content.lowerBound
            while start < content.upperBound {
                let end = min(bytes.endOfLine(start), content.upperBound)
                login(bytes.trimmed(start..<end))
                start = end + 1
            }
            return last
        }
        let effective: Sensitivity
        if bytes.word(name) == "value", let named, named.indent == indent {
            effective = scan.kind.sensitivity(named: bytes[named.range])
        } else {
            effective = sensitivity
        }
        switch effective {
        case .secret(let secretClass):
            if bytes.has("$ANSIBLE_VAULT", at: content.lowerBound)
                || bytes.has("-----BEGIN", at: content.lowerBound)
            {
                return last
            }
            if !Placeholder.isPlaceholder(bytes[content]) {
                spots.add(content, secretClass, "key-name", key: bytes.text(name))
            }
        default:
            // A file within the file, with all that its own form means.
            guard scan.depth < TextScan.deepest,
                FileKind.form(ofName: bytes.text(name)) != .lines
                    || [0x7b, 0x3c].contains(bytes[content.lowerBound])
                    || bytes.has("#cloud-config", at: content.lowerBound)
                    || bytes.has("- name:", at: content.lowerBound)
            else { return last }
            // The columns of a list count from the beginning of its first line.
            let start =
                bytes.has("- ", at: content.lowerBound)
                ? bytes[..<content.lowerBound].lastIndex(of: 0x0a).map { $0 + 1 } : nil
            scan.judge(
                Nested(plain: (start ?? content.lowerBound)..<content.upperBound, of: bytes),
                .plain, name: bytes.text(name), into: &spots)
        }
        return last
    }

    private mutating func add(
        _ range: Range<Int>, _ sensitivity: Sensitivity, _ name: Range<Int>, isExtent: Bool = false
    ) {
        let value = isExtent ? range : extent(range, indent: 0).0
        guard !value.isEmpty else { return }
        switch sensitivity {
        case .secret, .suspicious, .code:
            for (part, secretClass) in Value.secrets(in: value, of: bytes, sensitivity)
            where !KeyName.isNamedKey(bytes[name], bytes[part]) {
                spots.add(part, secretClass, "key-name", key: bytes.text(name))
            }
        case .neutral:
            if let secretClass = Value.unrecognised(value, of: bytes) {
                spots.add(value, secretClass, "random", key: bytes.text(name))
            }
        case .plain: spots.leave(value)
        }
    }
}
