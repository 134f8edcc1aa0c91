public import Basics
public import Primitives

/// A document of `proof/` and its two signatures, as they are; what is missing is nil.
public struct SignedBytes: Sendable, Equatable {
    public var bytes: [UInt8]
    public var sshsig: [UInt8]?
    public var mldsa65: [UInt8]?

    public init(bytes: [UInt8], sshsig: [UInt8]?, mldsa65: [UInt8]?) {
        self.bytes = bytes
        self.sshsig = sshsig
        self.mldsa65 = mldsa65
    }
}

extension Examination {
    /// The documents that were read whole.
    var signed: [ProofDocument: SignedBytes] {
        var signed: [ProofDocument: SignedBytes] = [:]
        func content(_ part: BagPart) -> [UInt8]? {
            record(part).flatMap { $0.failure == nil ? $0.content : nil }
        }
        for part in records.keys {
            guard case .document(let document) = part, let bytes = content(part) else { continue }
            signed[document] = SignedBytes(
                bytes: bytes, sshsig: content(.documentSSH(document)),
                mldsa65: content(.documentMLDSA(document)))
        }
        if let bytes = content(.seal) {
            signed[.seal] = SignedBytes(
                bytes: bytes, sshsig: content(.sealSSH), mldsa65: content(.sealMLDSA))
        }
        return signed
    }
}

extension ProofDocument {
    /// `predicateType` of the statement.
    public var predicateType: String {
        let word = namespace.split(separator: "/").dropFirst().first ?? ""
        return "urn:exeat:\(word):v1"
    }

    /// Holds what a statement says it is about against a seal.
    ///
    /// Every document but the plan names the seal: a receipt and an override as their subject, all by
    /// `predicate.seal`. Throws `.documentMalformed`, `.documentForeign`, or `.documentReplayed` when
    /// it is about a seal that was made later.
    public func check(
        _ bytes: [UInt8], isAbout sha256: Digest256, _ seal: Seal
    ) throws(Failure) {
        let statement: JSON
        do throws(Failure) { statement = try JSON(parsing: bytes) } catch {
            throw Failure(.documentMalformed, "\"\(file)\" is not JSON", cause: error)
        }
        guard let subjects = statement["subject"]?.array, subjects.count == 1,
            statement["predicateType"]?.string == predicateType
        else { throw Failure(.documentMalformed, "\"\(file)\" is not of its kind") }
        let predicate = statement["predicate"] ?? .null
        var names: [String?] = []
        if subjects[0]["name"]?.string == "seal.json" {
            names.append(subjects[0]["digest"]?["sha256"]?.string)
        }
        if let named = predicate["seal"] { names.append(named["sha256"]?.string) }
        guard !names.isEmpty else {
            throw Failure(.documentMalformed, "\"\(file)\" does not say which seal it is about")
        }
        guard
            names.contains(where: { $0 != sha256.hex })
                || predicate["bag"]?.string != "urn:uuid:" + seal.bag
        else { return }
        let newer = predicate["seal"]?["createdAt"]?.string.flatMap { Timestamp($0) }
        if let newer, newer > seal.createdAt {
            throw Failure(
                .documentReplayed,
                "\"\(file)\" is about an archive sealed at \(newer.text); this one is older, of "
                    + seal.createdAt.text)
        }
        throw Failure(.documentForeign, "\"\(file)\" is about another archive")
    }
}
