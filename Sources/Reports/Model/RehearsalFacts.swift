import Basics

/// What a receipt of a rehearsal says of its times, its probes and its objectives.
struct RehearsalFacts: Sendable {
    struct Tier: Sendable {
        /// nil for all that is in no tier.
        let name: String?
        let milliseconds: Int64
        let objectiveSeconds: Int64
        let isComplete: Bool
        let isInTime: Bool
        let pointSeconds: Int64?
        let pointObjectiveSeconds: Int64?
        let isRecentEnough: Bool
    }

    struct Source: Sendable {
        let folder: String
        let kind: String
        let tier: String?
        let outcome: String
        let failure: String?
        let start: Int64
        let end: Int64
        let moment: Timestamp?
        let pointSeconds: Int64?
        let guests: [Guest]
    }

    struct Guest: Sendable {
        let number: Int64
        let kind: String
        let state: String
        let milliseconds: Int64
    }

    struct Phase: Sendable {
        let folder: String?
        let phase: String
        let start: Int64
        let end: Int64
        let busy: Int64
        let bound: String?
    }

    struct Probe: Sendable {
        let folder: String
        let number: Int64
        let kind: String
        let isRecorded: Bool
        let hasExpectation: Bool
        let hasAnswer: Bool
        let held: Bool
        let milliseconds: Int64
    }

    /// A rehearsal of before, as the later one remembers it.
    struct Earlier: Sendable {
        let at: Timestamp?
        let status: Int64
        let milliseconds: Int64
        let objectiveSeconds: Int64
    }

    struct Prediction: Sendable {
        let bytes: Int64
        let seconds: Int64
        let cores: Int64
        let bound: String
        /// `measured`, `fair`, `weak` or `none`.
        let trust: String
        let measuredBytes: Int64
    }

    let receipt: ReceiptFacts
    let verdict: String
    let milliseconds: Int64
    let objectiveSeconds: Int64
    let isInTime: Bool
    let reachedTimeLimit: Bool
    let isArchiveIntact: Bool
    let damagedFiles: Int64
    let cores: Int64?
    let workers: Int64?
    let percentBusy: Int64?
    let hasKVM: Bool
    let tiers: [Tier]
    let sources: [Source]
    let phases: [Phase]
    let criticalPath: [Phase]
    let bound: String?
    let probes: [Probe]
    let prediction: Prediction?
    let earlier: [Earlier]

    init?(_ receipt: ReceiptFacts) {
        guard let json = receipt.predicate["rehearsal"] else { return nil }
        func list<Element>(_ key: String, _ read: (JSON) -> Element) -> [Element] {
            (json[key]?.array ?? []).map(read)
        }
        self.receipt = receipt
        verdict = json["verdict"]?.string ?? ""
        milliseconds = json["milliseconds"]?.integer ?? 0
        objectiveSeconds = json["objectiveSeconds"]?.integer ?? 0
        isInTime = json["isInTime"]?.bool ?? false
        reachedTimeLimit = json["reachedTimeLimit"]?.bool ?? false
        isArchiveIntact = json["archive"]?["isIntact"]?.bool ?? false
        damagedFiles = json["archive"]?["damagedFiles"]?.integer ?? 0
        cores = json["machine"]?["cores"]?.integer
        workers = json["machine"]?["workers"]?.integer
        percentBusy = json["machine"]?["percentBusy"]?.integer
        hasKVM = json["machine"]?["kvm"]?.bool ?? false
        tiers = list("tiers", Self.tier)
        sources = list("sources", Self.source)
        phases = list("phases", Self.phase)
        criticalPath = list("criticalPath", Self.phase)
        bound = json["boundBy"]?.string
        probes = list("probes") { probe in
            Probe(
                folder: probe["folder"]?.string ?? "", number: probe["number"]?.integer ?? 0,
                kind: probe["kind"]?.string ?? "", isRecorded: probe["isRecorded"]?.bool ?? false,
                hasExpectation: probe["expectedSha256"] != nil,
                hasAnswer: probe["foundSha256"] != nil,
                held: probe["held"]?.bool ?? false,
                milliseconds: probe["milliseconds"]?.integer ?? 0)
        }
        prediction = json["prediction"].map { prediction in
            Prediction(
                bytes: prediction["bytes"]?.integer ?? 0,
                seconds: prediction["seconds"]?.integer ?? 0,
                cores: prediction["cores"]?.integer ?? 0,
                bound: prediction["boundBy"]?.string ?? "",
                trust: prediction["trust"]?.string ?? "none",
                measuredBytes: prediction["measuredBytes"]?.integer ?? 0)
        }
        earlier = list("earlier") { one in
            Earlier(
                at: (one["at"]?.string).flatMap { Timestamp($0) },
                status: one["status"]?.integer ?? 3,
                milliseconds: one["milliseconds"]?.integer ?? 0,
                objectiveSeconds: one["objectiveSeconds"]?.integer ?? 0)
        }
    }

    private static func tier(_ json: JSON) -> Tier {
        Tier(
            name: json["tier"]?.string, milliseconds: json["milliseconds"]?.integer ?? 0,
            objectiveSeconds: json["objectiveSeconds"]?.integer ?? 0,
            isComplete: json["isComplete"]?.bool ?? false,
            isInTime: json["isInTime"]?.bool ?? false,
            pointSeconds: json["recoveryPointSeconds"]?.integer,
            pointObjectiveSeconds: json["recoveryPointObjectiveSeconds"]?.integer,
            isRecentEnough: json["isRecentEnough"]?.bool ?? false)
    }

    private static func source(_ json: JSON) -> Source {
        Source(
            folder: json["folder"]?.string ?? "", kind: json["kind"]?.string ?? "",
            tier: json["tier"]?.string, outcome: json["outcome"]?.string ?? "failed",
            failure: json["failure"]?["word"]?.string,
            start: json["startMilliseconds"]?.integer ?? 0,
            end: json["endMilliseconds"]?.integer ?? 0,
            moment: (json["moment"]?["at"]?.string).flatMap { Timestamp($0) },
            pointSeconds: json["recoveryPointSeconds"]?.integer,
            guests: (json["guests"]?.array ?? []).map { guest in
                Guest(
                    number: guest["number"]?.integer ?? 0, kind: guest["kind"]?.string ?? "",
                    state: guest["state"]?.string ?? "",
                    milliseconds: guest["milliseconds"]?.integer ?? 0)
            })
    }

    private static func phase(_ json: JSON) -> Phase {
        Phase(
            folder: json["folder"]?.string, phase: json["phase"]?.string ?? "",
            start: json["startMilliseconds"]?.integer ?? 0,
            end: json["endMilliseconds"]?.integer ?? 0,
            busy: json["busyMilliseconds"]?.integer ?? 0, bound: json["boundBy"]?.string)
    }

    var heldProbes: Int { probes.filter(\.held).count }

    var comparisons: [Comparison] { receipt.sources.flatMap(\.imported.comparisons) }

    /// When the oldest of what was restored was as it is.
    var oldestMoment: Timestamp? { sources.compactMap(\.moment).min() }
}
