public import Basics
public import Primitives
public import Streams
import Synchronization

/// The content digest `sha256-tree-1m` of a disk's visible bytes; holes cost nothing.
public enum DiskDigest {
    /// Cuts a disk into ranges that begin at leaves, for hashing them side by side.
    public static func parts(of size: Int64, each length: Int64 = 64 << 20) -> [Range<Int64>] {
        precondition(length > 0 && length % TreeDigest.leafSize == 0, "a part holds whole leaves")
        return stride(from: 0, to: size, by: Int(length)).map { start in
            Int64(start)..<min(size, Int64(start) + length)
        }
    }

    /// The leaves of a range, which begins at a multiple of 1 MiB and ends at one or at the end.
    public static func leaves(
        of disk: inout some ReadableDisk & ~Copyable, in range: Range<Int64>,
        _ chunk: inout Chunk, progress: Progress
    ) throws(Failure) -> MerkleRange {
        var hasher = TreeHasher(from: range.lowerBound)
        var offset = range.lowerBound
        while offset < range.upperBound {
            try progress.checkCancelled()
            let extent = try disk.extent(at: offset, before: range.upperBound)
            guard extent.offset == offset, extent.length > 0, extent.end <= range.upperBound else {
                throw Failure(.failed, "a disk gave an extent that does not follow")
            }
            if extent.isHole {
                hasher.update(zeros: extent.length)
                offset = extent.end
                progress.add(bytes: extent.length)
                continue
            }
            while offset < extent.end {
                try progress.checkCancelled()
                let count = Int(min(Int64(chunk.capacity), extent.end - offset))
                try disk.read(count, at: offset, into: &chunk)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe hasher.update(bytes)
                }
                offset += Int64(count)
                progress.add(bytes: Int64(count))
            }
        }
        return hasher.finish()
    }

    /// The root of ranges that follow each other from the first leaf.
    public static func root(of ranges: [MerkleRange]) -> Digest256 {
        var whole = MerkleRange()
        for range in ranges { whole.append(range) }
        return whole.root
    }

    /// Takes the digest on several lanes, each with a reader of its own.
    public static func take<Disk: ReadableDisk & ~Copyable & SendableMetatype>(
        of size: Int64, workers: Int = Scheduler.standardWorkers, progress: Progress = Progress(),
        open: @escaping @Sendable () throws(Failure) -> Disk
    ) async throws(Failure) -> Digest256 {
        let work = Work(parts(of: size))
        let scheduler = Scheduler(workers: min(workers, max(1, work.parts.count)))
        defer { scheduler.close() }
        try await scheduler.run(Array(0..<scheduler.lanes.count)) { (_) throws(Failure) in
            var disk = try open()
            guard disk.size == size else {
                throw Failure(
                    .diskUnsuitable, "a disk has \(disk.size) bytes where \(size) are expected")
            }
            var chunk = Chunk()
            while let part = work.next() {
                let leaves = try leaves(
                    of: &disk, in: work.parts[part], &chunk, progress: progress)
                work.note(leaves, of: part)
            }
        }
        return root(of: work.ranges)
    }

    /// Parts that lanes take one after the other, and what they made of them.
    private final class Work: Sendable {
        let parts: [Range<Int64>]
        private let taken = Atomic<Int>(0)
        private let done: Mutex<[MerkleRange]>

        init(_ parts: [Range<Int64>]) {
            self.parts = parts
            done = Mutex(
                parts.map { MerkleRange(start: $0.lowerBound / TreeDigest.leafSize) })
        }

        func next() -> Int? {
            let part = taken.add(1, ordering: .relaxed).oldValue
            return part < parts.count ? part : nil
        }

        func note(_ leaves: MerkleRange, of part: Int) { done.withLock { $0[part] = leaves } }

        var ranges: [MerkleRange] { done.withLock { $0 } }
    }
}
