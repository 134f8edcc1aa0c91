public import Basics
public import Primitives
public import Streams

/// A bag whose seal was verified, whole or not.
public protocol SealedContents: BagContents {
    var seal: Seal { get }
    var report: VerificationReport { get }
    /// The sealed SHA-256 of a file's stored bytes, whether or not these are still there.
    func digest(of path: BagPath) -> Digest256?
    /// Files of the payload that are lost or are not what was sealed.
    var damaged: Set<BagPath> { get }
}

extension VerifiedBag: SealedContents {
    public var damaged: Set<BagPath> { [] }
}

/// A bag of which everything is as it was sealed but some files of its payload.
///
/// It did NOT pass. What it gives was sealed all the same: each file is held against its sealed digest
/// while it is read, and damaged ones are refused. A rehearsal shows with it what a disaster would
/// leave; nothing else may use it.
public struct SalvagedBag: SealedContents {
    public let seal: Seal
    public let report: VerificationReport
    public let damaged: Set<BagPath>
    private let sealed: [BagPath: Digest256]
    private let sizes: [BagPath: Int64]
    private let storage: any BagStorage

    /// nil where more than payload is wrong.
    init?(
        _ examination: borrowing Examination, _ report: VerificationReport, storage: any BagStorage
    ) {
        guard let seal = examination.seal, examination.signer != nil,
            let manifest = examination.record(.payloadManifest(.sha256))?.manifest,
            Self.needed.allSatisfy({ name in
                report.checks.contains { $0.name == name && $0.outcome == .passed }
            }),
            examination.problems.allSatisfy(Self.isAboutPayload)
        else { return nil }
        self.seal = seal
        self.report = report
        self.storage = storage
        var sealed: [BagPath: Digest256] = [:]
        for line in manifest.lines {
            guard case .sha256(let digest) = line.digest else { return nil }
            sealed[line.path] = digest
        }
        var sizes: [BagPath: Int64] = [:]
        for entry in storage.entries { sizes[entry.path] = entry.size }
        var damaged: Set<BagPath> = []
        for (path, digest) in sealed where examination.digests[path] != digest {
            damaged.insert(path)
        }
        // Documents are as the tag manifest says, which is the one that was sealed.
        for (path, digest) in examination.digests where !path.isPayload { sealed[path] = digest }
        self.sealed = sealed
        self.sizes = sizes
        self.damaged = damaged
    }

    private static let needed = ["signatures", "seal", "tagmanifest-sha256.txt", "journal"]

    /// What follows from lost or changed files below `data/`, and cannot follow from anything else: the
    /// documents that say so are those of the tag manifest.
    private static func isAboutPayload(_ problem: BagProblem) -> Bool {
        switch problem.failure.code {
        case .bagFileChanged, .bagFileMissing, .bagDirectoryEmpty, .bagFileUnexpected,
            .inputOutput, .denied, .truncated, .journalMismatch:
            problem.path.hasPrefix("data/")
        case .bagInfoMismatch: problem.path == "bag-info.txt"
        case .sealSubjectMismatch: problem.path == "proof/seal.json"
        default: false
        }
    }

    public var entries: [BagEntry] {
        storage.entries.filter { sealed[$0.path] != nil && !damaged.contains($0.path) }
    }

    public func digest(of path: BagPath) -> Digest256? { sealed[path] }

    public func source(of path: BagPath) throws(Failure) -> BagSource {
        guard let digest = sealed[path], let size = sizes[path], !damaged.contains(path) else {
            throw Failure(
                damaged.contains(path) ? .bagFileChanged : .bagFileMissing,
                "\"\(path)\" is not what was sealed",
                hint: "Fetch the file again from the original archive.")
        }
        let source = try storage.source(of: BagEntry(path: path, size: size))
        return BagSource(
            checked: Checked(source, size: size, sha256: digest, name: path.text), size: size)
    }
}

extension Bag {
    /// Everything that is wrong, and what can be read of the bag in spite of it: all where it passed,
    /// nothing where more than files of the payload are damaged.
    public func salvaged(
        by verifier: some SealVerifier, workers: Int, progress: Progress
    ) async throws(Failure) -> (report: VerificationReport, bag: (any SealedContents)?) {
        let examination = try await examination(
            by: verifier, workers: workers, progress: progress, goingOn: true)
        let report = VerificationReport(examination)
        if report.isGood, let seal = report.seal {
            return (
                report,
                VerifiedBag(
                    report: report, seal: seal, digests: examination.digests, storage: storage)
            )
        }
        return (report, SalvagedBag(examination, report, storage: storage))
    }
}
