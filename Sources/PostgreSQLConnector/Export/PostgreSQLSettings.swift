import Basics
import Connectors
import Plans

/// What a plan says about a source of kind `postgresql`.
struct PostgreSQLSettings: Sendable {
    /// What to do with verifiers of passwords and the passwords of user mappings.
    enum Secrets: String, CaseIterable, Sendable {
        /// They stay behind; the plan has said so.
        case omit
        /// They stay behind, and the archive lists what has to be entered again.
        case reference
        /// They go into the encrypted archive.
        case sealed
    }

    struct Exclusion: Sendable {
        var tables: [TablePattern]
        var schemas: [TablePattern]
        var reason: String
    }

    let connection: ConnectionInfo?
    let secrets: Secrets?
    let exclusions: [Exclusion]
    /// Nil where everything is included.
    let inclusion: Exclusion?
    let accepted: Set<String>

    static let shape = PlanShape(
        required: ["connection"], optional: ["password", "secrets", "include"])
    static let inclusionShape = PlanShape(optional: ["tables", "schemas", "reason"])
    static let exclusionShape = PlanShape(optional: ["tables", "schemas"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        var info: ConnectionInfo?
        if let text = settings?.textWithSecrets("connection") {
            do throws(Failure) {
                info = try ConnectionInfo(
                    text.revealed(), password: settings?.textWithSecrets("password"))
            } catch {
                problems.add(error.code, error.what, atKeyOf: source.settings)
            }
        }
        connection = info
        secrets = settings?.choice("secrets", Secrets.self)
        source.checkAccepted(among: DatabaseOmission.allCases.map(\.rawValue), problems)
        accepted = Set(source.accept)
        exclusions = source.exclusions.map { exclusion in
            let mapping = exclusion.patterns.mapping(Self.exclusionShape, problems)
            return Self.patterns(mapping, reason: exclusion.reason, problems)
        }
        let include = settings?.mapping("include", Self.inclusionShape)
        inclusion = include.map {
            Self.patterns($0, reason: $0.string("reason") ?? "not in include", problems)
        }
    }

    private static func patterns(
        _ mapping: PlanMapping?, reason: String, _ problems: PlanProblems
    ) -> Exclusion {
        func read(_ key: String, most: Int) -> [TablePattern] {
            (mapping?.strings(key) ?? []).compactMap { text in
                if let pattern = TablePattern(text, most: most) { return pattern }
                if let node = mapping?[key] {
                    problems.add(
                        .planInvalidValue, "\"\(text)\" is no pattern for \(key)", at: node)
                }
                return nil
            }
        }
        return Exclusion(
            tables: read("tables", most: 2), schemas: read("schemas", most: 1), reason: reason)
    }

    /// Why a table stays behind; nil where it is exported.
    func exclusion(schema: String, table: String) -> String? {
        for exclusion in exclusions
        where exclusion.schemas.contains(where: { $0.matches(schema: schema) })
            || exclusion.tables.contains(where: { $0.matches(schema: schema, table: table) })
        {
            return exclusion.reason
        }
        guard let inclusion else { return nil }
        let isIn =
            inclusion.schemas.contains { $0.matches(schema: schema) }
            || inclusion.tables.contains { $0.matches(schema: schema, table: table) }
        return isIn ? nil : inclusion.reason
    }

    /// Why all of a schema stays behind; nil where something of it may be exported.
    func exclusion(schema: String) -> String? {
        for exclusion in exclusions
        where exclusion.schemas.contains(where: { $0.matches(schema: schema) }) {
            return exclusion.reason
        }
        guard let inclusion, inclusion.tables.isEmpty else { return nil }
        return inclusion.schemas.contains { $0.matches(schema: schema) } ? nil : inclusion.reason
    }
}

/// Why an object of a database is not in the archive; the words that `accept` takes.
enum DatabaseOmission: String, Sendable, CaseIterable {
    /// Positions of consumers of the write-ahead log mean nothing to another server.
    case replicationSlots = "replication-slots"
    /// A subscription on two servers would consume for both.
    case subscriptions
    /// The rows of a foreign table belong to another server.
    case foreignTables = "foreign-tables"
    /// Verifiers of role passwords and passwords of user mappings.
    case passwords
    /// Transactions that wait for their second phase.
    case preparedTransactions = "prepared-transactions"
    /// Empty by nature on a standby.
    case unloggedTables = "unlogged-tables"
    /// What depends on a table that a filter leaves out.
    case brokenReferences = "broken-references"
    /// Views of `CREATE … WITH NO DATA` hold nothing to be copied.
    case unpopulatedViews = "unpopulated-views"

    /// The reason of an omission that a filter of the plan names; always covered.
    static let excluded = "excluded"
}
