public import Basics

/// How the archive is named, packed, encrypted and sealed.
public struct ArchivePlan: Sendable {
    /// The name of the bag, and of its one top folder in a tar.
    public let name: String
    public let compression: Compression
    /// age recipients; without any the archive is in clear.
    public let encryptTo: [String]
    /// Where each of them stands, as `plan.yaml:7:17`: whether one is whole is found out elsewhere.
    public let encryptToPlaces: [String]
    /// The stem given to `exeat keys new`, resolved.
    public let signWith: String
    /// Who stamps the time (RFC 3161); the place in the list names the files of each.
    public let timestamps: [TimestampAuthority]
    /// The archive before this one in its series, or its seal; resolved.
    public let previous: String?
    /// Nobody shall restore the archive from this moment on.
    public let restoreBefore: Timestamp?
    /// The digests of the payload manifests; SHA-256 is always among them.
    public let manifests: [Manifest]

    public enum Manifest: String, Sendable, CaseIterable {
        case sha256, sha512
    }

    public struct Compression: Sendable {
        public enum Level: Sendable, Equatable {
            /// A level of zstd, 1…19.
            case fixed(Int32)
            /// As high as the other stages leave time for.
            case adaptive
        }

        public let level: Level
        /// Long-distance matching with a window of 2²⁷ bytes.
        public let long: Bool

        static let shape = PlanShape(optional: ["level", "long"])
        static let defaultLevel: Int32 = 3
    }

    static let shape = PlanShape(
        required: ["name", "sign-with"],
        optional: [
            "compression", "encrypt-to", "timestamp", "previous", "restore-before", "manifests",
        ])
    static let longestName = 64

    init(_ node: PlanNode?, _ problems: PlanProblems) {
        let archive = node?.mapping(Self.shape, problems)
        name = archive?["name"].flatMap { Self.name($0, problems) } ?? ""
        compression = Self.compression(archive)
        let recipients = archive?["encrypt-to"].map { Self.recipients($0, problems) } ?? []
        encryptTo = recipients.map(\.text)
        encryptToPlaces = recipients.map(\.place)
        signWith = archive?.path("sign-with") ?? ""
        timestamps = archive?["timestamp"].map { TimestampAuthority.list($0, problems) } ?? []
        previous = archive?.path("previous")
        restoreBefore = archive?["restore-before"].flatMap { Self.moment($0, problems) }
        manifests = archive?["manifests"].map { Self.manifests($0, problems) } ?? [.sha256]
    }

    private static func name(_ node: PlanNode, _ problems: PlanProblems) -> String? {
        guard let name = node.string(problems) else { return nil }
        let alphanumeric = name.utf8.map {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
        }
        let allowed = zip(name.utf8, alphanumeric).allSatisfy { byte, isAlphanumeric in
            isAlphanumeric || byte == 0x2e || byte == 0x5f || byte == 0x2d
        }
        guard alphanumeric.first == true, allowed, name.utf8.count <= longestName else {
            problems.add(
                .planInvalidValue,
                "\"name\" must be at most \(longestName) of A-Z, a-z, 0-9, \".\", \"_\" and \"-\", "
                    + "beginning with a letter or a digit", at: node)
            return nil
        }
        return name
    }

    private static func compression(_ archive: PlanMapping?) -> Compression {
        let fields = archive?.mapping("compression", Compression.shape)
        var level = Compression.Level.fixed(Compression.defaultLevel)
        if let node = fields?["level"], let problems = archive?.problems {
            if case .text("adaptive", _) = node.content {
                level = .adaptive
            } else if let number = node.integer(in: 1...19, problems) {
                level = .fixed(Int32(number))
            }
        }
        return Compression(level: level, long: fields?.flag("long") ?? false)
    }

    private static func recipients(
        _ node: PlanNode, _ problems: PlanProblems
    ) -> [(text: String, place: String)] {
        var recipients: [(text: String, place: String)] = []
        let isPostQuantum = { (text: String) in text.hasPrefix("age1pq1") }
        for element in node.elements(problems) ?? [] {
            guard let recipient = element.string(problems) else { continue }
            if !recipient.hasPrefix("age1") {
                let secret = recipient.uppercased().hasPrefix("AGE-SECRET-KEY-")
                problems.add(
                    .planInvalidValue,
                    secret
                        ? "\"encrypt-to\" holds a secret key; it takes the public one, age1…"
                        : "\"encrypt-to\" takes age recipients, which begin with \"age1\"",
                    at: element)
            } else if recipients.contains(where: { $0.text == recipient }) {
                problems.add(
                    .planInvalidValue, "\"encrypt-to\" names a recipient twice", at: element)
            } else if let first = recipients.first,
                isPostQuantum(first.text) != isPostQuantum(recipient)
            {
                problems.add(
                    .ageRecipientsMixed,
                    "\"encrypt-to\" mixes recipients that begin with \"age1pq1\" and others, and "
                        + "the weaker kind decides: name one kind", at: element)
            } else {
                let position = element.position
                recipients.append(
                    (recipient, "\(element.file):\(position.line):\(position.column)"))
            }
        }
        return recipients
    }

    /// A day, or a time in UTC.
    private static func moment(_ node: PlanNode, _ problems: PlanProblems) -> Timestamp? {
        guard let text = node.string(problems) else { return nil }
        let whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
        guard let moment = Timestamp(whole), text.hasPrefix(moment.date) else {
            problems.add(
                .planInvalidValue,
                "\"restore-before\" must be a day such as 2027-03-31, or a time such as "
                    + "2027-03-31T18:00:00Z", at: node)
            return nil
        }
        return moment
    }

    private static func manifests(_ node: PlanNode, _ problems: PlanProblems) -> [Manifest] {
        let words = Manifest.allCases.map(\.rawValue)
        let chosen = (node.elements(problems) ?? []).compactMap { $0.choice(of: words, problems) }
        if !chosen.isEmpty, !chosen.contains("sha256") {
            problems.add(.planInvalidValue, "\"manifests\" must hold sha256", at: node)
        }
        return Manifest.allCases.filter { chosen.contains($0.rawValue) }
    }
}
