import Basics
import Connectors
import Disks
import Primitives
import Streams

/// How a disk becomes segments: ranges of its visible bytes, in order.
struct DiskCut: Sendable {
    let size: Int64
    let step: Int64

    /// Large disks get longer segments, so that their number stays within some thousands; holes make
    /// most of those.
    init(size: Int64) {
        self.size = size
        let leaf = TreeDigest.leafSize
        let even = (size / 4096 + leaf - 1) / leaf * leaf
        step = min(max(256 << 20, even), 1 << 30)
    }

    var count: Int { Int(max(1, (size + step - 1) / step)) }

    func range(_ segment: Int) -> Range<Int64> {
        let start = min(Int64(segment) * step, size)
        return start..<min(start + step, size)
    }

    /// The segment that an offset lies in.
    func segment(at offset: Int64) -> Int { Int(offset / step) }
}

/// Writes the visible bytes of a range of a disk, and digests them on the way; holes are found by
/// extent and passed on as numbers.
enum DiskRange {
    struct Note: Sendable, Equatable {
        var leaves: MerkleRange
        /// Bytes that were read, holes left out.
        var data: Int64
    }

    static func export(
        _ disk: inout some ReadableDisk & ~Copyable, _ range: Range<Int64>,
        into sink: inout some ByteSink & ~Copyable, _ progress: Progress
    ) throws(Failure) -> Note {
        var hasher = TreeHasher(from: range.lowerBound)
        var chunk = Chunk()
        var data: Int64 = 0
        var offset = range.lowerBound
        while offset < range.upperBound {
            try progress.checkCancelled()
            let extent = try disk.extent(at: offset, before: range.upperBound)
            if extent.isHole {
                hasher.update(zeros: extent.length)
                try sink.write(zeros: extent.length)
                progress.add(bytes: extent.length)
                offset = extent.end
                continue
            }
            while offset < extent.end {
                try progress.checkCancelled()
                let count = Int(min(Int64(chunk.capacity), extent.end - offset))
                try disk.read(count, at: offset, into: &chunk)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe hasher.update(bytes)
                    try unsafe sink.write(buffer: bytes)
                }
                progress.add(bytes: Int64(count))
                offset += Int64(count)
                data += Int64(count)
            }
        }
        return Note(leaves: hasher.finish(), data: data)
    }
}

/// What exporting a segment of a disk has taught, kept in the room.
extension DiskRange.Note {
    func write(to path: String) throws(Failure) {
        let json: JSON = [
            "start": .integer(leaves.start), "data": .integer(data),
            "nodes": .array(
                leaves.nodes.map { .array([.integer(Int64($0.level)), .string($0.digest.hex)]) }),
        ]
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    init(reading path: String) throws(Failure) {
        let json = try JSON(parsing: Files.read(path))
        guard let start = json["start"]?.integer, let data = json["data"]?.integer,
            let nodes = json["nodes"]?.array
        else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
        var leaves = MerkleRange(start: start)
        for node in nodes {
            guard let parts = node.array, parts.count == 2, let level = parts[0].integer,
                let digest = parts[1].string.flatMap({ Digest256(hex: $0) })
            else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
            leaves.append(.init(level: Int(level), digest: digest))
        }
        self.init(leaves: leaves, data: data)
    }
}
