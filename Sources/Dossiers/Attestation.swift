public import Bags
public import Basics
public import Deadlines
import Manifests
import Primitives
public import Signatures

/// Makes the next document of a dossier: `exeat attest`.
///
/// Nothing is signed on a dossier that is not in order, or on documents of people whom nobody trusts.
public struct Attestation: Sendable {
    /// A document that was signed, with what else must be told about it.
    public struct Made: Sendable {
        public let document: ProofDocument
        public let bytes: [UInt8]
        public let signatures: SignaturePair

        /// Name and bytes, the document first and the SSHSIG last: that one tells whose it is, should
        /// somebody be interrupted before the document is there.
        public var files: [(name: String, bytes: [UInt8])] {
            [
                (document.file, bytes), (document.file + ".mldsa65", signatures.mldsa65),
                (document.file + ".sig", signatures.sshsig),
            ]
        }
    }

    /// What an erasure is asked of unless somebody says otherwise.
    public static let wholeScope = "all data of the contract, every copy and backup of it"

    let dossier: Dossier
    let signer: SigningKey
    let world: World
    let tool: String

    /// - Parameter tool: the version of the program.
    public init(
        _ dossier: Dossier, signer: SigningKey, world: World, tool: String
    ) throws(Failure) {
        self.dossier = dossier
        self.signer = signer
        self.world = world
        self.tool = tool
        if let problem = dossier.problems.first {
            throw problem.failure.during(
                "cannot sign: the dossier is not in order",
                hint: problem.failure.hint)
        }
    }

    /// The customer has integrated the data and can use it.
    ///
    /// - Parameter receipt: its number; nil for the only one, or the last.
    public func accept(
        receipt number: Int?, reservations: [String]
    ) throws(Failure) -> Made {
        try absent(.acceptance)
        let receipts = dossier.receipts
        let receipt =
            number.map { number in receipts.first { $0.kind == .receipt(number) } }
            ?? receipts.last
        guard let receipt else {
            throw Failure(
                .documentMissing,
                number.map { "there is no receipt-\($0).json" }
                    ?? "there is no receipt to accept",
                hint: "Import the archive first, or name the folder of the receipt with --dossier.")
        }
        try trusted(receipt)
        guard reservations.allSatisfy(Statement.hasWords) else {
            throw Failure(
                .usage, "a reservation says nothing",
                hint: "Say with --reservation what is accepted in spite of what.")
        }
        let status = receipt.predicate["outcome"]?["status"]?.integer ?? 3
        guard status != 3 || !reservations.isEmpty else {
            throw Failure(
                .comparisonFailed, "\"\(receipt.kind.file)\" tells of differences on the target",
                hint: "Import again until the target is equal, or accept it with a --reservation.")
        }
        if reservations.isEmpty, let gap = gap(in: receipt) {
            throw Failure(
                .comparisonFailed, "\"\(receipt.kind.file)\" says: \(gap)",
                hint:
                    "Import and compare what is missing, or accept it with a --reservation: an acceptance "
                    + "lets the source be erased.")
        }
        return try make(
            .acceptance, after: receipt,
            [
                .init(
                    "receipt",
                    [
                        "file": .string(receipt.kind.file), "sha256": .string(receipt.sha256.hex),
                        "status": .integer(status),
                    ]),
                .init("integrated", true), .init("usable", true),
                .init("reservations", .array(reservations.map { .string($0) })),
                .init(
                    "receiptReservations", receipt.predicate["reservations"] ?? .array([])),
            ])
    }

    /// What the receipt says nothing about, so that accepting it without a word would say more.
    private func gap(in receipt: DossierDocument) -> String? {
        (receipt.predicate["reservations"]?.array ?? []).compactMap(\.string).first {
            guard let kind = Reservation(parsing: $0)?.kind else { return false }
            return [.notImported, .notCompared].contains(kind)
        }
    }

