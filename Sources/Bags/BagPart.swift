import Basics
import Primitives

/// What a file of a bag is, by its path alone: the closed list of our profile.
enum BagPart: Sendable, Hashable {
    case declaration
    case info
    case payloadManifest(DigestAlgorithm)
    case tagManifest(DigestAlgorithm)
    /// VERIFY.txt and RESTORE.txt.
    case instructions
    case payload
    /// `exeat/manifest.json`, or encrypted.
    case archiveManifest
    case restoreText
    case catalogue
    case journal
    case seal
    case sealSSH
    case sealMLDSA
    /// An RFC 3161 token.
    case stamp(StampPlace)
    /// What such a token answers.
    case stampRequest(StampPlace)
    case timestamped
    case key
    case document(ProofDocument)
    case documentSSH(ProofDocument)
    case documentMLDSA(ProofDocument)

    /// Throws `.bagFileUnexpected`, `.bagProofUnexpected`, `.bagFetchForbidden`,
    /// `.bagManifestUnsupported`, `.bagUnfinished` or `.bagPathUnsafe` for what has no place.
    init(of path: BagPath) throws(Failure) {
        let parts = path.components
        switch parts.first {
        case "data":
            guard parts.count == 4 else {
                throw Failure(
                    .bagPathUnsafe, "\"\(path)\" is not data/FOLDER/FOLDER/FILE")
            }
            self = .payload
        case "exeat": self = try Self.inExeat(path)
        case "proof": self = try Self.inProof(path, parts.dropFirst().map(String.init))
        case "proof.partial": throw Self.unfinished()
        default: self = try Self.atTop(path)
        }
    }

    static func unfinished() -> Failure {
        Failure(
            .bagUnfinished, "the archive is not sealed: its run has not ended",
            hint: "Run the same export command again: it goes on where it stopped.")
    }

    private static func atTop(_ path: BagPath) throws(Failure) -> BagPart {
        switch path.text {
        case "bagit.txt": return .declaration
        case "bag-info.txt": return .info
        case "VERIFY.txt", "RESTORE.txt": return .instructions
        case "manifest-sha256.txt": return .payloadManifest(.sha256)
        case "manifest-sha512.txt": return .payloadManifest(.sha512)
        case "tagmanifest-sha256.txt": return .tagManifest(.sha256)
        case "tagmanifest-sha512.txt": return .tagManifest(.sha512)
        case "fetch.txt":
            throw Failure(
                .bagFetchForbidden, "the bag has a \"fetch.txt\": its payload lies elsewhere")
        default:
            if path.components.count == 1, path.text.hasSuffix(".txt"),
                path.text.hasPrefix("manifest-") || path.text.hasPrefix("tagmanifest-")
            {
                throw Failure(.bagManifestUnsupported, "\"\(path)\" is of an unknown algorithm")
            }
            throw Failure(.bagFileUnexpected, "\"\(path)\" has no place in a bag")
        }
    }

    private static func inExeat(_ path: BagPath) throws(Failure) -> BagPart {
        switch path.text {
        case "exeat/manifest.json", "exeat/manifest.json.age": return .archiveManifest
        case "exeat/restore.txt", "exeat/restore.txt.age": return .restoreText
        case "exeat/catalogue.json": return .catalogue
        case "exeat/journal.jsonl": return .journal
        default: throw Failure(.bagFileUnexpected, "\"\(path)\" has no place in a bag")
        }
    }

    private static func inProof(
        _ path: BagPath, _ rest: [String]
    ) throws(Failure) -> BagPart {
        if rest.count == 2, rest[0] == "keys" { return .key }
        if rest.count == 1 {
            switch rest[0] {
            case "seal.json": return .seal
            case "seal.json.sig": return .sealSSH
            case "seal.json.mldsa65": return .sealMLDSA
            case "timestamped.txt": return .timestamped
            default:
                if let place = StampPlace(token: rest[0]) { return .stamp(place) }
                if let place = StampPlace(request: rest[0]) { return .stampRequest(place) }
                if let document = ProofDocument(file: rest[0], suffix: "") {
                    return .document(document)
                }
                if let document = ProofDocument(file: rest[0], suffix: ".sig") {
                    return .documentSSH(document)
                }
                if let document = ProofDocument(file: rest[0], suffix: ".mldsa65") {
                    return .documentMLDSA(document)
                }
            }
        }
        throw Failure(.bagProofUnexpected, "\"\(path)\" has no place in \"proof\"")
    }

    /// Whether it is a token over `timestamped.txt`, or its request.
    var isClosingStamp: Bool {
        switch self {
        case .stamp(let place), .stampRequest(let place): place.kind == .closing
        default: false
        }
    }

