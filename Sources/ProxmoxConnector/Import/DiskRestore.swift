import Basics
import Connectors
import Disks
import Glibc
import Streams

/// Brings the bytes of a segment to a disk; zeros stay holes.
enum DiskRestore {
    /// The grain in which zeros are looked for.
    private static let block = 4096

    static func write(
        _ stream: SegmentStream, to disk: inout some WritableDisk & ~Copyable, at offset: Int64,
        _ progress: Progress
    ) throws(Failure) {
        var position = offset
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            let start = position
            if !chunk.isHole {
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    try unsafe write(bytes, to: &disk, at: start)
                }
            }
            position += Int64(chunk.count)
            progress.add(bytes: Int64(chunk.count))
        } while !chunk.isEmpty
    }

    /// Writes the runs of blocks that hold something.
    private static func write(
        _ bytes: UnsafeRawBufferPointer, to disk: inout some WritableDisk & ~Copyable,
        at offset: Int64
    ) throws(Failure) {
        var start = 0
        while true {
            start = unsafe skip(in: bytes, from: start, zeros: true)
            if start == bytes.count { return }
            let end = unsafe skip(in: bytes, from: start, zeros: false)
            let run = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            try unsafe disk.write(run.bytes, at: offset + Int64(start))
            start = end
        }
    }

    /// Where the run of blocks ends that are all zeros, or none of them.
    private static func skip(
        in bytes: UnsafeRawBufferPointer, from start: Int, zeros: Bool
    ) -> Int {
        var end = start
        while end < bytes.count {
            let isZero = unsafe isZero(bytes, end)
            if isZero != zeros { return end }
            end += block
        }
        return bytes.count
    }

    /// Whether the block that begins there is zeros: its first bytes are, and each equals the next.
    private static func isZero(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        let count = min(block, bytes.count - start)
        guard let base = bytes.baseAddress else { return true }
        let first = unsafe base + start
        guard count > 8 else {
            return unsafe UnsafeRawBufferPointer(start: first, count: count)
                .allSatisfy { $0 == 0 }
        }
        return unsafe first.loadUnaligned(as: UInt64.self) == 0
            && memcmp(first, first + 8, count - 8) == 0
    }
}