    /// The customer asks that the source be erased.
    public func requestErasure(
        scope: String, formalNotice: Day?, notBefore: Day?
    ) throws(Failure) -> Made {
        try absent(.erasureRequest)
        guard let acceptance = dossier.acceptance else {
            throw Failure(
                .documentMissing, "there is no acceptance that an erasure could follow",
                hint: "Accept the import first, with exeat attest accept.")
        }
        try trusted(acceptance)
        // No reader takes a request that names nothing, and a document is never replaced.
        guard Statement.hasWords(scope) else {
            throw Failure(
                .usage, "the request does not say what is to be erased",
                hint:
                    "Say it with --scope TEXT, or leave --scope away for all data of the contract.")
        }
        var members: [JSON.Member] = [.init("scope", .string(scope))]
        if let formalNotice { members.append(.init("formalNotice", .string(formalNotice.text))) }
        if let notBefore { members.append(.init("notBefore", .string(notBefore.text))) }
        return try make(.erasureRequest, after: acceptance, members)
    }

    /// One of two people approves an erasure that the lock does not allow.
    public func override(name: String, reason: String) throws(Failure) -> Made {
        guard dossier.erasure == nil else { throw Self.isThere(.erasure) }
        guard Statement.hasWords(name), Statement.hasWords(reason) else {
            throw Failure(
                .documentApproval, "an approval needs a name and a reason",
                hint: "Give them with --name and --reason.")
        }
        let taken = dossier.overrides.first { $0.signer.principal == signer.principal }
        guard taken == nil else {
            throw Failure(
                .documentApproval, "\"\(signer.principal)\" has approved already",
                hint: "The second approval must be by another person with another key.")
        }
        let numbers = dossier.overrides.map { document in
            if case .override(let number) = document.kind { number } else { 0 }
        }
        return try make(
            .override((numbers.max() ?? 0) + 1), after: nil,
            [
                .init("name", .string(name)), .init("reason", .string(reason)),
                .init("lock", .array(dossier.lock.reasons.map(\.json))),
            ])
    }

    /// What was erased, and how.
    public struct Erasure: Sendable {
        public enum Method: String, Sendable, CaseIterable {
            case overwrite
            case keyDestruction = "key-destruction"
            case physicalDestruction = "physical-destruction"
            case secureRecycling = "secure-recycling"
        }

        public var methods: [Method]
        /// Identifiers of media: serial numbers, volume names.
        public var media: [String]
        /// Identifiers of keys that were destroyed.
        public var keys: [String]
        public var startedAt: Timestamp
        public var completedAt: Timestamp
        public var formalNotice: Day?

        public init(
            methods: [Method], media: [String], keys: [String], startedAt: Timestamp,
            completedAt: Timestamp, formalNotice: Day?
        ) {
            self.methods = methods
            self.media = media
            self.keys = keys
            self.startedAt = startedAt
            self.completedAt = completedAt
            self.formalNotice = formalNotice
        }

        func check() throws(Failure) {
            guard !methods.isEmpty else {
                throw Failure(.usage, "a certificate of erasure names a method")
            }
            guard (media + keys).allSatisfy({ $0.contains { !$0.isWhitespace } }) else {
                throw Failure(.usage, "a medium or a key without a name is none")
            }
            guard !methods.contains(.keyDestruction) || !keys.isEmpty else {
                throw Failure(.usage, "the destruction of keys names the keys, with --key-id")
            }
            guard methods == [.keyDestruction] || !media.isEmpty else {
                throw Failure(.usage, "an erasure of media names the media, with --medium")
            }
            guard startedAt <= completedAt else {
                throw Failure(.documentDate, "an erasure cannot end before it has begun")
            }
        }
    }

    /// The certificate; throws `.erasureLocked` unless the lock is open, or two people have approved.
    public func erase(_ erasure: Erasure) throws(Failure) -> Made {
        try absent(.erasure)
        try erasure.check()
        let now = world.now()
        guard erasure.completedAt.seconds <= now.seconds + 60 else {
            throw Failure(.documentDate, "an erasure that is still to come cannot be certified")
        }
        let lock = try dossier.lock(adding: erasure, at: erasure.startedAt)
        guard lock.isOpen || lock.isOverridden else {
            throw Failure(
                .erasureLocked,
                "the source may not be erased: "
                    + lock.reasons.map(\.what).joined(separator: "; "),
                hint:
                    "Wait for what is missing; or two people approve before, each with a key of their "
                    + "own and one of them a controller: exeat attest override.")
        }
        let before =
            dossier.erasureRequest ?? dossier.acceptance ?? dossier.receipts.last
        var members: [JSON.Member] = [
            .init("methods", .array(erasure.methods.map { .string($0.rawValue) })),
            .init("media", .array(erasure.media.map { .string($0) })),
            .init("keys", .array(erasure.keys.map { .string($0) })),
            .init("startedAt", .string(erasure.startedAt.text)),
            .init("completedAt", .string(erasure.completedAt.text)),
        ]
        if let notice = erasure.formalNotice {
            members.append(.init("formalNotice", .string(notice.text)))
        }
        members.append(.init("lock", self.json(lock)))
        return try make(.erasure, after: before, members)
    }

