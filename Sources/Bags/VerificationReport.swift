public import Basics
import Primitives

/// What a verification looked at, and what it found.
public struct VerificationReport: Sendable {
    public enum Outcome: String, Sendable {
        case passed
        case failed
        /// The bag has nothing of the kind, and need not.
        case absent
        /// It is there and nobody judged it; `detail` says why.
        case unchecked
    }

    public struct Check: Sendable, Equatable {
        /// For people: "payload digests".
        public let name: String
        public let outcome: Outcome
        public let detail: String?
    }

    /// The name in the seal; of a tar, the name of its folder.
    public let name: BagName?
    /// Number and length of the payload files that are there.
    public let payload: BagInfo.Oxum
    /// Who sealed the bag; nil when that could not be established.
    public let signer: VerifiedSigner?
    /// What the seal says; nil unless its signatures are good.
    public let seal: Seal?
    public let info: BagInfo?
    /// The moments that time stamps certify, where the verifier judged them.
    public let opening: Timestamp?
    public let closing: Timestamp?
    /// What each time-stamp says, trusted or not.
    public let stamps: [StampPlace: CertifiedTime]
    /// The later documents of the dossier, and who signed them.
    public let documents: [ProofDocument: VerifiedSigner]
    public let checks: [Check]
    /// The documents of `proof/` as they are there, the seal among them.
    public let signed: [ProofDocument: SignedBytes]
    /// `exeat/catalogue.json` as it is there.
    public let catalogue: [UInt8]?
    /// How much payload the seal counts that is not here: this is a copy of the proof alone.
    public let absent: BagInfo.Oxum?
    /// The faults in the order of their paths, up to `mostProblems` of them.
    public let problems: [BagProblem]
    /// How many faults there are in all.
    public let problemCount: Int

    public static let mostProblems = 100

    /// True only when every check that the format demands was made and passed.
    public var isGood: Bool { isProofGood && absent == nil }

    /// True when all that is here passed: all but the payload, where that is not here.
    public var isProofGood: Bool { problemCount == 0 && seal != nil && signer != nil }

    /// What `verified` would throw.
    public var failure: Failure? {
        problems.first?.failure
            ?? absent.map {
                Failure(
                    .payloadAbsent,
                    "the payload is not here, \($0.files) files of \($0.bytes) bytes: nothing can be "
                        + "said about the data",
                    hint: "Verify the whole archive, or say --proof-only to check the proof alone.")
            }
    }

    /// Why nothing can be done with the payload. A copy of the proof is no archive with omissions then,
    /// which scripts may take for good enough: files of it are missing.
    public var obstacle: Failure? {
        guard absent != nil, problems.isEmpty, let failure else { return failure }
        return Failure(
            .bagFileMissing, failure.what, hint: "Fetch the whole archive: this is its proof alone."
        )
    }

    init(_ examination: borrowing Examination) {
        name = examination.seal?.name ?? examination.name
        payload = examination.payload
        signer = examination.signer
        seal = examination.seal
        info = examination.info
        opening = examination.opening
        closing = examination.closing
        stamps = examination.stamps
        documents = examination.documents
        signed = examination.signed
        catalogue = examination.record(.catalogue)?.content
        absent =
            examination.isProofOnly || examination.isUnread ? examination.seal?.payload : nil
        checks = examination.checks
        let sorted = Self.sorted(examination.problems)
        problems = Array(sorted.prefix(Self.mostProblems))
        problemCount = sorted.count
    }

    /// An open run comes first, for it explains all else; then by path, and of one path in the
    /// order of the checks, each cause once. That the payload has another size than bag-info.txt
    /// says follows from another fault, or stands alone.
    private static func sorted(_ problems: [BagProblem]) -> [BagProblem] {
        func rank(_ problem: BagProblem) -> Int {
            switch problem.failure.code {
            case .bagUnfinished: 0
            case .bagInfoMismatch: 2
            default: 1
            }
        }
        let order = problems.indices.sorted { left, right in
            (rank(problems[left]), problems[left].path, left)
                < (rank(problems[right]), problems[right].path, right)
        }
        var sorted: [BagProblem] = []
        var codes: Set<Failure.Code> = []
        for problem in order.map({ problems[$0] }) {
            if problem.path != sorted.last?.path { codes = [] }
            if codes.insert(problem.failure.code).inserted { sorted.append(problem) }
        }
        return sorted
    }

    /// In one word: `complete`, `proof-only`, `bad`.
    public var result: String { isGood ? "complete" : isProofGood ? "proof-only" : "bad" }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("good", .bool(isGood)),
            .init("result", .string(result)),
            .init("name", name.map { .string($0.text) } ?? .null),
            .init("bag", seal.map { .string("urn:uuid:" + $0.bag) } ?? .null),
            .init(
                "payload", ["files": .integer(payload.files), "bytes": .integer(payload.bytes)]),
            .init(
                "signer",
                signer.map {
                    [
                        "principal": .string($0.principal), "ed25519": .string($0.ed25519),
                        "mldsa65": .string($0.mldsa65),
                    ]
                } ?? .null),
        ]
        if let opening { members.append(.init("opened", .string(opening.text))) }
        if let closing { members.append(.init("closed", .string(closing.text))) }
        members.append(.init("timeStamps", .array(stamps.keys.sorted().map(stampJSON))))
        members.append(.init("series", series))
        members.append(
            .init(
                "checks",
                .array(
                    checks.map {
                        [
                            "name": .string($0.name), "outcome": .string($0.outcome.rawValue),
                            "detail": $0.detail.map(JSON.string) ?? .null,
                        ]
                    })))
        members.append(
            .init(
                "problems",
                .array(
                    problems.map(\.json))))
        members.append(.init("problemCount", .integer(Int64(problemCount))))
        return .object(members)
    }

    private func stampJSON(_ place: StampPlace) -> JSON {
        let head: [JSON.Member] = [
            .init("file", .string(place.token)), .init("kind", .string(place.kind.rawValue)),
        ]
        return .object(head + (stamps[place]?.json.members ?? []))
    }

    private var series: JSON {
        guard let series = seal?.series else { return .null }
        return [
            "id": .string("urn:uuid:" + series.id), "sequence": .integer(series.sequence),
            "previous": series.previous.map { .string($0.hex) } ?? .null,
        ]
    }
}
