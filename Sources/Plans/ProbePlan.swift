public import Basics

/// A question that a plan asks of what it exports or restores, and the answer that must come.
///
/// The request is kept as JSON, because an archive records it and its digest stands in receipts.
public struct ProbePlan: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// One statement that reads, asked of a database.
        case sql
        /// The SHA-256 of a file.
        case file
        /// A GET of HTTP/1.1.
        case http
        /// A port that takes a connection.
        case tcp
        /// A text on the serial console of a machine.
        case serial
        /// A ping of the guest agent of a machine, or a command run by it.
        case agent
        /// A command in a container.
        case command
    }

    public enum Expectation: Sendable, Equatable {
        /// What was answered at the export.
        case recorded
        case text(String)
        /// That there is an answer.
        case any
    }

    public let name: String
    public let kind: Kind
    /// `{"kind": …}` and what is asked; equal requests have equal canonical bytes.
    public let request: JSON
    public let expectation: Expectation
    /// Seconds that an answer is waited for.
    public let patience: Int64

    static let shape = PlanShape(
        required: ["name"],
        optional: [
            "sql", "file", "http", "tcp", "serial", "agent", "command", "database", "guest",
            "status", "expect", "within",
        ])

    public init(
        name: String, kind: Kind, request: JSON, expectation: Expectation, patience: Int64
    ) {
        self.name = name
        self.kind = kind
        self.request = request
        self.expectation = expectation
        self.patience = patience
    }

    /// Machines take their time, databases have started when they are asked.
    public static func standardPatience(of kind: Kind) -> Int64 {
        switch kind {
        // Counting a large table takes its time.
        case .sql: 600
        case .file, .command: 60
        case .http, .tcp, .serial, .agent: 300
        }
    }

    static func list(_ node: PlanNode?, _ problems: PlanProblems) -> [ProbePlan] {
        var probes: [ProbePlan] = []
        for element in node?.elements(problems) ?? [] {
            guard let probe = ProbePlan(element, problems) else { continue }
            if probes.contains(where: { $0.name == probe.name }) {
                problems.add(
                    .planInvalidValue, "two probes are named \"\(probe.name)\"", at: element)
            }
            probes.append(probe)
        }
        return probes
    }

    private init?(_ node: PlanNode, _ problems: PlanProblems) {
        guard let fields = node.mapping(Self.shape, problems) else { return nil }
        let asked = Kind.allCases.filter { fields[$0.rawValue] != nil }
        guard asked.count == 1, let kind = asked.first else {
            problems.add(
                .planInvalidValue,
                "a probe asks exactly one of "
                    + Kind.allCases.map(\.rawValue).joined(separator: ", "), at: node)
            return nil
        }
        guard let name = fields.string("name") else { return nil }
        guard CommonPlan.isName(name) else {
            problems.add(
                .planInvalidValue,
                "the name of a probe is at most \(CommonPlan.longestName) of a-z, 0-9 and -",
                at: node)
            return nil
        }
        guard let request = Self.request(kind, fields) else { return nil }
        self.name = name
        self.kind = kind
        self.request = request
        let expected = fields.string("expect")
        switch expected {
        case "recorded": expectation = .recorded
        case .some(let text): expectation = .text(text)
        case nil: expectation = kind == .sql || kind == .file ? .recorded : .any
        }
        if let node = fields["expect"], kind == .tcp || kind == .serial {
            problems.add(
                .planInvalidValue, "a probe of kind \(kind.rawValue) has no other answer", at: node)
        }
        if let node = fields["expect"], expected == "recorded", kind != .sql, kind != .file {
            problems.add(
                .planInvalidValue,
                "only answers to sql and file are recorded by an export: write what you expect",
                at: node)
        }
        patience =
            fields["within"].flatMap { $0.seconds(problems) } ?? Self.standardPatience(of: kind)
    }

    /// The keys that only some kinds of probes have.
    private static let extras: [String: Set<Kind>] = [
        "database": [.sql], "guest": [.http, .tcp, .serial, .agent, .command], "status": [.http],
    ]

    private static func request(_ kind: Kind, _ fields: PlanMapping) -> JSON? {
        for (key, kinds) in extras where !kinds.contains(kind) {
            guard let node = fields[key] else { continue }
            fields.problems.add(
                .planUnknownKey, "a probe of kind \(kind.rawValue) takes no \"\(key)\"",
                atKeyOf: node)
        }
        var members: [JSON.Member] = [.init("kind", .string(kind.rawValue))]
        if kind == .command || kind == .agent {
            guard let words = fields.strings(kind.rawValue), !words.isEmpty else { return nil }
            members.append(.init(kind.rawValue, .array(words.map { .string($0) })))
        } else {
            guard let text = fields.string(kind.rawValue) else { return nil }
            guard isUsable(text, kind) else {
                if let node = fields[kind.rawValue] {
                    fields.problems.add(.planInvalidValue, advice(kind), at: node)
                }
                return nil
            }
            members.append(.init(kind.rawValue, .string(text)))
        }
        if let database = fields.string("database") {
            members.append(.init("database", .string(database)))
        }
        if let guest = fields.integer("guest", in: 1...999_999_999) {
            members.append(.init("guest", .integer(guest)))
        }
        if kind == .http {
            members.append(
                .init("status", .integer(fields.integer("status", in: 100...599) ?? 200)))
        }
        return .object(members)
    }

    private static func isUsable(_ text: String, _ kind: Kind) -> Bool {
        switch kind {
        case .sql:
            let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map {
                $0.uppercased()
            }
            let first = statement(in: text).prefix { $0.isLetter }
            // MariaDB writes files in a transaction that only reads. Comments may stand in between.
            let writes = words.drop { $0 != "INTO" }
                .contains { ["OUTFILE", "DUMPFILE"].contains($0) }
            return !writes
                && ["SELECT", "WITH", "VALUES", "TABLE", "SHOW"].contains(first.uppercased())
        case .file:
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            return !text.hasPrefix("/")
                && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        case .http: return text.hasPrefix("http://") && text.utf8.count > 7
        case .tcp:
            let parts = text.split(separator: ":")
            return parts.count >= 2 && parts.last.flatMap { UInt16($0) } != nil
        case .serial: return text.utf8.count <= 256
        case .agent, .command: return true
        }
    }

    /// Where the statement begins: behind comments, unless one is run (`/*!`, `/*M!`) or holds another, which
    /// servers read differently.
    private static func statement(in sql: String) -> Substring {
        var rest = Substring(sql)
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "(" }
            if rest.hasPrefix("--") {
                // Servers differ in what else than a line feed ends one.
                let comment = rest.prefix { $0 != "\n" && $0 != "\r\n" }
                if comment.contains(where: \.isNewline) { return rest }
                rest = rest[comment.endIndex...]
            } else if rest.hasPrefix("/*"), !rest.hasPrefix("/*!"), !rest.hasPrefix("/*M!"),
                let end = rest.dropFirst(2).firstRange(of: "*/"),
                !rest.dropFirst(2)[..<end.lowerBound].contains("/*")
            {
                rest = rest[end.upperBound...]
            } else {
                return rest
            }
        }
    }

    private static func advice(_ kind: Kind) -> String {
        switch kind {
        case .sql: "\"sql\" is one statement that reads: SELECT, WITH, VALUES, TABLE or SHOW"
        case .file: "\"file\" is a path below the root of the tree, such as dir/name"
        case .http: "\"http\" is an address such as http://guest:8080/health"
        case .tcp: "\"tcp\" is HOST:PORT, such as guest:5432"
        case .serial: "\"serial\" is a text of at most 256 bytes"
        case .agent, .command: "\"\(kind.rawValue)\" is a list of words"
        }
    }
}

