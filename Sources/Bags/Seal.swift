public import Basics
public import Primitives

/// `proof/seal.json`: an in-toto Statement (v1) whose one subject is the tag manifest, and through
/// it every byte of the bag outside `proof/`.
///
/// The bytes are made once, in canonical JSON, and signed; a reader verifies the bytes it got and
/// only then looks at what they say.
public struct Seal: Sendable, Equatable {
    public static let path = BagPath(known: "proof/seal.json")
    static let statementType = "https://in-toto.io/Statement/v1"
    static let predicateType = "urn:exeat:seal:v1"
    static let subjectName = "tagmanifest-sha256.txt"

    public struct Key: Sendable, Equatable {
        /// Below `proof/`: `keys/exporter.mldsa65.pem`.
        public let name: String
        public let sha256: Digest256

        public init(name: String, sha256: Digest256) {
            self.name = name
            self.sha256 = sha256
        }
    }

    public struct Outcome: Sendable, Equatable {
        /// 0 when all that was expected is there, 2 when omissions remain.
        public let status: Int
        public let expected: Int64
        public let exported: Int64
        public let omitted: Int64

        public init(status: Int, expected: Int64, exported: Int64, omitted: Int64) {
            self.status = status
            self.expected = expected
            self.exported = exported
            self.omitted = omitted
        }
    }

    /// SHA-256 of `tagmanifest-sha256.txt`.
    public var subject: Digest256
    /// A UUID in lower case; the same as in bag-info.txt.
    public var bag: String
    public var name: BagName
    public var createdAt: Timestamp
    public var purpose: String
    public var run: String
    public var journal: SealedJournal
    public var payload: BagInfo.Oxum
    public var signer: VerifiedSigner
    public var keys: [Key]
    public var outcome: Outcome
    /// Name and version of the program.
    public var tool: (name: String, version: String)
    public var planSha256: Digest256
    /// The opening time-stamps that the run was given, by their names in `proof/`.
    public var openings: [Key]
    /// How many authorities the plan asks; 0 where it asks none.
    public var timestamps: Int64
    /// SHA-256 of `proof/plan.json`, the signed plan that the run was agreed by.
    public var agreement: Digest256?
    /// Where the archive stands among others of its kind; nil in archives that do not say.
    public var series: Series?
    /// The exporter does not want it to be restored from this moment on.
    public var restoreBefore: Timestamp?

    /// The place of an archive in a series of which a later one replaces the earlier.
    public struct Series: Sendable, Equatable {
        /// The UUID of its first archive.
        public let id: String
        /// From 1.
        public let sequence: Int64
        /// SHA-256 of the `seal.json` before; nil of the first.
        public let previous: Digest256?

        public init(id: String, sequence: Int64, previous: Digest256?) {
            self.id = id
            self.sequence = sequence
            self.previous = previous
        }
    }

    public init(
        subject: Digest256, bag: String, name: BagName, createdAt: Timestamp, purpose: String,
        run: String, journal: SealedJournal, payload: BagInfo.Oxum, signer: VerifiedSigner,
        keys: [Key], outcome: Outcome, tool: (name: String, version: String),
        planSha256: Digest256, openings: [Key] = [], timestamps: Int64 = 0,
        series: Series? = nil, restoreBefore: Timestamp? = nil
    ) {
        self.subject = subject
        self.bag = bag
        self.name = name
        self.createdAt = createdAt
        self.purpose = purpose
        self.run = run
        self.journal = journal
        self.payload = payload
        self.signer = signer
        self.keys = keys
        self.outcome = outcome
        self.tool = tool
        self.planSha256 = planSha256
        self.openings = openings
        self.timestamps = timestamps
        self.series = series
        self.restoreBefore = restoreBefore
    }

    public static func == (left: Seal, right: Seal) -> Bool { left.bytes == right.bytes }

    /// The bytes of `proof/timestamped.txt`, as `sha256sum` prints them in `proof/`: what the
    /// closing time stamp is about.
    public static func timestamped(
        seal: Digest256, sshsig: Digest256, mldsa65: Digest256
    ) -> [UInt8] {
        Array(
            """
            \(seal.hex)  seal.json
            \(mldsa65.hex)  seal.json.mldsa65
            \(sshsig.hex)  seal.json.sig

            """.utf8)
    }
}

// MARK: - Writing

extension Seal {
    /// The canonical bytes (RFC 8785), without a line feed.
    public var bytes: [UInt8] {
        let statement: JSON = [
            "_type": .string(Self.statementType),
            "subject": [
                ["name": .string(Self.subjectName), "digest": ["sha256": .string(subject.hex)]]
            ],
            "predicateType": .string(Self.predicateType),
            "predicate": .object(predicate),
        ]
        return statement.canonical
    }

    private var predicate: [JSON.Member] {
        var members: [JSON.Member] = [
            .init("bag", .string("urn:uuid:" + bag)),
            .init("name", .string(name.text)),
            .init("createdAt", .string(createdAt.text)),
            .init("run", ["purpose": .string(purpose), "id": .string(run)]),
            .init(
                "journal",
                [
                    "entries": .integer(journal.entries), "bytes": .integer(journal.bytes),
                    "head": .string(journal.head.hex), "root": .string(journal.root.hex),
                ]),
            .init(
                "payload", ["files": .integer(payload.files), "bytes": .integer(payload.bytes)]),
            .init(
                "signer",
                [
                    "principal": .string(signer.principal), "ed25519": .string(signer.ed25519),
                    "mldsa65": .string(signer.mldsa65),
                ]),
            .init("keys", Self.list(keys)),
            .init(
                "outcome",
                [
                    "status": .integer(Int64(outcome.status)),
                    "expected": .integer(outcome.expected),
                    "exported": .integer(outcome.exported), "omitted": .integer(outcome.omitted),
                ]),
            .init("tool", ["name": .string(tool.name), "version": .string(tool.version)]),
            .init("planSha256", .string(planSha256.hex)),
        ]
        if let agreement { members.append(.init("agreement", ["sha256": .string(agreement.hex)])) }
        if !openings.isEmpty { members.append(.init("openings", Self.list(openings))) }
        if timestamps > 0 { members.append(.init("timestamps", .integer(timestamps))) }
        if let series {
            members.append(.init("series", .string("urn:uuid:" + series.id)))
            members.append(.init("sequence", .integer(series.sequence)))
            if let previous = series.previous {
                members.append(.init("previous", ["sha256": .string(previous.hex)]))
            }
        }
        if let restoreBefore {
            members.append(.init("restoreBefore", .string(restoreBefore.text)))
        }
        return members
    }

    private static func list(_ files: [Key]) -> JSON {
        .array(files.map { ["name": .string($0.name), "sha256": .string($0.sha256.hex)] })
    }
}
