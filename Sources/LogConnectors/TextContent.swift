import Basics
import Glibc
import Logs
import Streams

/// Reads the content of a member: as it is stored, as text, or the runs of its text that were selected.
struct TextContent {
    let member: TextMember
    let file: SharedDescriptor
    let progress: Progress
    /// What the medium did not give, of all that was read through this.
    let losses = Losses()

    /// Bytes that could not be read (bad blocks); zeros stand for them, so that what follows keeps its place.
    final class Losses {
        fileprivate(set) var bytes: Int64 = 0
        fileprivate(set) var first: Int64 = 0

        fileprivate func note(_ range: Range<Int64>) {
            if bytes == 0 { first = range.lowerBound }
            bytes += range.upperBound - range.lowerBound
        }
    }

    /// How a member ended.
    struct Outcome {
        /// Stored bytes that were there, of those of the inventory.
        var stored: Int64 = 0
        /// Why its packing cannot be read to the end.
        var damage: String?
    }

    /// Goes through all stored bytes, and what they unpack to.
    func read(
        stored: (UnsafeRawBufferPointer) throws(Failure) -> Void,
        text: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Outcome {
        var outcome = Outcome()
        guard let packing = member.packing else {
            outcome.stored = try unsafe pieces(0..<member.size) { (bytes) throws(Failure) in
                try unsafe stored(bytes)
                try unsafe text(bytes)
            }
            return outcome
        }
        var unpacker = try Unpacker(packing)
        outcome.stored = try unsafe pieces(0..<member.size) { (bytes) throws(Failure) in
            try unsafe stored(bytes)
            try unsafe unpacker.feed(bytes, text)
        }
        unpacker.finish()
        // An empty file lacks nothing, whatever its name says.
        outcome.damage = member.size > 0 ? unpacker.damage : nil
        return outcome
    }

    /// Hands over bytes of what is exported of the member; returns how many there were.
    func exported(
        _ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        guard let runs = member.runs else { return try unsafe pieces(range, body) }
        let wanted = Self.parts(of: runs, range)
        guard member.packing != nil else {
            var done: Int64 = 0
            for part in wanted {
                let count = try unsafe pieces(part, body)
                done += count
                if count < part.upperBound - part.lowerBound { break }
            }
            return done
        }
        var position: Int64 = 0
        var next = 0
        var done: Int64 = 0
        _ = try unsafe read(stored: { (_) throws(Failure) in }) { (bytes) throws(Failure) in
            let here = position..<position + Int64(bytes.count)
            position = here.upperBound
            while next < wanted.count, wanted[next].lowerBound < here.upperBound {
                let overlap = wanted[next].clamped(to: here)
                if !overlap.isEmpty {
                    let from = Int(overlap.lowerBound - here.lowerBound)
                    let to = Int(overlap.upperBound - here.lowerBound)
                    try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[from..<to]))
                    done += Int64(to - from)
                }
                if wanted[next].upperBound > here.upperBound { break }
                next += 1
            }
        }
        return done
    }

    /// The runs that a range of their concatenation falls into.
    private static func parts(
        of runs: [Range<Int64>], _ range: Range<Int64>
    ) -> [Range<Int64>] {
        var parts: [Range<Int64>] = []
        var position: Int64 = 0
        for run in runs {
            let length = run.upperBound - run.lowerBound
            let overlap = (position..<position + length).clamped(to: range)
            if !overlap.isEmpty {
                let shift = run.lowerBound - position
                parts.append(overlap.lowerBound + shift..<overlap.upperBound + shift)
            }
            position += length
        }
        return parts
    }

    private static let block: Int64 = 4096

    private func zeros(
        _ count: Int64, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let zeros = [UInt8](repeating: 0, count: Int(count))
        try Failure.catching {
            try unsafe zeros.withUnsafeBytes { try unsafe body($0) }
        }
    }

    /// Stored bytes as far as they are there; never one behind the end that the inventory saw.
    private func pieces(
        _ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        var chunk = Chunk()
        var position = range.lowerBound
        let end = min(range.upperBound, member.size)
        // Behind a read error less is read at once, to lose no more than the blocks that are bad.
        var most = Int64.max
        var skip = Self.block
        while position < end {
            try progress.checkCancelled()
            chunk.removeAll()
            let (here, left) = (position, min(end - position, most))
            do throws(Failure) {
                try unsafe chunk.append { (free) throws(Failure) in
                    let size = Int(min(Int64(free.count), left))
                    return try unsafe file.descriptor.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: free[..<size]), at: here)
                }
                skip = Self.block
                most = most > 1 << 20 ? most : most * 2
            } catch {
                guard error.code == .inputOutput else {
                    throw error.during("cannot read \(file.name)")
                }
                guard most <= Self.block else {
                    most = Self.block
                    continue
                }
                // Each error in a row is twice as far from the next attempt: a dead disk takes seconds for each.
                let stop = min(end, (here / Self.block + skip / Self.block) * Self.block)
                skip = min(skip * 2, 1 << 20)
                losses.note(here..<stop)
                try unsafe zeros(stop - here, body)
                position = stop
                continue
            }
            if chunk.isEmpty { break }
            try unsafe chunk.withBytes { (bytes) throws(Failure) in try unsafe body(bytes) }
            position += Int64(chunk.count)
        }
        return position - range.lowerBound
    }
}