extension PlanNode {
    /// A length of time such as `4h`, `90min`, `1h30min`, `45s` or `2d`, in seconds.
    public func seconds(_ problems: PlanProblems) -> Int64? {
        guard let text = string(problems) else { return nil }
        if let seconds = Duration.parse(text) { return seconds }
        problems.add(
            .planInvalidValue,
            "\(name) must be a length of time such as 4h, 90min, 1h30min or 45s, not \"\(text)\"",
            at: self)
        return nil
    }
}

/// Lengths of time as people write them.
enum Duration {
    private static let units: [(String, Int64)] = [
        ("d", 86_400), ("h", 3600), ("min", 60), ("s", 1),
    ]

    /// Whole seconds, at least one and at most a year; nil for what is none.
    static func parse(_ text: String) -> Int64? {
        var rest = Substring(text)
        var total: Int64 = 0
        var last = Int64.max
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits), number < 1 << 32 else { return nil }
            rest = rest.dropFirst(digits.count)
            let word = rest.prefix { $0.isASCII && $0.isLetter }
            guard let unit = units.first(where: { $0.0 == word })?.1, unit < last else {
                return nil
            }
            rest = rest.dropFirst(word.count)
            last = unit
            total += number * unit
        }
        return (1...366 * 86_400).contains(total) ? total : nil
    }
}
