/// Reads XML for names and values: attributes, texts, CDATA, comments, and the ways in which configuration puts a name
/// beside a value (`<property name="password" value="…"/>`, `<key>password</key><string>…</string>`).
///
/// It takes what it finds and never gives up: HTML, fragments and what is not well-formed are read as far as they go.
struct XMLScanner {
    private struct Level {
        let name: Range<Int>
        let sensitivity: Sensitivity
        /// What a sibling said its neighbour is: the text of `<key>`, `<name>`, `<param-name>`.
        var neighbour: Range<Int>?
        var text: [Nested] = []
        var start: Int
        /// How many cells of a row have been read.
        var cells = 0
    }

    private struct Attribute {
        let name: Range<Int>
        let value: Range<Int>
    }

    private let bytes: [UInt8]
    private let scan: TextScan
    private(set) var spots: Spots
    private var levels: [Level] = []
    private var position = 0
    private var comments: LineScanner
    private var hasElements = false
    private var isUneven = false
    /// What the heads of the columns of a table of HTML say.
    private var columns: [Sensitivity] = []
    private var isRowOfHeads = false

    init(_ scan: TextScan) {
        self.scan = scan
        bytes = scan.bytes
        spots = Spots(scan.bytes)
        comments = LineScanner(scan)
    }

    /// False where elements do not fit together: then lines are read as well.
    mutating func run() -> Bool {
        var textStart = 0
        while let open = bytes.position(of: 0x3c, from: position) {
            text(textStart..<open)
            position = open + 1
            if bytes.has("!--", at: position) {
                let end = bytes.position(of: Array("-->".utf8), from: position + 3) ?? bytes.count
                comment((position + 3)..<end)
                position = min(end + 3, bytes.count)
            } else if bytes.has("![CDATA[", at: position) {
                let end = bytes.position(of: Array("]]>".utf8), from: position + 8) ?? bytes.count
                if !levels.isEmpty {
                    levels[levels.count - 1].text.append(
                        Nested(plain: (position + 8)..<end, of: bytes))
                }
                position = min(end + 3, bytes.count)
            } else if bytes.has("!ENTITY ", at: position) {
                let end = bytes.position(of: 0x3e, from: position) ?? bytes.count
                entity((position + 8)..<end)
                position = min(end + 1, bytes.count)
            } else if bytes.has("!DOCTYPE", at: position) {
                // Its entities stand in brackets.
                position += bytes[position...].prefix { $0 != 0x3e && $0 != 0x5b }.count
                position = min(position + 1, bytes.count)
            } else if bytes.has("?", at: position) || bytes.has("!", at: position) {
                position = bytes.position(of: 0x3e, from: position).map { $0 + 1 } ?? bytes.count
            } else if bytes.has("/", at: position) {
                let name =
                    (position + 1)..<(bytes.position(of: 0x3e, from: position) ?? bytes.count)
                if levels.isEmpty
                    || bytes[levels[levels.count - 1].name] != bytes[bytes.trimmed(name)]
                {
                    isUneven = true
                }
                position = min(name.upperBound + 1, bytes.count)
                close()
            } else {
                tag()
            }
            textStart = position
        }
        text(textStart..<bytes.count)
        let isWhole = levels.isEmpty && hasElements && !isUneven
        while !levels.isEmpty { close() }
        spots.add(contentsOf: comments.spots)
        return isWhole
    }

    /// `<!ENTITY dbpassword "…">`.
    private mutating func entity(_ range: Range<Int>) {
        guard let blank = bytes[range].firstIndex(of: 0x20),
            let open = bytes[blank..<range.upperBound].firstIndex(where: \.isQuote),
            let quoted = Quoted(at: open, of: bytes, lineEnd: range.upperBound, mayBreak: false)
        else { return }
        scan.judge(
            Nested.resolved(quoted.inner, of: bytes),
            scan.kind.sensitivity(named: bytes[range.lowerBound..<blank]),
            name: bytes.text(range.lowerBound..<blank), into: &spots)
    }

