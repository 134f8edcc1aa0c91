public import Bags
public import Basics
public import Manifests
public import Plans
public import Streams

/// An archive for a rehearsal: examined as a whole like for any import, and opened even where files of
/// its payload are damaged, so that the rest can be rehearsed all the same.
///
/// Whoever opens it must not call it good: `report` says whether it is.
public struct RehearsedArchive: Sendable {
    public let contents: OpenArchive
    public let bag: any SealedContents

    public var report: VerificationReport { bag.report }

    /// Throws the first fault of a bag of which more is wrong than files of its payload.
    public static func open(
        _ path: String, plan: ImportPlan, keys: ArchiveKeys, workers: Int, now: Timestamp,
        progress: Progress
    ) async throws(Failure) -> RehearsedArchive {
        var trust = TrustOptions(trust: plan.trust)
        trust.authorities = plan.timestamp.authorities
        trust.policies = plan.timestamp.policies
        trust.requiresTimeStamps = plan.timestamp.isRequired
        let verifier = try KeyVerifier(trust, of: path, now: now)
        let (report, bag) = try await Bag(opening: path).salvaged(
            by: verifier, workers: workers, progress: progress)
        // Where there is no payload at all, nothing can be rehearsed, and no receipt says that something was.
        if report.absent != nil, let failure = report.obstacle {
            throw failure.during("\"\(path)\" cannot be rehearsed")
        }
        guard let bag else {
            throw
                (report.failure
                ?? Failure(.bagUnsealed, "the bag has no seal that could be verified"))
                .during("\"\(path)\" did not pass, and nothing of it can be rehearsed")
        }
        try bag.seal.checkDate(at: now)
        return try opened(bag, keys)
    }

    private static func opened(
        _ bag: some SealedContents, _ keys: ArchiveKeys
    ) throws(Failure) -> RehearsedArchive {
        let contents = try OpenArchive(bag, keys: keys)
        try contents.checkManifest(against: bag)
        let coverage = try Coverage(bag)
        try coverage.check()
        try coverage.check(contents.manifest)
        return RehearsedArchive(contents: contents, bag: bag)
    }

    /// Whether the stored file of a segment is lost or is not what was sealed.
    public func isDamaged(_ segment: SegmentRecord) -> Bool {
        (try? BagPath(segment.path)).map { bag.damaged.contains($0) } ?? true
    }
}
