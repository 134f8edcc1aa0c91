public import Bags
public import Basics
public import Connectors
import Encryption
public import Manifests
import Primitives
import Streams

/// An archive whose manifest can be read: the bag, and the keys to what is encrypted in it.
public struct OpenArchive: ArtifactSource {
    public private(set) var manifest: Manifest
    public let isEncrypted: Bool
    private let bag: any BagContents
    private let identities: [Identity]
    /// Told how long it takes to get at plaintext; nil where nobody asks.
    private var clock: PhaseClock?
    /// Paths of segments that are lost, where what is left is replayed.
    private var lost: Set<String> = []

    /// Reads the manifest of a bag, verified or not.
    ///
    /// Throws `.ageNoMatch` without the right key, and `.manifestMismatch` when the manifest does
    /// not speak of this bag.
    public init(_ bag: some BagContents, keys: ArchiveKeys) throws(Failure) {
        self.bag = bag
        identities = keys.identities
        let paths = Set(bag.entries.map(\.path.text))
        isEncrypted = paths.contains("exeat/manifest.json.age")
        guard !isEncrypted || !identities.isEmpty else {
            throw Failure(
                .ageNoMatch, "the archive is encrypted",
                hint: "Give the age identity it was encrypted to with --decrypt-with FILE, or "
                    + "decrypt-with in the import plan.")
        }
        let path = try BagPath(isEncrypted ? "exeat/manifest.json.age" : "exeat/manifest.json")
        let source = try bag.source(of: path)
        let bytes: [UInt8]
        if isEncrypted {
            var opening = try Opening(source, identities: identities)
            bytes = try opening.readAll(limit: Self.largestManifest)
        } else {
            var plain = source
            bytes = try plain.readAll(limit: Self.largestManifest)
        }
        manifest = try Manifest(parsing: bytes)
    }

    private static let largestManifest = 256 << 20

    /// Holds the manifest against the sealed digests of a verified bag: every payload file belongs
    /// to exactly one segment, and is what the manifest says.
    public func checkManifest(against bag: some SealedContents) throws(Failure) {
        guard manifest.bag == "urn:uuid:" + bag.seal.bag, manifest.name == bag.seal.name.text else {
            throw Failure(.manifestMismatch, "the manifest is of another archive")
        }
        guard Set(manifest.sources.map(\.name)).count == manifest.sources.count else {
            throw Failure(.manifestMismatch, "the manifest has a source twice")
        }
        for artifact in manifest.sources.flatMap(\.artifacts) {
            let folder = "data/\(artifact.folder)/"
            _ = try BagPath("\(artifact.folder).\(artifact.format)")
            for segment in artifact.segments where !segment.path.hasPrefix(folder) {
                throw Failure(
                    .manifestMismatch, "\"\(segment.path)\" is not in \"\(folder)\", its artifact's"
                )
            }
        }
        var sizes: [BagPath: Int64] = [:]
        for entry in bag.entries where entry.path.isPayload { sizes[entry.path] = entry.size }
        var left = Set(bag.entries.map(\.path).filter(\.isPayload)).union(bag.damaged)
        for segment in manifest.sources.flatMap(\.artifacts).flatMap(\.segments) {
            let path = try BagPath(segment.path)
            guard left.remove(path) != nil, let digest = bag.digest(of: path),
                digest.hex == segment.sha256,
                sizes[path] == segment.bytes || bag.damaged.contains(path)
            else {
                throw Failure(
                    .manifestMismatch, "the manifest and the bag differ about \"\(segment.path)\"")
            }
        }
        if let extra = left.min() {
            throw Failure(.manifestMismatch, "no artifact of the manifest has \"\(extra)\"")
        }
    }

    /// The same archive, of whose source at this place only what `record` has is replayed.
    public func replaying(_ record: SourceRecord, at place: Int) -> OpenArchive {
        var archive = self
        archive.manifest.sources[place] = record
        return archive
    }

    /// The same archive, whose reading a clock watches.
    func timed(by clock: PhaseClock) -> OpenArchive {
        var archive = self
        archive.clock = clock
        return archive
    }

    /// The same archive without some of its segments: what does not need them is replayed.
    public func without(_ segments: [SegmentRecord]) -> OpenArchive {
        var archive = self
        archive.lost = Set(segments.map(\.path))
        return archive
    }

    var isSalvaged: Bool { !lost.isEmpty }

    public func lacks(_ record: ArtifactRecord) -> Bool {
        isSalvaged && record.segments.contains { lost.contains($0.path) }
    }

    public func open(
        _ record: ArtifactRecord, segment: Int
    ) throws(Failure) -> SegmentStream {
        let segment = record.segments[segment]
        guard !lost.contains(segment.path) else {
            throw Failure(.bagFileChanged, "\"\(segment.path)\" is damaged in the archive")
        }
        let source = TimedSource(try bag.source(of: BagPath(segment.path)), clock, .fetch)
        if isEncrypted {
            return SegmentStream(
                TimedSource(
                    try Decompressing(
                        Opening(source, identities: identities), size: segment.plainBytes), clock,
                    .decode))
        }
        return SegmentStream(
            TimedSource(try Decompressing(source, size: segment.plainBytes), clock, .decode))
    }
}
