import Basics
import Connectors
import Plans

/// What a plan says about a source of kind `postgresql`.
struct PostgreSQLSettings: Sendable {
    enum Secrets: String, Sendable, CaseIterable {
        /// Left out; who has one is not told.
        case omit
        /// Left out; the omissions name who has one.
        case reference
        /// In the archive, which must be encrypted.
        case sealed
    }

    let connection: Secret?
    let password: Secret?
    /// nil: the plan does not decide.
    let secrets: Secrets?
    let included: [NamePattern]
    let excluded: [(pattern: NamePattern, reason: String)]
    let accepted: Set<DatabaseOmission>

    static let shape = PlanShape(
        required: ["connection"], optional: ["password", "secrets", "include"])
    static let filterShape = PlanShape(optional: ["tables", "schemas"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        connection = settings?.textWithSecrets("connection")
        password = settings?.textWithSecrets("password")
        secrets = settings?.choice("secrets", Secrets.self)
        let include = settings?.mapping("include", Self.filterShape)
        included = Self.patterns(include, problems)
        excluded = source.exclusions.flatMap { exclusion in
            Self.patterns(exclusion.patterns.mapping(Self.filterShape, problems), problems)
                .map { ($0, exclusion.reason) }
        }
        source.checkAccepted(among: DatabaseOmission.allCases.map(\.rawValue), problems)
        accepted = Set(source.accept.compactMap { DatabaseOmission(rawValue: $0) })
    }

    private static func patterns(
        _ mapping: PlanMapping?, _ problems: PlanProblems
    ) -> [NamePattern] {
        guard let mapping else { return [] }
        var patterns: [NamePattern] = []
        for (key, isTable) in [("tables", true), ("schemas", false)] {
            for text in mapping.strings(key) ?? [] {
                if let pattern = NamePattern(text, isTable: isTable) {
                    patterns.append(pattern)
                } else if let node = mapping[key] {
                    problems.add(
                        .planInvalidValue,
                        "\"\(text)\" is no pattern: write \(isTable ? "schema.table" : "schema"), with "
                            + "* and ? for any letters, or names in double quotes", at: node)
                }
            }
        }
        return patterns
    }

    /// Why a relation stays behind; nil when it does not.
    func exclusion(of relation: Relation) -> String? {
        if let exclusion = excluded.first(where: { $0.pattern.matches(relation) }) {
            return exclusion.reason
        }
        if !included.isEmpty, !included.contains(where: { $0.matches(relation) }) {
            return "not included by the plan"
        }
        return nil
    }
}

/// Why something of a database is not in the archive; the words that `accept` takes.
enum DatabaseOmission: String, Sendable, CaseIterable {
    /// Password verifiers of roles, and passwords in user mappings.
    case secrets
    /// Foreign tables, whose rows are elsewhere.
    case foreignTables = "foreign-tables"
    case replicationSlots = "replication-slots"
    case subscriptions
    /// Transactions prepared for two-phase commit.
    case preparedTransactions = "prepared-transactions"
    /// Unlogged tables of a standby, where they are empty.
    case unloggedTables = "unlogged-tables"
    static let excluded = "excluded"
}

/// A pattern for schemas, or for tables with their schema, as a plan writes it.
struct NamePattern: Sendable {
    private let schema: String
    private let table: String?
    let text: String

    init?(_ text: String, isTable: Bool) {
        var parts: [String] = []
        var current = ""
        var isQuoted = false
        var rest = Array(text)[...]
        while let character = rest.popFirst() {
            if character == "\"" {
                // A quote within quotes is written twice.
                if isQuoted, rest.first == "\"" {
                    rest.removeFirst()
                    current.append(character)
                } else {
                    isQuoted.toggle()
                }
            } else if character == ".", !isQuoted {
                parts.append(current)
                current = ""
            } else if isQuoted, "*?\\".contains(character) {
                current += "\\" + String(character)
            } else {
                current.append(character)
            }
        }
        parts.append(current)
        guard !isQuoted, parts.count == (isTable ? 2 : 1), parts.allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        schema = parts[0]
        table = isTable ? parts[1] : nil
        self.text = text
    }

    func matches(_ relation: Relation) -> Bool {
        Self.matches(Array(schema), Array(relation.schema))
            && (table.map { Self.matches(Array($0), Array(relation.name)) } ?? true)
    }

    private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
        var (place, mark) = (0, -1)
        var (index, star) = (0, 0)
        while index < name.count {
            if place < pattern.count, pattern[place] == "*" {
                (mark, star) = (place, index)
                place += 1
                continue
            }
            let isEscape = place + 1 < pattern.count && pattern[place] == "\\"
            let wanted =
                isEscape ? pattern[place + 1] : place < pattern.count ? pattern[place] : nil
            if let wanted, wanted == name[index] || wanted == "?" && !isEscape {
                place += isEscape ? 2 : 1
                index += 1
            } else if mark >= 0 {
                star += 1
                (place, index) = (mark + 1, star)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
