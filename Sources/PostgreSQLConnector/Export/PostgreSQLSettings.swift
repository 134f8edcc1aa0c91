import Basics
import Connectors
import Databases
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
}

extension NamePattern {
    func matches(_ relation: Relation) -> Bool {
        matches(schema: relation.schema, name: relation.name)
    }
}
