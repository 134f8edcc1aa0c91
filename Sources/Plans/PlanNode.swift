import Basics

/// One value of a plan with the place it was written: a text, a mapping or a sequence.
///
/// A connector gets the settings of its source as such a node and reads them with `mapping`, which
/// refuses keys the connector does not name. Values keep the text of the file: `contract: 0042`
/// stays "0042", and `no` is a boolean for nobody.
public struct PlanNode: Sendable {
    /// A line and a column, both counted from 1; columns count Unicode scalars.
    public struct Position: Sendable, Hashable, Comparable {
        public let line: Int
        public let column: Int

        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }

        public static func < (left: Position, right: Position) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }

    /// A key of a mapping and its value.
    public struct Entry: Sendable {
        public let key: String
        public let node: PlanNode
    }

    enum Content: Sendable {
        case text(String, quoted: Bool)
        case mapping([Entry])
        case sequence([PlanNode])
        /// What the parser has complained about already; readers stay silent about it.
        case refused
    }

    let content: Content
    let origin: PlanOrigin
    /// Where the value begins.
    public let position: Position
    /// Where the key of this value begins, for values of a mapping.
    public let keyPosition: Position?
    /// The keys that lead here, as people write them: `sources.partage.path`; empty at the top.
    public let path: String
    /// Keys of the same mapping that somebody else reads: no problem, and none of the reader's.
    let foreignKeys: [String]

    init(
        _ content: Content, _ origin: PlanOrigin, at position: Position,
        keyPosition: Position? = nil, path: String, foreignKeys: [String] = []
    ) {
        self.content = content
        self.origin = origin
        self.position = position
        self.keyPosition = keyPosition
        self.path = path
        self.foreignKeys = foreignKeys
    }

    /// The plan's file, as it was given.
    public var file: String { origin.file }
    public var line: Int { position.line }
    public var column: Int { position.column }

    /// The last key of the path, quoted, to speak about the value in a message.
    var name: String {
        guard let last = path.split(separator: ".").last else { return "the plan" }
        return "\"\(last)\""
    }

    /// Written as nothing, `~` or `null`.
    var isNull: Bool {
        guard case .text(let text, quoted: false) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// Whether keys and values stand here, where a reader takes a text as well.
    public var isMapping: Bool { if case .mapping = content { true } else { false } }

    var isRefused: Bool { if case .refused = content { true } else { false } }

    /// What stands here, for a message about a value of the wrong kind.
    var kind: String {
        switch content {
        case .text: "a text"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .refused: "nothing"
        }
    }

    /// The same mapping with these keys alone.
    func keeping(_ keys: [String]) -> PlanNode {
        guard case .mapping(let entries) = content else { return self }
        return PlanNode(
            .mapping(entries.filter { keys.contains($0.key) }), origin, at: position,
            keyPosition: keyPosition, path: path)
    }

    /// The same mapping for a reader who has no business with these keys.
    func hiding(_ keys: [String]) -> PlanNode {
        guard case .mapping(let entries) = content else { return self }
        return PlanNode(
            .mapping(entries.filter { !keys.contains($0.key) }), origin, at: position,
            keyPosition: keyPosition, path: path, foreignKeys: keys)
    }
}

/// The file a node comes from, and what references in it are resolved against.
final class PlanOrigin: Sendable {
    let file: String
    /// The directory that relative paths of the plan start from.
    let directory: String
    /// A closure, not a dictionary: nobody prints the environment by printing a node.
    let variable: @Sendable (String) -> String?

    init(file: String, variable: @escaping @Sendable (String) -> String?) {
        self.file = file
        self.directory = Files.parent(of: file)
        self.variable = variable
    }

    /// A path of the plan as the program opens it: relative ones start at the plan's directory.
    func resolve(_ path: String) -> String {
        if path.hasPrefix("/") || directory == "." { return path }
        return (directory == "/" ? "" : directory) + "/" + path
    }
}
