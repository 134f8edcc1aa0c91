import Basics
import Encryption
import Streams

/// Keeps what is written, for a test to look at.
final class Kept {
    var bytes: [UInt8] = []
    var writes: [Int] = []
    var isFinished = false
}

struct KeepingSink: ByteSink, ~Copyable {
    let kept: Kept

    mutating func write(_ bytes: RawSpan) throws(Failure) {
        kept.writes.append(bytes.byteCount)
        kept.bytes += unsafe bytes.withUnsafeBytes { Array($0) }
    }

    mutating func finish() throws(Failure) { kept.isFinished = true }
}

/// Gives bytes from memory, at most `step` at a time.
struct BytesSource: ByteSource, ~Copyable {
    private var rest: ArraySlice<UInt8>
    private let step: Int

    init(_ bytes: [UInt8], step: Int = .max) {
        rest = bytes[...]
        self.step = step
    }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let part = rest.prefix(step)
        let count = try Failure.catching { part.withUnsafeBytes { chunk.append($0) } }
        rest = rest.dropFirst(count)
    }
}

/// The whole of what a stage does, on bytes in memory.
enum Age {
    /// What was given before the end or the failure.
    struct Released {
        var bytes: [UInt8] = []
        var failure: Failure?
    }

    static func seal(
        _ plain: [UInt8], to recipients: [Recipient], step: Int = .max
    ) throws(Failure) -> [UInt8] {
        let kept = Kept()
        var sealing = try Sealing(to: recipients, into: KeepingSink(kept: kept))
        var rest = plain[...]
        while !rest.isEmpty {
            try sealing.write(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
        }
        try sealing.finish()
        return kept.bytes
    }

    static func open(
        _ file: [UInt8], with identities: [Identity], step: Int = .max,
        capacity: Int = Chunk.standardSize
    ) -> Released {
        drain(
            { () throws(Failure) in
                try Opening(BytesSource(file, step: step), identities: identities)
            }, capacity)
    }

    static func openArmored(
        _ file: [UInt8], _ form: ArmorForm, with identities: [Identity],
        step: Int = .max, capacity: Int = Chunk.standardSize
    ) -> Released {
        drain(
            { () throws(Failure) in
                try Opening(
                    ArmorSource(BytesSource(file, step: step), form), identities: identities)
            }, capacity)
    }

    static func drain<Source: ByteSource & ~Copyable>(
        _ make: () throws(Failure) -> Source, _ capacity: Int
    ) -> Released {
        var released = Released()
        do throws(Failure) {
            var source = try make()
            var chunk = Chunk(capacity: capacity)
            while true {
                try source.read(into: &chunk)
                if chunk.isEmpty { return released }
                try chunk.withBytes { (bytes) throws(Failure) in released.bytes += bytes }
            }
        } catch {
            released.failure = error
            return released
        }
    }

    /// Bytes that differ from one another and from their neighbours in other chunks.
    static func sample(_ count: Int) -> [UInt8] {
        var state: UInt32 = 0x9e37_79b9
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }
}
