public import Bags
public import Basics
public import Dossiers
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
    /// The chain of documents with its dates; nil where the seal is not good.
    public let dossier: Dossier?
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

    /// The plan of the export lets reports show what objects are called.
    public var allowsNames: Bool { catalogue["contract"]?["names"]?.string == "public" }

    /// Gathers what a bag holds; what cannot be read of one that failed is left out.
    ///
    /// Blocks, and reads the journal in one pass.
    public init(
        standing: Standing, report: VerificationReport?, bag: (some BagContents)?,
        dossier: Dossier?, manifest: Manifest?, retaken: JSON, instructions: String
    ) {
        self.standing = standing
        self.dossier = dossier
        self.report = report
        self.manifest = manifest
        self.retaken = retaken
        self.instructions = instructions
        isProofOnly = report?.absent != nil
        let reader = EvidenceReader(bag)
        let seal = reader.bytes("proof/seal.json", limit: 1 << 22)
        self.seal = Self.parsed(seal)
        sealSHA256 = seal.map { SHA256.hash($0).hex }
        catalogue = Self.parsed(reader.bytes("exeat/catalogue.json", limit: 64 << 20))
        history = reader.history(sealed: report?.seal?.journal.head)
        bagInfo =
            report?.info
            ?? reader.bytes("bag-info.txt", limit: 1 << 16).flatMap { try? BagInfo(parsing: $0) }
        isEncrypted = reader.has("exeat/manifest.json.age")
        documents = reader.documents(report, dossier)
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

    /// - Parameter sealed: the digest of the last line as the seal has it; another journal is none.
    func history(sealed: Digest256?) -> RunHistory? {
        guard has("exeat/journal.jsonl"), let path = try? BagPath("exeat/journal.jsonl"),
            let bag
        else { return nil }
        do throws(Failure) {
            var source = try bag.source(of: path)
            let (history, head) = try RunHistory.read(&source)
            return sealed == nil || sealed == head ? history : nil
        } catch { return nil }
    }

    func documents(
        _ report: VerificationReport?, _ dossier: Dossier?
    ) -> [Evidence.Document] {
        var documents = (dossier?.documents ?? []).map { document in
            Evidence.Document(
                document: document.kind, statement: Evidence.parsed(document.bytes),
                sha256: document.sha256.hex, state: document.isTrusted ? .verified : .unchecked,
                signer: document.isTrusted ? document.signer : nil)
        }
        let judged = Set(documents.map(\.document))
        for document in paths.compactMap({ ProofDocument(path: $0) })
        where document != .seal && !judged.contains(document) {
            let bytes = bytes("proof/" + document.file, limit: 1 << 24) ?? []
            let signer = report?.documents[document]
            let outcome = report?.checks.last { $0.name == document.file }?.outcome
            documents.append(
                Evidence.Document(
                    document: document, statement: Evidence.parsed(bytes),
                    sha256: SHA256.hash(bytes).hex,
                    state: signer != nil ? .verified : outcome == .unchecked ? .unchecked : .failed,
                    signer: signer))
        }
        return documents.sorted { $0.document.order < $1.document.order }
    }
}

extension ProofDocument {
    /// The document that lies at this path of an archive.
    fileprivate init?(path: String) {
        let known: [ProofDocument] = [.plan, .seal, .acceptance, .erasureRequest, .erasure]
        if let document = known.first(where: { "proof/" + $0.file == path }) {
            self = document
            return
        }
        guard let digits = path.split(separator: "-").last?.split(separator: ".").first,
            let number = Int(digits), (1...9999).contains(number)
        else { return nil }
        let numbered: [ProofDocument] = [.receipt(number), .override(number)]
        guard let document = numbered.first(where: { "proof/" + $0.file == path }) else {
            return nil
        }
        self = document
    }

    /// The order in which they come about.
    fileprivate var order: Int {
        switch self {
        case .plan: -1
        case .seal: 0
        case .receipt(let number): number
        case .acceptance: 10_000
        case .erasureRequest: 10_001
        case .override(let number): 10_001 + number
        case .erasure: 30_000
        }
    }
}
