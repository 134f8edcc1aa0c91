public import Basics
import Glibc
import Primitives
public import Streams

/// A bag that was opened and listed, and that nobody should believe yet.
///
/// Its bytes are reached only through `verified(by:workers:progress:)`, or through `unverified()`,
/// which says in the name what it gives.
public struct Bag: Sendable {
    public let path: String
    public let form: BagForm
    let storage: any BagStorage

    /// Lists a directory, or the headers of a tar file. Throws `.bagNotFound` when there is
    /// neither, and a tar code when a tar is not canonical; what is wrong in a directory waits for
    /// the verification, so that all of it can be told.
    public init(opening path: String) throws(Failure) {
        var status = stat()
        guard unsafe fstatat(AT_FDCWD, path, &status, 0) == 0 else {
            throw Failure(
                .bagNotFound, "cannot open \"\(path)\": \(describeErrno(errno))",
                hint: "Name the directory or the .tar file that the export wrote.")
        }
        self.path = path
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            form = .directory
            storage = try BagDirectory(opening: path)
        case S_IFREG:
            form = .tar
            storage = try BagTar(opening: path)
        default:
            throw Failure(
                .bagNotFound, "\"\(path)\" is neither a directory nor a file",
                hint: "Pipe a tar into standard input and name it \"-\".")
        }
    }

    /// The name that the tar form carries; nil for a directory.
    public var name: BagName? { storage.name }

    /// The plain files, payload of a tar in the order in which it was produced.
    public var entries: [BagEntry] { storage.entries }

    /// Looks at everything and tells all that is wrong. Only `.cancelled` throws.
    ///
    /// - Parameter workers: how many files are read at once.
    public func examine(
        by verifier: some SealVerifier, workers: Int, progress: Progress
    ) async throws(Failure) -> VerificationReport {
        VerificationReport(
            try await examination(
                by: verifier, workers: workers, progress: progress, goingOn: true))
    }

    /// Both at once: what is wrong, and the bag itself where nothing is.
    public func examined(
        by verifier: some SealVerifier, workers: Int, progress: Progress
    ) async throws(Failure) -> (report: VerificationReport, bag: VerifiedBag?) {
        let examination = try await examination(
            by: verifier, workers: workers, progress: progress, goingOn: true)
        let report = VerificationReport(examination)
        guard report.isGood, let seal = report.seal else { return (report, nil) }
        let bag = VerifiedBag(
            report: report, seal: seal, digests: examination.digests, storage: storage)
        return (report, bag)
    }

    /// Looks at everything but the payload, which is only listed: enough for what is signed about
    /// an archive that was verified before. The report is never that of a good archive.
    public func examinedProof(
        by verifier: some SealVerifier, workers: Int, progress: Progress
    ) async throws(Failure) -> VerificationReport {
        VerificationReport(
            try await examination(
                by: verifier, workers: workers, progress: progress, goingOn: true, payload: false))
    }

    /// Lets the bag pass, or throws the first of its faults; a fault outside the payload is told
    /// before the payload is read.
    public func verified(
        by verifier: some SealVerifier, workers: Int, progress: Progress
    ) async throws(Failure) -> VerifiedBag {
        let examination = try await examination(
            by: verifier, workers: workers, progress: progress, goingOn: false)
        let report = VerificationReport(examination)
        if let failure = report.obstacle { throw failure }
        guard let seal = report.seal, report.isGood else {
            throw Failure(.bagUnsealed, "the bag has no seal that could be verified")
        }
        return VerifiedBag(
            report: report, seal: seal, digests: examination.digests, storage: storage)
    }

    /// The files as they are, for someone who looks into a bag that he cannot or need not verify.
    public func unverified() -> UnverifiedBag { UnverifiedBag(storage: storage) }

    func examination(
        by verifier: some SealVerifier, workers: Int, progress: Progress, goingOn: Bool,
        payload isRead: Bool = true
    ) async throws(Failure) -> Examination {
        var problems = storage.problems
        var documents: [(entry: BagEntry, part: BagPart)] = []
        var payload: [(entry: BagEntry, part: BagPart)] = []
        var sha512 = false
        for entry in storage.entries {
            do throws(Failure) {
                let part = try BagPart(of: entry.path)
                if part == .payload {
                    payload.append((entry, part))
                } else {
                    documents.append((entry, part))
                }
                if part == .payloadManifest(.sha512) || part == .tagManifest(.sha512) {
                    sha512 = true
                }
            } catch { problems.append(BagProblem(entry.path.text, error)) }
        }
        var examination = Examination(name: storage.name, problems: problems)
        examination.judge(
            documents: try await FileRecords.read(
                documents, in: storage, sha512: sha512, workers: workers, progress: progress),
            payload: payload.map(\.entry), by: verifier)
        if !goingOn, !examination.problems.isEmpty { return examination }
        guard isRead else {
            examination.leavePayloadUnread()
            return examination
        }
        // In the order of their names the reads of a directory follow the writes of the export.
        examination.judge(
            payload: try await FileRecords.read(
                payload, in: storage, sha512: sha512, workers: workers, progress: progress),
            sha512: sha512)
        return examination
    }
}
