import Basics
import Connectors
import Databases
import Plans

/// What a plan says about a source of kind `mariadb` or `mysql`.
struct MariaDBSettings: Sendable {
    enum Secrets: String, Sendable, CaseIterable {
        /// Left out; who has one is not told.
        case omit
        /// Left out; the omissions name who has one.
        case reference
        /// In the archive, which must be encrypted.
        case sealed
    }

    /// What is done about tables that no snapshot covers.
    enum NonTransactional: String, Sendable, CaseIterable {
        /// They are kept from being written until the export is done.
        case lock
        /// They are read as they are at some time of the export.
        case accept
    }

    let options: ConnectionOptions
    /// nil: all but those of the server.
    let databases: [String]?
    let secrets: Secrets?
    let nonTransactional: NonTransactional?
    /// Seconds that the lock around the moment is waited for.
    let lockTimeout: Int64
    let included: [NamePattern]
    let excluded: [(pattern: NamePattern, reason: String)]
    let accepted: Set<MariaDBOmission>

    static let shape = PlanShape(
        required: ["connection"],
        optional: ["databases", "secrets", "non-transactional", "lock-timeout", "include"])
    static let filterShape = PlanShape(optional: ["tables"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        options = ConnectionOptions(
            settings?.mapping("connection", ConnectionOptions.shape), problems)
        let names = settings?.strings("databases")
        databases = names == ["all"] ? nil : names
        if let node = settings?["databases"],
            let own = names?.first(where: { ServerFacts.systemDatabases.contains($0.lowercased()) })
        {
            problems.add(
                .planInvalidValue,
                "\"\(own)\" is a database of the server itself; accounts come with the databases "
                    + "that need them", at: node)
        }
        secrets = settings?.choice("secrets", Secrets.self)
        nonTransactional = settings?.choice("non-transactional", NonTransactional.self)
        lockTimeout = settings?.integer("lock-timeout", in: 1...3600) ?? 30
        included = Self.patterns(settings?.mapping("include", Self.filterShape), problems)
        excluded = source.exclusions.flatMap { exclusion in
            Self.patterns(exclusion.patterns.mapping(Self.filterShape, problems), problems)
                .map { ($0, exclusion.reason) }
        }
        source.checkAccepted(among: MariaDBOmission.allCases.map(\.rawValue), problems)
        accepted = Set(source.accept.compactMap { MariaDBOmission(rawValue: $0) })
    }

    private static func patterns(
        _ mapping: PlanMapping?, _ problems: PlanProblems
    ) -> [NamePattern] {
        guard let mapping else { return [] }
        var patterns: [NamePattern] = []
        for text in mapping.strings("tables") ?? [] {
            if let pattern = NamePattern(text, isTable: true) {
                patterns.append(pattern)
            } else if let node = mapping["tables"] {
                problems.add(
                    .planInvalidValue,
                    "\"\(text)\" is no pattern: write database.table, with * and ? for any "
                        + "letters, or names in double quotes", at: node)
            }
        }
        return patterns
    }

    /// Why a table, view or sequence stays behind; nil when it does not.
    func exclusion(of table: Table) -> String? {
        if let exclusion = excluded.first(where: {
            $0.pattern.matches(schema: table.database, name: table.name)
        }) {
            return exclusion.reason
        }
        if !included.isEmpty,
            !included.contains(where: { $0.matches(schema: table.database, name: table.name) })
        {
            return "not included by the plan"
        }
        return nil
    }
}

/// Why something of a server is not in the archive, or not as of the moment; the words that `accept`
/// takes.
enum MariaDBOmission: String, Sendable, CaseIterable {
    /// What proves who an account is.
    case secrets
    /// Accounts that this account may not see.
    case accounts
    /// Triggers, events, routines or tables that this account might not see.
    case hidden = "hidden-objects"
    /// Tables whose rows are on another server, or in other tables.
    case foreignTables = "foreign-tables"
    /// Tables that no snapshot covers, read at another time than the rest.
    case nonTransactional = "non-transactional"
    /// Transactions prepared for two-phase commit (XA), which no snapshot shows.
    case preparedTransactions = "prepared-transactions"
    /// History that is kept by numbers of transactions.
    case transactionHistory = "transaction-history"
    /// Generated columns whose value the server computes anew each time.
    case changingColumns = "changing-columns"
}
