public import Basics
public import Connectors
public import Manifests
import Primitives
public import Streams
import Synchronization

/// Reads stored disks and streams through, and takes their content digests again.
public final class ProxmoxAuditor: Auditor {
    public static let kind = "proxmox"

    private let artifacts: any ArtifactSource
    private let progress: Progress
    private let disks: [(name: String, disk: StoredGuests.Disk)]
    private let units: [SegmentNumber]
    /// By disk and segment.
    private let found = Mutex<[SegmentNumber: MerkleRange]>([:])

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        let stored = try StoredGuests(source, from: artifacts)
        self.artifacts = artifacts
        self.progress = progress
        let disks: [(name: String, disk: StoredGuests.Disk)] = stored.guests.flatMap { guest in
            (guest.disks + [guest.stream].compactMap { $0 }).map { ($0.record.name, $0) }
        }
        self.disks = disks
        units = disks.indices.flatMap { place in
            disks[place].disk.offsets.indices.map { SegmentNumber(artifact: place, segment: $0) }
        }
        // Small files are checked by being read.
        for guest in stored.guests {
            for text in guest.texts.values { _ = try text.read(from: artifacts) }
        }
        for text in [stored.cluster, stored.clusterFiles] {
            _ = try text?.read(from: artifacts)
        }
    }

    public var slices: Int { units.count }

    public func audit(_ slice: Int) throws(Failure) {
        let unit = units[slice]
        let disk = disks[unit.artifact].disk
        let stream = try artifacts.open(disk.record, segment: unit.segment)
        var hasher = TreeHasher(from: disk.offsets[unit.segment])
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            if chunk.isHole {
                hasher.update(zeros: Int64(chunk.count))
            } else {
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe hasher.update(bytes)
                }
            }
            progress.add(bytes: Int64(chunk.count))
        } while !chunk.isEmpty
        let leaves = hasher.finish()
        found.withLock { $0[unit] = leaves }
    }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] {
        let found = found.withLock { $0 }
        return disks.indices.map { place in
            var leaves = MerkleRange()
            for segment in disks[place].disk.offsets.indices {
                if let part = found[SegmentNumber(artifact: place, segment: segment)] {
                    leaves.append(part)
                }
            }
            return .init(
                "sha256-tree-1m", of: .init("disk", disks[place].name),
                expected: disks[place].disk.digest.hex, found: leaves.root.hex)
        }
    }
}
