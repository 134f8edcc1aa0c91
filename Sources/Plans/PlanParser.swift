import Basics
import Yams

/// Reads the YAML of a plan into nodes.
///
/// A plan is one document of plain YAML 1.2: mappings with texts as keys, lists and texts. What can
/// hide a value or make one file read in two ways is refused: anchors and aliases, tags, merge keys,
/// duplicate keys, several documents. Stands on libyaml through Yams, which gives the marks.
struct PlanParser {
    /// Larger files are no plans.
    static let largestPlan = 1 << 20
    private static let deepest = 64

    private let origin: PlanOrigin
    private let problems: PlanProblems

    /// The tree of a plan, or nil where the problems say why there is none.
    static func parse(
        _ bytes: [UInt8], _ origin: PlanOrigin, _ problems: PlanProblems
    ) -> PlanNode? {
        PlanParser(origin: origin, problems: problems).parse(bytes)
    }

    private func parse(_ bytes: [UInt8]) -> PlanNode? {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let content = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...]
        guard let text = decode(content) else { return nil }
        do {
            let parser = try Parser(yaml: text, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                add("the file is empty", PlanNode.Position(line: 1, column: 1))
                return nil
            }
            // Nodes hold their anchors weakly: the parser has to outlive the walk.
            return withExtendedLifetime(parser) { node(root, path: "", depth: 0) }
        } catch let error as YamlError {
            add(error, text)
        } catch {
            add("cannot be read: \(error)", PlanNode.Position(line: 1, column: 1))
        }
        return nil
    }

    private func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        // The line of the first byte that no UTF-8 has at its place.
        var line = 1
        for part in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { break }
            line += 1
        }
        add("the line is not UTF-8", PlanNode.Position(line: line, column: 1))
        return nil
    }

    // MARK: - Nodes

    private func node(
        _ node: Node, path: String, key: PlanNode.Position? = nil, depth: Int
    ) -> PlanNode {
        let position = position(node)
        func made(_ content: PlanNode.Content) -> PlanNode {
            PlanNode(content, origin, at: position, keyPosition: key, path: path)
        }
        func refused(_ message: String) -> PlanNode {
            add(message, position)
            return made(.refused)
        }
        // Checked before going down: aliases repeat a tree as often as they like.
        guard node.anchor == nil else {
            return refused("anchors (&) and aliases (*) are not allowed: write the value out")
        }
        guard depth < Self.deepest else { return refused("nested too deeply") }
        switch node {
        case .scalar(let scalar):
            let quoted = scalar.style != .plain
            guard isPlain(scalar.tag) || quoted && scalar.tag.rawValue == Tag.Name.str.rawValue
            else {
                return refused("tags (!) are not allowed: write the value alone")
            }
            return made(.text(scalar.string, quoted: quoted))
        case .sequence(let sequence):
            guard isPlain(sequence.tag) else { return refused("tags (!) are not allowed") }
            return made(
                .sequence(
                    sequence.enumerated().map { index, element in
                        self.node(element, path: "\(path)[\(index)]", depth: depth + 1)
                    }))
        case .mapping(let mapping):
            guard isPlain(mapping.tag) else { return refused("tags (!) are not allowed") }
            return made(.mapping(entries(mapping, path, depth)))
        case .alias: return refused("aliases (*) are not allowed: write the value out")
        }
    }

    private func entries(_ mapping: Node.Mapping, _ path: String, _ depth: Int) -> [PlanNode.Entry]
    {
        var entries: [PlanNode.Entry] = []
        var seen: Set<[UInt8]> = []
        for (key, value) in mapping {
            let position = position(key)
            guard key.anchor == nil, case .scalar(let scalar) = key,
                isPlain(scalar.tag) || scalar.tag.rawValue.hasPrefix("tag:yaml.org,2002:")
            else {
                add("a key must be a plain text", position)
                continue
            }
            guard !scalar.string.isEmpty, !scalar.string.utf8.contains(0) else {
                add("a key is missing before \":\"", position)
                continue
            }
            guard scalar.string != "<<" else {
                add("merge keys (<<) are not allowed: write the keys out", position)
                continue
            }
            guard seen.insert(Array(scalar.string.utf8)).inserted else {
                add("key \"\(scalar.string)\" is there twice", position)
                continue
            }
            let below = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
            entries.append(
                PlanNode.Entry(
                    key: scalar.string,
                    node: node(value, path: below, key: position, depth: depth + 1)))
        }
        return entries
    }

    /// Whether the file gave no tag. `Node.tag` would put a resolved one there, so the parts of a node
    /// are asked; those of keys are resolved already, by the search for duplicates.
    private func isPlain(_ tag: Tag) -> Bool { tag.rawValue.isEmpty }

    private func position(_ node: Node) -> PlanNode.Position {
        PlanNode.Position(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    // MARK: - Problems

    private func add(_ message: String, _ position: PlanNode.Position) {
        problems.add(.planSyntax, message, origin.file, position)
    }

    private func add(_ error: YamlError, _ text: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            var message = problem
            let lines = Self.lines(text)
            if mark.line >= 1, mark.line <= lines.count, hasTab(lines[mark.line - 1], mark.column) {
                message = "a tab cannot indent: use spaces"
            }
            add(message, PlanNode.Position(line: mark.line, column: mark.column))
        case .composer(let context, let problem, let mark, _):
            let several = context?.text.contains("single document") == true
            add(
                several ? "a second document begins: a plan is one" : problem,
                PlanNode.Position(line: mark.line, column: mark.column))
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
            add(
                "key \(names) is there twice",
                PlanNode.Position(line: context.mark.line, column: context.mark.column))
        case .reader(let problem, let offset, _, _):
            let lines = Self.lines(String(text.prefix(offset ?? 0)))
            add(
                problem,
                PlanNode.Position(
                    line: max(1, lines.count), column: (lines.last?.count ?? 0) + 1))
        default:
            add("cannot be read: \(error)", PlanNode.Position(line: 1, column: 1))
        }
    }

    /// Whether a tab stands where the mark is, or before it among spaces alone.
    private func hasTab(_ line: Substring.UnicodeScalarView, _ column: Int) -> Bool {
        let atMark = line.dropFirst(max(0, column - 1)).first == "\t"
        return atMark || line.prefix { $0 == " " || $0 == "\t" }.contains("\t")
    }

    /// Scalars, not characters: for Swift a carriage return and its line feed are one character.
    private static func lines(_ text: String) -> [Substring.UnicodeScalarView] {
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
