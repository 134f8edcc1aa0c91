import Bags
public import Basics
import Connectors
import Glibc
import Manifests
import Signatures
public import Streams

/// `exeat extract`: artifacts as files in their standard formats, without replaying them anywhere.
public struct Extraction: Sendable {
    public struct Extracted: Sendable {
        public let path: String
        public let bytes: Int64
    }

    /// Extracts one artifact, or all, below a directory that is new or empty.
    ///
    /// - Parameters:
    ///   - trust: trust files; nil for an archive that is not to be verified.
    ///   - artifact: `source`, `source/artifact` or a folder of the archive; nil for all.
    public static func run(
        _ path: String, artifact: String?, to directory: String, trust: [String]?,
        keys: ArchiveKeys, world: World, progress: Progress
    ) async throws(Failure) -> [Extracted] {
        try ArchiveBounds.check(directory, outside: path, hint: "Name another place with --to.")
        let bag = try Bag(opening: path)
        let archive: OpenArchive
        if let trust {
            let verified = try await bag.verified(
                by: try KeyVerifier(keys: try TrustedKeys(files: trust), now: world.now()),
                workers: Scheduler.standardWorkers, progress: progress)
            archive = try OpenArchive(verified, keys: keys)
            try archive.checkManifest(against: verified)
        } else {
            archive = try OpenArchive(bag.unverified(), keys: keys)
        }
        let chosen = archive.manifest.sources.flatMap { source in
            source.artifacts.filter { record in
                artifact == nil || artifact == source.name || artifact == record.folder
                    || artifact == "\(source.name)/\(record.name)"
            }
        }
        guard !chosen.isEmpty else {
            throw Failure(
                .notFound, "the archive has no artifact \"\(artifact ?? "")\"",
                hint: "\"exeat inspect\" lists them.")
        }
        let names = try ExtractedNames(chosen)
        let files = chosen.enumerated().map { index, record in
            (record: record, path: "\(directory)/\(names[index])")
        }
        try prepare(directory, for: chosen)
        let scheduler = Scheduler(workers: Scheduler.standardWorkers)
        defer { scheduler.close() }
        try await scheduler.run(files) { (file) throws(Failure) in
            try extract(file.record, from: archive, to: file.path, progress)
        }
        return files.map { Extracted(path: $0.path, bytes: $0.record.plainBytes) }
    }

    /// Budgets before the first byte: an empty directory with enough room.
    private static func prepare(
        _ directory: String, for artifacts: [ArtifactRecord]
    ) throws(Failure) {
        try Files.makeDirectory(directory)
        guard try Files.names(in: directory).isEmpty else {
            throw Failure(
                .targetOccupied, "\"\(directory)\" is not empty",
                hint: "Name a directory that is empty or does not exist yet.")
        }
        // Of a disk with holes its data alone takes room.
        let needed = artifacts.reduce(Int64(0)) { sum, record in
            let data = record.counts.first { $0.key == "data" }?.value.integer ?? record.plainBytes
            return sum &+ min(max(0, data), record.plainBytes)
        }
        try FreeSpace.check(directory, for: needed)
    }

    private static func extract(
        _ record: ArtifactRecord, from archive: OpenArchive, to path: String,
        _ progress: Progress
    ) throws(Failure) {
        // It gets its name when it is whole, so that a short one is never taken for it.
        let partial = path + ".partial"
        do throws(Failure) {
            try write(record, from: archive, to: partial, progress)
            try Files.rename(partial, to: path)
        } catch {
            try? Files.remove(partial)
            throw error
        }
    }

    private static func write(
        _ record: ArtifactRecord, from archive: OpenArchive, to path: String, _ progress: Progress
    ) throws(Failure) {
        try Files.makeDirectory(Files.parent(of: path))
        let output = try Descriptor(
            opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        var chunk = Chunk()
        var position: Int64 = 0
        for segment in record.segments.indices {
            let stream = try archive.open(record, segment: segment)
            repeat {
                try progress.checkCancelled()
                try stream.read(into: &chunk)
                // Zeros stay holes: a disk may be larger than what it lies on.
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    try unsafe DataRuns.each(in: bytes) { (run) throws(Failure) in
                        try unsafe output.writeAll(
                            UnsafeRawBufferPointer(rebasing: bytes[run]),
                            at: position + Int64(run.lowerBound))
                    }
                }
                position += Int64(chunk.count)
                progress.add(bytes: Int64(chunk.count))
            } while !chunk.isEmpty
        }
        do throws(Failure) { try output.truncate(to: position) } catch {
            throw error.during("cannot write \"\(path)\"")
        }
        try output.sync()
    }
}

/// Room on a file system, looked at before the first byte is written.
public enum FreeSpace {
    public static func check(_ path: String, for bytes: Int64) throws(Failure) {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else {
            throw Failure(errno: errno, "cannot look at \"\(path)\"")
        }
        let free = Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
        guard free >= bytes else {
            throw Failure(
                .noSpace, "\"\(path)\" has \(free) bytes free, and \(bytes) are needed",
                hint: "Free space, or choose another file system.")
        }
    }
}
