public import Bags
public import Basics
public import Manifests
import Primitives

/// What a report is drawn from: one archive, and what verifying it has found. Nothing else enters a
/// report but the moment at which it is made.
public struct Evidence: Sendable {
    /// How far the archive can be believed.
    public enum Standing: Sendable {
        /// Everything was checked, by keys that somebody trusts.
        case verified
        /// Everything was checked but who signed: no trust file was given.
        case unknownSigner
        case failed(Failure)
    }

    /// A signed document of the dossier.
    public struct Document: Sendable {
        public enum State: String, Sendable {
            case verified
            /// It is whole; nobody has said whether its signer may be trusted.
            case unchecked
            case failed
        }

        public let document: ProofDocument
        public let statement: JSON
        /// Of the file.
        public let sha256: String
        public let state: State
        /// Whose signatures were found good.
        public let signer: VerifiedSigner?

        public init(
            document: ProofDocument, statement: JSON, sha256: String, state: State,
            signer: VerifiedSigner?
        ) {
            self.document = document
            self.statement = statement
            self.sha256 = sha256
            self.state = state
            self.signer = signer
        }
    }

    public let standing: Standing
    public let report: VerificationReport?
    /// `proof/seal.json`, null where it cannot be read.
    public let seal: JSON
    public let sealSHA256: String?
    public let catalogue: JSON
    public let history: RunHistory?
    public let bagInfo: BagInfo?
    /// nil where it is encrypted and no key was given.
    public let manifest: Manifest?
    public let isEncrypted: Bool
    /// The archive without its data: digests of what is elsewhere.
    public let isProofOnly: Bool
    /// Comparisons of digests that were taken again from the plaintexts.
    public let retaken: JSON
    public let documents: [Document]
    /// The script with which this archive is checked without Exeat.
    public let instructions: String

    /// Gathers what a bag holds; what cannot be read of one that failed is left out.
    ///
    /// Blocks, and reads the journal in one pass.
    public init(
        standing: Standing, report: VerificationReport?, bag: (some BagContents)?,
        manifest: Manifest?, retaken: JSON, instructions: String, isProofOnly: Bool
    ) {
        self.standing = standing
        self.report = report
        self.manifest = manifest
        self.retaken = retaken
        self.instructions = instructions
        self.isProofOnly = isProofOnly
        let reader = EvidenceReader(bag)
        let seal = reader.bytes("proof/seal.json", limit: 1 << 22)
        self.seal = Self.parsed(seal)
        sealSHA256 = seal.map { SHA256.hash($0).hex }
        catalogue = Self.parsed(reader.bytes("exeat/catalogue.json", limit: 64 << 20))
        history = reader.history()
        bagInfo =
            report?.info
            ?? reader.bytes("bag-info.txt", limit: 1 << 16).flatMap { try? BagInfo(parsing: $0) }
        isEncrypted = reader.has("exeat/manifest.json.age")
        documents = reader.documents(report)
    }

    fileprivate static func parsed(_ bytes: [UInt8]?) -> JSON {
        bytes.flatMap { try? JSON(parsing: $0) } ?? .null
    }
}

/// Reads files of a bag that may be anything.
private struct EvidenceReader<Contents: BagContents> {
    private let bag: Contents?
    private let paths: Set<String>

    init(_ bag: Contents?) {
        self.bag = bag
        paths = Set(bag?.entries.lazy.map(\.path).filter { !$0.isPayload }.map(\.text) ?? [])
    }

    func has(_ path: String) -> Bool { paths.contains(path) }

    func bytes(_ path: String, limit: Int) -> [UInt8]? {
        guard has(path), let path = try? BagPath(path) else { return nil }
        return try? bag?.read(path, limit: limit)
    }

    func history() -> RunHistory? {
        guard has("exeat/journal.jsonl"), let path = try? BagPath("exeat/journal.jsonl"),
            let bag
        else { return nil }
        do throws(Failure) {
            var source = try bag.source(of: path)
            return try RunHistory(&source)
        } catch { return nil }
    }

    func documents(_ report: VerificationReport?) -> [Evidence.Document] {
        var found: [ProofDocument] = []
        for path in paths where path.hasPrefix("proof/") {
            if let document = ProofDocument(file: String(path.dropFirst(6))) {
                found.append(document)
            }
        }
        return found.filter { $0 != .seal }.sorted { $0.order < $1.order }.map { document in
            let bytes = bytes("proof/" + document.file, limit: 1 << 24) ?? []
            let signer = report?.documents[document]
            let outcome = report?.checks.last { $0.name == document.file }?.outcome
            return Evidence.Document(
                document: document, statement: Evidence.parsed(bytes),
                sha256: SHA256.hash(bytes).hex,
                state: signer != nil ? .verified : outcome == .unchecked ? .unchecked : .failed,
                signer: signer)
        }
    }
}

extension ProofDocument {
    /// The document that has this file name in `proof/`.
    fileprivate init?(file: String) {
        let all: [ProofDocument] = [.seal, .acceptance, .erasure]
        if let known = all.first(where: { $0.file == file }) {
            self = known
            return
        }
        guard file.hasPrefix("receipt-"), file.hasSuffix(".json"),
            let number = Int(file.dropFirst(8).dropLast(5)), (1...9999).contains(number),
            ProofDocument.receipt(number).file == file
        else { return nil }
        self = .receipt(number)
    }

    /// The order in which they come about.
    fileprivate var order: Int {
        switch self {
        case .seal: 0
        case .receipt(let number): number
        case .acceptance: 10_000
        case .erasure: 10_002
        }
    }
}
