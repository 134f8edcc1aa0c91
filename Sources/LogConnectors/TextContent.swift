import Basics
import Glibc
import Logs
import Streams

/// Reads the content of a member: as it is stored, as text, or the runs of its text that were selected.
struct TextContent {
    let member: TextMember
    let file: SharedDescriptor
    let progress: Progress

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

    /// Stored bytes as far as they are there; never one behind the end that the inventory saw.
    private func pieces(
        _ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        var chunk = Chunk()
        var position = range.lowerBound
        let end = min(range.upperBound, member.size)
        while position < end {
            try progress.checkCancelled()
            chunk.removeAll()
            let (here, left) = (position, end - position)
            do throws(Failure) {
                try unsafe chunk.append { (free) throws(Failure) in
                    let size = Int(min(Int64(free.count), left))
                    return try unsafe file.descriptor.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: free[..<size]), at: here)
                }
            } catch { throw error.during("cannot read \(file.name)") }
            if chunk.isEmpty { break }
            try unsafe chunk.withBytes { (bytes) throws(Failure) in try unsafe body(bytes) }
            position += Int64(chunk.count)
        }
        return position - range.lowerBound
    }
}
