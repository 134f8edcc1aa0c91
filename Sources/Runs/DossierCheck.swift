public import Bags
public import Basics
public import Dossiers
import Glibc
import Signatures
public import Streams

/// An archive as far as its proof goes, and its dossier: what `exeat attest` and the report begin with.
public struct OpenDossier: Sendable {
    public let report: VerificationReport
    public let dossier: Dossier
    public let bag: Bag
    /// Where documents lie besides `proof/`.
    public let folders: [String]

    /// Checks all but the payload, whether that is there or not.
    ///
    /// Throws the first fault of the archive; what is wrong with its documents is told by
    /// `dossier.problems`.
    public static func open(
        _ path: String, trust: TrustOptions, folder: String?, world: World, progress: Progress
    ) async throws(Failure) -> OpenDossier {
        let keys = try TrustedKeys(files: trust.trust)
        let now = world.now()
        // What must not be restored any more may still be accepted, and above all erased.
        var trust = trust
        trust.acceptsExpired = true
        let bag = try Bag(opening: path)
        let report = try await bag.examinedProof(
            by: try KeyVerifier(trust, of: path, now: now), workers: Scheduler.standardWorkers,
            progress: progress)
        let folders = folders(of: path, folder)
        let dossier = try DossierReader(keys: keys, now: now).read(report, folders: folders)
        // The dossier tells more exactly what is wrong with its documents.
        let documents = Set(report.signed.keys.map { "proof/" + $0.file })
        let own = report.problems.first {
            !documents.contains($0.path) || $0.path == "proof/seal.json"
        }
        if let own { throw own.failure }
        return OpenDossier(report: report, dossier: dossier, bag: bag, folders: folders)
    }

    /// The folder that was named, and the one beside a tar.
    static func folders(of archive: String, _ folder: String?) -> [String] {
        var folders: [String] = []
        // A directory holds its documents itself; what lies beside one may be of a tar of the same name.
        if archive != "-", Files.kind(archive) != S_IFDIR {
            let beside = DossierFolder.beside(archive).path
            if beside != archive, Files.exists(beside) { folders.append(beside) }
        }
        if let folder, !folders.contains(folder) { folders.append(folder) }
        return folders
    }

    /// Takes back what an interrupted `exeat attest` with these keys has left.
    public static func mend(_ archive: String, _ folder: String?, _ pair: PublicKeyPair) {
        for folder in [archive + "/proof"] + folders(of: archive, folder) {
            DossierFolder(folder).mend(pair)
        }
    }

    /// Where a new document goes: the folder that was named, else `proof/`, else beside a tar.
    public func place(for folder: String?) throws(Failure) -> DossierFolder {
        if let folder {
            try Files.makeDirectory(folder)
            return DossierFolder(folder)
        }
        if bag.form == .directory { return DossierFolder(bag.path + "/proof") }
        let beside = DossierFolder.beside(bag.path)
        try Files.makeDirectory(beside.path)
        return beside
    }
}
