import Bags
import Basics
import Deadlines
import Primitives
import Signatures

/// The in-toto Statement that every document of the dossier is, written once in canonical JSON.
enum Statement {
    static let type = "https://in-toto.io/Statement/v1"

    static func bytes(
        _ kind: ProofDocument, about subject: DossierDocument.Reference, _ predicate: [JSON.Member]
    ) -> [UInt8] {
        let statement: JSON = [
            "_type": .string(type),
            "subject": [
                [
                    "name": .string(subject.name),
                    "digest": ["sha256": .string(subject.sha256.hex)],
                ]
            ],
            "predicateType": .string(kind.predicateType),
            "predicate": .object(predicate),
        ]
        return statement.canonical
    }

    /// Reads a document whose signatures were checked. Throws `.documentMalformed`.
    ///
    /// - Parameter roles: of a trusted signer, who has at least one.
    static func parse(
        _ kind: ProofDocument, _ bytes: [UInt8], signer: VerifiedSigner, roles: Set<Role>,
        place: String
    ) throws(Failure) -> DossierDocument {
        let isTrusted = !roles.isEmpty
        func malformed(_ what: String) -> Failure {
            Failure(.documentMalformed, "\"\(kind.file)\" \(what)")
        }
        let statement: JSON
        do throws(Failure) { statement = try JSON(parsing: bytes) } catch {
            throw Failure(.documentMalformed, "\"\(kind.file)\" is not JSON", cause: error)
        }
        // One statement has one form: what is signed is what every reader sees.
        guard statement.canonical == bytes else { throw malformed("is not canonical") }
        guard statement["_type"]?.string == type,
            statement["predicateType"]?.string == kind.predicateType
        else { throw malformed("is of another type") }
        guard let subjects = statement["subject"]?.array, subjects.count == 1,
            let name = subjects[0]["name"]?.string,
            let digest = subjects[0]["digest"]?["sha256"]?.string.flatMap({ Digest256(hex: $0) })
        else { throw malformed("has not one subject with a digest") }
        guard let predicate = statement["predicate"], predicate.members != nil,
            let created = predicate["createdAt"]?.string.flatMap({ Timestamp($0) })
        else { throw malformed("does not say when it was made") }
        guard predicate["signer"]?["ed25519"]?.string == signer.ed25519,
            !isTrusted || predicate["signer"]?.canonical == self.json(signer).canonical
        else {
            throw Failure(
                .signerPairMismatch, "\"\(kind.file)\" names other keys than signed it")
        }
        for field in fields(of: kind) where !field.holds(predicate[field.name]) {
            throw malformed("has no good \"\(field.name)\"")
        }
        return DossierDocument(
            kind: kind, bytes: bytes, sha256: SHA256.hash(bytes),
            before: .init(name: name, sha256: digest), predicate: predicate, createdAt: created,
            signer: signer, isTrusted: isTrusted, roles: roles, place: place)
    }

    /// Spaces and what cannot be seen are no name and no reason.
    static func hasWords(_ text: String) -> Bool { text.contains(where: \.isLetter) }

    static func json(_ signer: VerifiedSigner) -> JSON {
        [
            "principal": .string(signer.principal), "ed25519": .string(signer.ed25519),
            "mldsa65": .string(signer.mldsa65),
        ]
    }

    /// What a predicate must have.
    private struct Field {
        let name: String
        let holds: (JSON?) -> Bool

        static func text(_ name: String) -> Field {
            Field(name: name) { $0?.string.map { !$0.isEmpty } ?? false }
        }
        /// What a person wrote, who is asked for more than a stroke.
        static func words(_ name: String) -> Field {
            Field(name: name) { $0?.string.map { Statement.hasWords($0) } ?? false }
        }
        static func texts(_ name: String) -> Field {
            Field(name: name) { $0?.array?.allSatisfy { $0.string != nil } ?? false }
        }
        /// Absent, or a day: one that nobody can read must not be as if it were not there.
        static func perhapsDay(_ name: String) -> Field {
            Field(name: name) { json in
                guard let json else { return true }
                return json.string.flatMap { Day($0) }.map(Day.ofContracts.contains) ?? false
            }
        }
        static func yes(_ name: String) -> Field { Field(name: name) { $0 == .bool(true) } }
        static func object(_ name: String) -> Field { Field(name: name) { $0?.members != nil } }
        static func time(_ name: String) -> Field {
            Field(name: name) { $0?.string.flatMap { Timestamp($0) } != nil }
        }
    }

    private static func fields(of kind: ProofDocument) -> [Field] {
        switch kind {
        case .seal: []
        case .plan: [.object("contract")]
        case .receipt: [.text("bag"), .object("outcome"), .texts("reservations")]
        case .acceptance:
            [
                .text("bag"), .object("seal"), .yes("integrated"), .yes("usable"),
                .texts("reservations"),
            ]
        case .erasureRequest:
            [
                .text("bag"), .object("seal"), .text("scope"), .perhapsDay("formalNotice"),
                .perhapsDay("notBefore"),
            ]
        case .override: [.text("bag"), .object("seal"), .words("name"), .words("reason")]
        case .erasure:
            [
                .text("bag"), .object("seal"), .texts("methods"), .texts("media"), .texts("keys"),
                .time("startedAt"), .time("completedAt"), .perhapsDay("formalNotice"),
                .object("lock"),
            ]
        }
    }
}

extension DocumentKind {
    /// How a document of the dossier is signed.
    public static func of(_ document: ProofDocument) -> DocumentKind {
        switch document {
        case .plan: .plan
        case .seal: .seal
        case .receipt: .receipt
        case .acceptance: .acceptance
        case .erasureRequest: .erasureRequest
        case .override: .override
        case .erasure: .erasure
        }
    }
}

extension VerifiedSigner {
    init(_ signer: Signer) {
        self.init(
            principal: signer.principal, ed25519: signer.ed25519Fingerprint,
            mldsa65: signer.mldsa65Fingerprint)
    }

    init(_ pair: PublicKeyPair) {
        self.init(
            principal: pair.principal, ed25519: pair.ed25519Fingerprint,
            mldsa65: pair.mldsa65Fingerprint)
    }
}

extension ProofDocument {
    /// The order of the chain.
    var rank: Int {
        switch self {
        case .plan: 0
        case .seal: 1
        case .receipt(let number): 10 + number
        case .acceptance: 20_000
        case .erasureRequest: 20_001
        case .override(let number): 20_010 + number
        case .erasure: 40_000
        }
    }
}