    /// Elements that are commented out are read like others, by a scanner of their own.
    private mutating func comment(_ range: Range<Int>) {
        if bytes[range].contains(0x3c), scan.depth < TextScan.deepest {
            let inner = Nested(plain: range, of: bytes)
            var xml = XMLScanner(
                TextScan(bytes: inner.bytes, kind: scan.kind, depth: scan.depth + 1))
            _ = xml.run()
            for spot in xml.spots.settled() {
                spots.add(inner.outer(spot.range), spot.secretClass, spot.detector, key: spot.key)
            }
        }
        comments.scan(range)
    }

    private mutating func text(_ range: Range<Int>) {
        let range = bytes.trimmed(range)
        guard !range.isEmpty else { return }
        guard !levels.isEmpty else {
            comments.scan(range)
            return
        }
        levels[levels.count - 1].text.append(Nested.resolved(range, of: bytes))
    }

    private mutating func tag() {
        let start = position
        while position < bytes.count,
            bytes[position].isWordOrDash || bytes[position] == 0x3a || bytes[position] == 0x2e
        { position += 1 }
        let name = start..<position
        guard !name.isEmpty else { return }
        hasElements = true
        var attributes: [Attribute] = []
        while position < bytes.count, bytes[position] != 0x3e {
            if bytes[position] == 0x3c { break }
            let begin = position
            while position < bytes.count,
                bytes[position].isWordOrDash || bytes[position] == 0x3a || bytes[position] == 0x2e
            { position += 1 }
            let key = begin..<position
            guard !key.isEmpty else {
                position += 1
                continue
            }
            while position < bytes.count, bytes[position].isSpaceOrBreak { position += 1 }
            guard bytes.has("=", at: position) else { continue }
            position += 1
            while position < bytes.count, bytes[position].isSpaceOrBreak { position += 1 }
            guard position < bytes.count else { break }
            if bytes[position].isQuote,
                let end = bytes.position(of: bytes[position], from: position + 1)
            {
                attributes.append(Attribute(name: key, value: (position + 1)..<end))
                position = end + 1
            } else {
                let begin = position
                while position < bytes.count, !bytes[position].isSpaceOrBreak,
                    bytes[position] != 0x3e
                { position += 1 }
                attributes.append(Attribute(name: key, value: begin..<position))
            }
        }
        let isClosed = position > 0 && position < bytes.count && bytes[position - 1] == 0x2f
        if bytes.has(">", at: position) { position += 1 }
        let sensitivity = element(name, attributes)
        if !isClosed, levels.count < 10_000 {
            levels.append(Level(name: name, sensitivity: sensitivity, start: position))
        }
    }

    /// Judges the attributes, and says what the element's text is.
    private mutating func element(_ name: Range<Int>, _ attributes: [Attribute]) -> Sensitivity {
        var own = scan.kind.sensitivity(named: bytes[localName(name)])
        let parent = levels.last
        let word = bytes.word(localName(name))
        if word == "tr" { isRowOfHeads = false }
        // A head beside cells names its row.
        if word == "table" || word == "td" && isRowOfHeads { columns = [] }
        if let neighbour = parent?.neighbour,
            XMLScanner.valueElements.contains(word) || XMLScanner.arguments.contains(word)
        {
            own = scan.kind.sensitivity(named: bytes[neighbour])
            levels[levels.count - 1].neighbour = nil
        } else if own == .neutral, let parent, let neighbour = parent.neighbour,
            bytes.word(localName(parent.name)) == "entry"
        {
            // XStream writes a map so: <entry><string>name</string><list><string>value</string></list></entry>.
            own = scan.kind.sensitivity(named: bytes[neighbour])
        } else if own == .neutral, word == "add", let parent,
            case .suspicious(let secretClass) = parent.sensitivity
        {
            // <apikeys><add key="https://…" value="…"/></apikeys> of NuGet.
            own = .secret(secretClass)
        } else if own == .neutral, let parent,
            ContainerNames.carriers.contains(word) || XMLScanner.valueElements.contains(word)
        {
            own = parent.sensitivity
        }
        if word == "td", let parent, parent.cells < columns.count,
            case .secret = columns[parent.cells]
        {
            own = columns[parent.cells]
        }
        var named: Range<Int>?
        for attribute in attributes
        where XMLScanner.nameAttributes.contains(bytes.word(localName(attribute.name))) {
            let sensitivity = scan.kind.sensitivity(named: bytes[attribute.value])
            if sensitivity != .neutral || named == nil { named = attribute.value }
        }
        // <field type="password" value="…"/>
        for attribute in attributes where bytes.word(localName(attribute.name)) == "type" {
            if case .secret = KeyName(bytes[attribute.value]).sensitivity {
                named = named ?? attribute.value
            }
        }
        var context = own
        if let named {
            let sensitivity = scan.kind.sensitivity(named: bytes[named])
            if sensitivity != .neutral { context = sensitivity }
        }
        for attribute in attributes {
            let attributeName = bytes.word(localName(attribute.name))
            var sensitivity = scan.kind.sensitivity(named: bytes[localName(attribute.name)])
            if ContainerNames.carriers.contains(attributeName),
                sensitivity == .neutral || named != nil
            {
                sensitivity = context
            }
            // What stops Tomcat when it is sent to a port, unless it is what everybody's is.
            if attributeName == "shutdown", word == "server",
                bytes.word(attribute.value) != "shutdown"
            {
                sensitivity = .secret(.secret)
            }
            if XMLScanner.nameAttributes.contains(attributeName) { continue }
            scan.judge(
                Nested.resolved(attribute.value, of: bytes), sensitivity,
                name: bytes.text(named ?? attribute.name), into: &spots)
        }
        // <arg value="--password"/><arg value="…"/> of Ant.
        if XMLScanner.arguments.contains(word), !levels.isEmpty,
            let option = attributes.first(where: { bytes.word(localName($0.name)) == "value" }),
            bytes[option.value].first == 0x2d, !bytes[option.value].contains(0x3d)
        {
            levels[levels.count - 1].neighbour = option.value
        }
        return context
    }

