import Archives
import Basics
import Glibc
import Primitives
import Streams

/// Copies the data of a file into a stream and digests its visible bytes on the way.
struct FileData: ~Copyable {
    private let file: Int32
    private let path: [UInt8]
    private let progress: Progress
    private var plain = SHA256()
    private var tree = TreeHasher()
    /// Bytes given to the stream.
    private(set) var stored: Int64 = 0
    /// The file ended before its size; zeros took the place of the rest.
    private(set) var wasShort = false

    /// The descriptor must stay open for the life of this value.
    init(
        _ file: borrowing Descriptor, _ path: [UInt8], progress: Progress, from start: Int64 = 0
    ) {
        self.file = file.raw
        self.path = path
        self.progress = progress
        tree = TreeHasher(from: start)
    }

    /// Copies what `extents` say within `visible`.
    ///
    /// - Parameter asPlain: take plain SHA-256 instead of the tree digest.
    mutating func copy(
        _ extents: [Extent], visible: Range<Int64>, plain asPlain: Bool, _ chunk: inout Chunk,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var position = visible.lowerBound
        for extent in extents {
            let start = max(extent.offset, visible.lowerBound)
            let end = min(extent.offset + extent.length, visible.upperBound)
            if start >= end { continue }
            if !asPlain { tree.update(zeros: start - position) }
            try copy(start..<end, asPlain, &chunk, into: &sink)
            position = end
        }
        if !asPlain { tree.update(zeros: visible.upperBound - position) }
    }

    private mutating func copy(
        _ range: Range<Int64>, _ asPlain: Bool, _ chunk: inout Chunk,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var position = range.lowerBound
        while position < range.upperBound {
            try progress.checkCancelled()
            let wanted = Int(min(Int64(Chunk.standardSize), range.upperBound - position))
            try fill(&chunk, wanted, at: position)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                if asPlain { unsafe plain.update(bytes) } else { unsafe tree.update(bytes) }
                try unsafe sink.write(buffer: bytes)
            }
            position += Int64(wanted)
            stored += Int64(wanted)
            progress.add(bytes: Int64(wanted))
        }
    }

    private mutating func fill(
        _ chunk: inout Chunk, _ wanted: Int, at position: Int64
    ) throws(Failure) {
        chunk.removeAll()
        var isShort = false
        let (file, path) = (file, path)
        try unsafe chunk.append { (free) throws(Failure) in
            var done = 0
            while done < wanted {
                let count = retrying {
                    unsafe pread(
                        file, free.baseAddress.map { unsafe $0 + done }, wanted - done,
                        Int(position) + done)
                }
                guard count >= 0 else {
                    throw Failure(
                        .sourceUnreadable,
                        "cannot read \"\(String(decoding: path, as: UTF8.self))\"", mayRetry: true,
                        cause: Failure(errno: errno, "read error"))
                }
                if count == 0 { break }
                done += count
            }
            if done < wanted, let start = free.baseAddress {
                unsafe memset(start + done, 0, wanted - done)
                isShort = true
            }
            return wanted
        }
        if isShort { wasShort = true }
    }

    /// Whether there is more to read than the size says: what a remote file system tells of a file may
    /// be older than the file.
    func hasMore(behind size: Int64) -> Bool {
        var byte: UInt8 = 0
        let file = file
        return retrying { unsafe pread(file, &byte, 1, Int(size)) } > 0
    }

    mutating func plainDigest() -> Digest256 { plain.finish() }

    mutating func leaves() -> MerkleRange { tree.finish() }
}
