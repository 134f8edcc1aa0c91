import Basics
import Connectors
import Disks
import Streams

/// Brings the bytes of a segment to a disk; zeros stay holes.
enum DiskRestore {
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
                    try unsafe DataRuns.each(in: bytes) { (run) throws(Failure) in
                        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[run])
                        try unsafe disk.write(part.bytes, at: start + Int64(run.lowerBound))
                    }
                }
            }
            position += Int64(chunk.count)
            progress.add(bytes: Int64(chunk.count))
        } while !chunk.isEmpty
    }
}