    /// Whether the tag manifest must list it.
    var isTag: Bool {
        switch self {
        case .declaration, .info, .payloadManifest, .instructions, .archiveManifest, .restoreText,
            .catalogue, .journal:
            true
        case .payload, .tagManifest, .seal, .sealSSH, .sealMLDSA, .stamp, .stampRequest,
            .timestamped, .key, .document, .documentSSH, .documentMLDSA:
            false
        }
    }

    /// How many bytes of it are kept, and what a longer one is; nil when only its digest matters.
    var kept: (limit: Int, code: Failure.Code)? {
        switch self {
        case .declaration: (1 << 10, .bagDeclaration)
        case .info: (1 << 16, .bagInfoMalformed)
        case .seal: (1 << 22, .sealMalformed)
        case .sealSSH, .sealMLDSA, .documentSSH, .documentMLDSA: (1 << 14, .signatureMalformed)
        case .stamp: (1 << 18, .timeStampMalformed)
        case .stampRequest: (1 << 12, .timeStampMalformed)
        case .timestamped: (1 << 12, .bagFileChanged)
        case .document: (1 << 24, .documentMalformed)
        case .catalogue: (1 << 26, .coverageMismatch)
        case .payloadManifest, .tagManifest, .instructions, .payload, .archiveManifest,
            .restoreText, .journal, .key:
            nil
        }
    }

    /// The place in a tar (DESIGN: payload as produced, manifest, journal, tag files, proof).
    /// Equal ranks may come in any order among themselves.
    var tarRank: Int {
        switch self {
        case .payload: 0
        case .archiveManifest: 10
        case .restoreText: 11
        case .catalogue: 12
        case .journal: 13
        case .declaration: 20
        case .info: 21
        case .instructions: 22
        case .payloadManifest: 24
        case .tagManifest: 26
        case .seal: 30
        case .sealSSH: 31
        case .sealMLDSA: 32
        case .timestamped: 34
        case .key: 36
        // They may come later, one after the other.
        case .stamp, .stampRequest, .document, .documentSSH, .documentMLDSA: 40
        }
    }
}

extension CanonicalTar {
    /// Whether `next` may follow `path` in a tar: payload in any order, then everything else in the
    /// one order of the format. A path that has no place in a bag follows anything: it is refused
    /// for what it is.
    public static func mayFollow(_ path: BagPath, _ next: BagPath) -> Bool {
        guard let first = try? BagPart(of: path), let second = try? BagPart(of: next) else {
            return true
        }
        if first.tarRank != second.tarRank { return first.tarRank < second.tarRank }
        return [0, 40].contains(first.tarRank) || path < next
    }

    /// The order in which a writer puts what is not payload.
    public static func sorted(_ paths: [BagPath]) -> [BagPath] {
        paths.map { ((try? BagPart(of: $0))?.tarRank ?? 50, $0) }.sorted { $0 < $1 }.map(\.1)
    }
}

/// A signed document of the dossier; each has its own namespace, so that a signature of one kind is
/// worth nothing on another.
public enum ProofDocument: Sendable, Hashable {
    /// What was agreed before; the seal names it.
    case plan
    case seal
    /// `receipt-1.json`, `receipt-2.json`, …
    case receipt(Int)
    case acceptance
    case erasureRequest
    /// `override-1.json`, …: approvals of an erasure against its lock.
    case override(Int)
    case erasure

    /// The file's name in `proof/`.
    public var file: String {
        switch self {
        case .plan: "plan.json"
        case .seal: "seal.json"
        case .receipt(let number): "receipt-\(number).json"
        case .acceptance: "acceptance.json"
        case .erasureRequest: "erasure-request.json"
        case .override(let number): "override-\(number).json"
        case .erasure: "erasure.json"
        }
    }

    /// The SSHSIG namespace and FIPS 204 context.
    public var namespace: String {
        switch self {
        case .plan: "exeat/plan/v1"
        case .seal: "exeat/seal/v1"
        case .receipt: "exeat/receipt/v1"
        case .acceptance: "exeat/acceptance/v1"
        case .erasureRequest: "exeat/erasure-request/v1"
        case .override: "exeat/override/v1"
        case .erasure: "exeat/erasure/v1"
        }
    }

    /// The document of a file's name in `proof/`; nil for another name, and for the seal, which has
    /// a place of its own.
    public init?(file: String, suffix: String = "") {
        guard file.hasSuffix(".json" + suffix) else { return nil }
        let stem = file.dropLast(5 + suffix.utf8.count)
        switch stem {
        case "plan": self = .plan
        case "acceptance": self = .acceptance
        case "erasure-request": self = .erasureRequest
        case "erasure": self = .erasure
        default:
            let words = stem.split(separator: "-", omittingEmptySubsequences: false)
            guard words.count == 2, let number = Int(words[1]), (1...9999).contains(number),
                String(number) == words[1]
            else { return nil }
            switch words[0] {
            case "receipt": self = .receipt(number)
            case "override": self = .override(number)
            default: return nil
            }
        }
    }
}