    private static let nameAttributes: Set<String> = [
        "name", "key", "id", "property", "parameter", "param", "field", "option", "nom", "cle",
    ]
    private static let nameElements: Set<String> = [
        "key", "name", "param-name", "id", "property", "variable", "propertyname",
        "config-property-name", "option", "td", "th", "dt", "macro",
        "env-entry-name", "k", "nom", "cle", "libelle",
    ]
    /// Elements that hold the words of a command one by one.
    private static let arguments: Set<String> = ["arg", "argument", "string"]
    private static let valueElements: Set<String> = [
        "value", "string", "param-value", "val", "text", "data", "propertyvalue",
        "config-property-value", "entry", "default", "integer", "td", "dd", "defaultvalue",
        "env-entry-value", "v", "valeur",
    ]

    /// Without its prefix.
    private func localName(_ name: Range<Int>) -> Range<Int> {
        guard let colon = bytes[name].lastIndex(of: 0x3a), colon + 1 < name.upperBound else {
            return name
        }
        return (colon + 1)..<name.upperBound
    }

    private mutating func close() {
        guard let level = levels.popLast() else { return }
        let name = bytes.text(localName(level.name))
        for text in level.text { scan.judge(text, level.sensitivity, name: name, into: &spots) }
        guard !levels.isEmpty else { return }
        let word = name.lowercased()
        if word == "td" || word == "th" {
            levels[levels.count - 1].cells += 1
            isRowOfHeads = isRowOfHeads || word == "th"
            if word == "th", columns.count < 256 {
                columns.append(
                    level.text.first.map { scan.kind.sensitivity(named: $0.bytes[...]) }
                        ?? .neutral)
            }
        }
        // <argument>--password</argument><argument>…</argument>
        if XMLScanner.arguments.contains(word), let text = level.text.first,
            text.bytes.first(where: { !$0.isSpaceOrBreak }) == 0x2d, !text.bytes.contains(0x3d)
        {
            levels[levels.count - 1].neighbour = bytes.trimmed(text.outer(0..<text.bytes.count))
            return
        }
        let isKeyOfMap = word == "string" && isKeyOfMap(levels[levels.count - 1])
        guard XMLScanner.nameElements.contains(word) || isKeyOfMap, let text = level.text.first
        else { return }
        levels[levels.count - 1].neighbour = bytes.trimmed(text.outer(0..<text.bytes.count))
    }

    /// The first text of an `<entry>` is the key of the second.
    private func isKeyOfMap(_ level: Level) -> Bool {
        level.neighbour == nil && bytes.word(localName(level.name)) == "entry"
            && level.sensitivity == .neutral
    }
}