    private func json(_ lock: ErasureLock) -> JSON {
        let overrides = lock.isOverridden ? lock.approvals : []
        return [
            "open": .bool(lock.isOpen), "overridden": .bool(lock.isOverridden),
            "notBefore": lock.notBefore.map { .string($0.text) } ?? .null,
            "reasons": .array(lock.reasons.map(\.json)),
            "overrides": .array(
                overrides.map { approval in
                    let document = dossier.overrides.first { $0.kind.file == approval.document }
                    return [
                        "file": .string(approval.document),
                        "sha256": .string(document?.sha256.hex ?? ""),
                        "name": .string(approval.name), "principal": .string(approval.principal),
                        "reason": .string(approval.reason),
                    ]
                }),
        ]
    }

    // MARK: - Signing

    private func make(
        _ kind: ProofDocument, after document: DossierDocument?, _ members: [JSON.Member]
    ) throws(Failure) -> Made {
        let now = world.now()
        let (moment, name) =
            document.map { ($0.createdAt, $0.kind.file) } ?? (dossier.seal.createdAt, "seal.json")
        guard moment <= now else {
            throw Failure(
                .documentDate,
                "\"\(name)\" is dated \(moment.text), after the clock of this machine",
                hint: "Set the clock right, then sign.")
        }
        let subject =
            document.map { DossierDocument.Reference(name: $0.kind.file, sha256: $0.sha256) }
            ?? .init(name: "seal.json", sha256: dossier.seal.sha256)
        let common: [JSON.Member] = [
            .init("bag", .string(dossier.seal.bag)),
            .init(
                "seal",
                [
                    "sha256": .string(dossier.seal.sha256.hex),
                    "createdAt": .string(dossier.seal.createdAt.text),
                ]),
            .init("createdAt", .string(now.text)),
            .init("signer", Statement.json(VerifiedSigner(signer.publicPair))),
            .init("tool", ["name": "exeat", "version": .string(tool)]),
        ]
        let bytes = Statement.bytes(kind, about: subject, common + members)
        return Made(
            document: kind, bytes: bytes,
            signatures: try signer.sign(bytes, as: DocumentKind.of(kind)))
    }

    private func absent(_ kind: ProofDocument) throws(Failure) {
        if dossier.documents.contains(where: { $0.kind == kind }) { throw Self.isThere(kind) }
    }

    private static func isThere(_ kind: ProofDocument) -> Failure {
        Failure(
            .exists, "there is a \"\(kind.file)\" already",
            hint: "A document of the dossier is never replaced.")
    }

    private func trusted(_ document: DossierDocument) throws(Failure) {
        guard document.isTrusted else {
            throw Failure(
                .signerUnknown,
                "\"\(document.kind.file)\" is signed by a key that is not trusted: "
                    + document.signer.ed25519,
                hint: "If you know this signer by other means, add its trust file with --trust.")
        }
    }
}

extension ErasureLock.Reason {
    var json: JSON { ["kind": .string(kind.rawValue), "what": .string(what)] }
}

extension Dossier {
    /// The lock as it was when an erasure began, with the notice that the eraser tells of.
    func lock(
        adding erasure: Attestation.Erasure, at moment: Timestamp
    ) throws(Failure) -> ErasureLock {
        var timeline = timeline
        timeline[.formalNotice] = [timeline[.formalNotice], erasure.formalNotice]
            .compactMap { $0 }.max()
        let report = DeadlineReport(
            timeline, profiles: profiles, calendar: calendar, today: calendar.day(of: moment))
        return LockRule(
            documents: documents, problems: problems, deadlines: report, calendar: calendar,
            now: moment
        ).lock()
    }
}
