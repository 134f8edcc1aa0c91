import Bags
import Basics
import Primitives
import Signatures

/// The archive that a plan names as the one before.
struct SealSeries {
    /// The place behind that archive.
    let next: Seal.Series

    /// - Parameter path: an archive in either form, or its `seal.json` with `seal.json.sig` beside it.
    init(after path: String) throws(Failure) {
        do throws(Failure) {
            let (seal, signature) = try Self.read(path)
            let parsed = try Seal(parsing: seal)
            // Who it was is the reader's business; that it was not damaged is ours.
            let fingerprint = try TrustedKeys.verifyUnknown(seal, sshsig: signature, as: .seal)
            guard fingerprint == parsed.signer.ed25519 else {
                throw Failure(.signerPairMismatch, "it names another key than signed it")
            }
            next = Seal.Series(
                id: parsed.series?.id ?? parsed.bag, sequence: (parsed.series?.sequence ?? 1) + 1,
                previous: SHA256.hash(seal))
        } catch {
            throw Failure(
                .sealPrevious, "cannot use \"\(path)\" as the archive before this one",
                hint: "Name the archive, or its seal.json with seal.json.sig beside it.",
                cause: error)
        }
    }

    private static func read(_ path: String) throws(Failure) -> (seal: [UInt8], ssh: [UInt8]) {
        let limit = 1 << 22
        if path.hasSuffix(".json") {
            return (
                try Files.read(path, limit: limit), try Files.read(path + ".sig", limit: limit)
            )
        }
        let bag = try Bag(opening: path).unverified()
        return (
            try bag.read(Seal.path, limit: limit),
            try bag.read(BagPath(Seal.path.text + ".sig"), limit: limit)
        )
    }
}
