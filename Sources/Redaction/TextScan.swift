/// Everything that is known about reading one text: a file, or a text within one.
struct TextScan {
    let bytes: [UInt8]
    let kind: FileKind
    /// How many texts this one lies in: a file of a ConfigMap has depth 1.
    let depth: Int
    /// Whether the text stands under a public name: then it may look random, and only known forms are looked for.
    var isPublic = false

    static let deepest = 4

    /// All ranges that must go.
    func found() -> Spots {
        var spots = Spots(bytes)
        let whole = 0..<bytes.count
        var isUnderstood = false
        switch form {
        case .json:
            var json = JSONScanner(self)
            if json.run() {
                isUnderstood = true
                spots.add(contentsOf: json.spots)
                for spot in Directives(bytes: bytes, kind: kind).lists(in: whole) {
                    spots.add(spot.range, spot.secretClass, spot.detector, key: spot.key)
                }
            }
        case .xml:
            var xml = XMLScanner(self)
            isUnderstood = xml.run()
            spots.add(contentsOf: xml.spots)
        case .yaml:
            var yaml = YAMLScanner(self)
            yaml.run()
            spots.add(contentsOf: yaml.spots)
        default: break
        }
        var tables = TableScanner(self)
        let isTable = tables.run()
        spots.add(contentsOf: tables.spots)
        if !isUnderstood, !isTable {
            var lines = LineScanner(self)
            lines.scan(whole)
            spots.add(contentsOf: lines.spots)
            var statements = SQLScanner(self)
            statements.run()
            spots.add(contentsOf: statements.spots)
            spots.add(contentsOf: TextsWithin(self).found())
            if kind.form == .lines {
                var checks = CheckScanner(self)
                checks.run()
                spots.add(contentsOf: checks.spots)
            }
            var communities = CommunityScanner(self)
            communities.run()
            spots.add(contentsOf: communities.spots)
            if TerraformScanner.isMeant(kind) {
                var terraform = TerraformScanner(self)
                terraform.run()
                spots.add(contentsOf: terraform.spots)
            }
        }
        if kind.isProse { spots.add(contentsOf: TextsWithin(self).tables()) }
        if !isTable {
            var prose = ProseScanner(self)
            prose.run()
            spots.add(contentsOf: prose.spots)
        }
        var inline = InlineScanner(self)
        inline.open = isPublic ? [whole] : spots.open
        inline.scan(whole)
        spots.add(contentsOf: inline.spots)
        return spots
    }

    /// The form that the content shows, whatever the name says.
    private var form: FileKind.Form {
        guard let first = bytes.first(where: { !$0.isSpaceOrBreak && $0 < 0x80 }) else {
            return kind.form
        }
        if first == 0x7b || first == 0x5b, kind.form != .yaml || depth > 0 { return .json }
        if first == 0x3c { return kind.form == .code ? .code : .xml }
        if kind.form == .json { return .lines }
        if depth > 0 || kind.form == .lines,
            bytes.has("apiVersion:", at: 0) || bytes.has("---\n", at: 0)
                || bytes.has("#cloud-config", at: 0) || bytes.has("---\r\n", at: 0)
                || bytes.has("- name:", at: bytes.prefix { $0 == 0x20 }.count)
        {
            return .yaml
        }
        return kind.form
    }

    /// What must go of a value that a structure has told apart.
    func judge(_ text: Nested, _ sensitivity: Sensitivity, name: String?, into spots: inout Spots) {
        let whole = 0..<text.bytes.count
        let parts = Value.secrets(in: whole, of: text.bytes, sensitivity)
        for (part, secretClass) in parts {
            spots.add(text.outer(part), secretClass, "key-name", key: name)
        }
        guard parts.isEmpty else { return }
        if sensitivity == .plain { spots.leave(text.outer(whole)) }
        if case .neutral = sensitivity, !isPublic,
            let secretClass = Value.unrecognised(whole, of: text.bytes)
        {
            spots.add(text.outer(whole), secretClass, "random", key: name)
            return
        }
        guard depth < TextScan.deepest, isWorthReading(text.bytes) else { return }
        let inner = TextScan(
            bytes: text.bytes,
            kind: FileKind(form: name.map { FileKind.form(ofName: $0) } ?? .lines, of: kind),
            depth: depth + 1,
            isPublic: sensitivity == .plain && name.map { FileKind.form(ofName: $0) } == .lines)
        for spot in inner.found().settled() {
            spots.add(
                text.outer(spot.range), spot.secretClass, spot.detector, key: spot.key ?? name)
        }
    }

    /// Whether a value can hold more than itself.
    private func isWorthReading(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 8 && bytes.contains { [0x3d, 0x3a, 0x20, 0x3c, 0x7b, 0x0a].contains($0) }
    }
}
