import Basics

/// What an import plan says about rehearsals, under `rehearse`.
public struct RehearsalPlan: Sendable {
    /// What is to be reached, for the whole or for a tier.
    public struct Objectives: Sendable, Equatable {
        /// Seconds from the start until all is restored and checked (RTO).
        public let time: Int64
        /// How old the consistent moment may be, in seconds (RPO); nil where nobody has said.
        public let recoveryPoint: Int64?

        public init(time: Int64, recoveryPoint: Int64?) {
            self.time = time
            self.recoveryPoint = recoveryPoint
        }
    }

    public let objectives: Objectives
    /// Seconds after which the rehearsal stops; nil for none.
    public let timeLimit: Int64?
    public let tiers: [(name: String, objectives: Objectives)]
    /// What the full-size restore is foretold for; nil takes the archive and this machine.
    public let fullSize: FullSize

    public struct FullSize: Sendable {
        /// Plaintext bytes.
        public let bytes: Int64?
        /// Bytes per second between archive and target.
        public let bandwidth: Int64?
        public let cores: Int64?

        static let shape = PlanShape(optional: ["size", "bandwidth", "cores"])
    }

    /// Four hours: what hospitals are asked for.
    public static let standardObjective: Int64 = 4 * 3600

    static let shape = PlanShape(optional: [
        "objective", "recovery-point", "time-limit", "tiers", "full-size",
    ])
    static let tierShape = PlanShape(optional: ["objective", "recovery-point"])

    init(_ node: PlanNode?, _ problems: PlanProblems) {
        let fields = node?.mapping(Self.shape, problems)
        let all = Objectives(
            time: fields?["objective"]?.seconds(problems) ?? Self.standardObjective,
            recoveryPoint: fields?["recovery-point"]?.seconds(problems))
        objectives = all
        timeLimit = fields?["time-limit"]?.seconds(problems)
        tiers = (fields?.entries("tiers") ?? []).map { entry in
            if !CommonPlan.isName(entry.key) {
                problems.add(
                    .planInvalidValue, "\"\(entry.key)\" cannot name a tier: use a-z, 0-9 and -",
                    atKeyOf: entry.node)
            }
            let tier = entry.node.mapping(Self.tierShape, problems)
            return (
                entry.key,
                Objectives(
                    time: tier?["objective"]?.seconds(problems) ?? all.time,
                    recoveryPoint: tier?["recovery-point"]?.seconds(problems) ?? all.recoveryPoint)
            )
        }
        let size = fields?.mapping("full-size", FullSize.shape)
        fullSize = FullSize(
            bytes: size?["size"]?.byteCount(problems), bandwidth: size?.byteRate("bandwidth"),
            cores: size?.integer("cores", in: 1...4096))
    }

    /// Whether a text is a length of time as plans have it.
    public static func isLength(_ text: String) -> Bool { Duration.parse(text) != nil }

    /// The objectives of a source without a tier, or of its tier.
    public func objectives(of tier: String?) -> Objectives {
        tiers.first { $0.name == tier }?.objectives ?? objectives
    }
}

/// What an import plan says about the rehearsal of one source.
public struct RehearsedTarget: Sendable {
    public let tier: String?
    /// Sources that must be restored and checked before this one begins.
    public let after: [String]
    public let probes: [ProbePlan]
    /// Whether machines and containers are started.
    public let starts: Bool
    /// How an image without a guest's configuration is started; nil where it is not.
    public let machine: Machine?

    /// A machine for disks that the archive knows no guest of.
    public struct Machine: Sendable {
        /// MiB.
        public let memory: Int64
        public let cores: Int64
        public let isUEFI: Bool
        /// Names of images, the first of them to boot from; none for all.
        public let disks: [String]

        static let shape = PlanShape(optional: ["memory", "cores", "firmware", "disks"])

        init(_ fields: PlanMapping) {
            memory = fields.integer("memory", in: 32...1 << 20) ?? 512
            cores = fields.integer("cores", in: 1...64) ?? 1
            isUEFI = fields.choice("firmware", of: ["bios", "uefi"]) == "uefi"
            disks = fields.strings("disks") ?? []
        }
    }

    /// The kind of target that a rehearsal makes and removes by itself.
    public static let throwAway = "throw-away"

    static let keys = ["tier", "after", "probes", "start", "machine"]

    init(_ fields: PlanMapping?, _ problems: PlanProblems) {
        tier = fields?.string("tier")
        after = fields?.strings("after") ?? []
        probes = ProbePlan.list(fields?["probes"], problems)
        starts = fields?.flag("start") ?? true
        machine = fields?.mapping("machine", Machine.shape).map(Machine.init)
    }
}

extension PlanNode {
    private static let byteUnits: [(String, Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("B", 1), ("", 1),
    ]

    /// A number of bytes such as `4TiB`, `500GB` or `1048576`.
    func byteCount(_ problems: PlanProblems) -> Int64? {
        guard let text = string(problems) else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        if let factor = Self.byteUnits.first(where: { $0.0 == unit })?.1,
            let number = Int64(digits), number > 0
        {
            let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
            if !overflow, bytes < JSON.largestInteger { return bytes }
        }
        problems.add(
            .planInvalidValue,
            "\(name) must be a size such as 4TiB or 500GB, not \"\(text)\"", at: self)
        return nil
    }
}
