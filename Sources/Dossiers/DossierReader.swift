public import Bags
public import Basics
import Deadlines
import Primitives
public import Signatures

/// Reads the documents of an archive from its `proof/` and from folders beside it, checks their
/// signatures against a trust file, and how they follow each other.
public struct DossierReader: Sendable {
    let keys: TrustedKeys
    let now: Timestamp

    public init(keys: TrustedKeys, now: Timestamp) {
        self.keys = keys
        self.now = now
    }

    /// - Parameters:
    ///   - report: of an archive, or of a copy of its proof; its seal must be good.
    ///   - folders: other places of documents; names that are no document's are passed over.
    /// - Throws: `.bagUnsealed` without a good seal; what is wrong with documents is told by
    ///   `problems`.
    public func read(
        _ report: VerificationReport, folders: [String]
    ) throws(Failure) -> Dossier {
        guard let sealed = report.signed[.seal], let seal = report.seal else {
            throw Failure(
                .bagUnsealed, "the archive has no seal that could be verified",
                hint: "Run exeat verify to see why.")
        }
        var problems: [BagProblem] = []
        var found: [ProofDocument: [(signed: SignedBytes, place: String)]] = [:]
        for (document, signed) in report.signed where document != .seal {
            found[document] = [(signed, "proof")]
        }
        for folder in folders {
            for (document, signed) in try DossierFolder(folder).documents() {
                found[document, default: []].append((signed, folder))
            }
        }
        var documents: [DossierDocument] = []
        let digest = SHA256.hash(sealed.bytes)
        for (kind, copies) in found.sorted(by: { $0.key.rank < $1.key.rank }) {
            let path = copies[0].place + "/" + kind.file
            // One document in several places is one, whichever of its signatures comes first.
            guard Set(copies.map(\.signed.bytes)).count == 1 else {
                let places = copies.map(\.place).joined(separator: "\" and \"")
                problems.append(
                    BagProblem(
                        path,
                        Failure(
                            .documentConflict,
                            "\"\(kind.file)\" is another one in \"\(places)\"")))
                continue
            }
            do throws(Failure) {
                let document = try self.document(kind, copies[0].signed, copies[0].place)
                if kind != .plan {
                    try kind.check(document.bytes, isAbout: digest, seal)
                }
                documents.append(document)
            } catch { problems.append(BagProblem(path, error)) }
        }
        let facts: ContractFacts
        do throws(Failure) { facts = try Self.facts(report) } catch {
            problems.append(BagProblem("exeat/catalogue.json", error))
            facts = try ContractFacts.none()
        }
        let about = DossierSeal(
            sha256: digest, bag: "urn:uuid:" + seal.bag, name: seal.name.text,
            createdAt: seal.createdAt, purpose: seal.purpose, planSha256: seal.planSha256,
            plan: seal.agreement)
        if seal.createdAt.seconds > now.seconds + DossierJudgement.slack {
            problems.append(
                BagProblem(
                    "proof/seal.json",
                    Failure(
                        .documentDate,
                        "the seal is dated \(seal.createdAt.text), in the future",
                        hint: "Set the clock of this machine right, or ask who has sealed it.")))
        }
        return DossierJudgement(
            seal: about, documents: documents, problems: problems, facts: facts, now: now
        ).dossier()
    }

    private static func facts(_ report: VerificationReport) throws(Failure) -> ContractFacts {
        guard let bytes = report.catalogue else { return try ContractFacts.none() }
        do throws(Failure) {
            return try ContractFacts(JSON(parsing: bytes)["contract"] ?? .null)
        } catch {
            // A fault of the archive, not of somebody's plan.
            throw Failure(
                .documentMalformed,
                "the contract in the catalogue cannot be reckoned with: "
                    + error.what, cause: error)
        }
    }

    /// Both signatures, then the form.
    private func document(
        _ kind: ProofDocument, _ signed: SignedBytes, _ place: String
    ) throws(Failure) -> DossierDocument {
        let how = DocumentKind.of(kind)
        let signer: VerifiedSigner
        var roles: Set<Role> = []
        do throws(Failure) {
            let known = try keys.verify(
                signed.bytes, sshsig: signed.sshsig, mldsa65: signed.mldsa65, as: how, at: now)
            signer = VerifiedSigner(known)
            roles = known.roles
        } catch {
            guard error.code == .signerUnknown, let sshsig = signed.sshsig else {
                throw Failure(error.code, "\"\(kind.file)\": \(error.what)", hint: error.hint)
            }
            let fingerprint = try TrustedKeys.verifyUnknown(signed.bytes, sshsig: sshsig, as: how)
            let named = try JSON(parsing: signed.bytes)["predicate"]?["signer"] ?? .null
            signer = VerifiedSigner(
                principal: named["principal"]?.string ?? "", ed25519: fingerprint,
                mldsa65: named["mldsa65"]?.string ?? "")
        }
        return try Statement.parse(kind, signed.bytes, signer: signer, roles: roles, place: place)
    }
}
