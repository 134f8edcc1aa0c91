import Basics
import TestKit
import Testing

@testable import Streams

/// Frames of zeros that are known need no decoding, and mean the same.
@Suite struct HoleTests {
    private static func compressed(_ parts: [(zeros: Int64, bytes: [UInt8])]) throws -> [UInt8] {
        let store = MemorySink.Store()
        var sink = try Compressing(.standard, into: MemorySink(store))
        for part in parts {
            try sink.write(zeros: part.zeros)
            try sink.write(part.bytes)
        }
        try sink.finish()
        return store.bytes
    }

    /// All bytes, and how many of them came as holes.
    private static func read(_ bytes: [UInt8], size: Int64?) throws -> (plain: [UInt8], holes: Int)
    {
        var source = try Decompressing(MemorySource(bytes), size: size)
        var chunk = Chunk()
        var (plain, holes): ([UInt8], Int) = ([], 0)
        repeat {
            try source.read(into: &chunk)
            if chunk.isHole { holes += chunk.count }
            try unsafe chunk.withBytes { (part) throws(Failure) in
                unsafe plain.append(contentsOf: part)
            }
        } while !chunk.isEmpty
        return (plain, holes)
    }

    @Test func holesBetweenBytesComeBackAsHolesAndBytes() throws {
        let mark = [UInt8](repeating: 7, count: 3000)
        let ones = [UInt8](repeating: 1, count: 5 << 20)
        let parts: [(zeros: Int64, bytes: [UInt8])] = [
            (20 << 20, mark), (9 << 20, ones), (13 << 20, []),
        ]
        let (plain, holes) = try Self.read(try Self.compressed(parts), size: nil)
        let expected = parts.flatMap { [UInt8](repeating: 0, count: Int($0.zeros)) + $0.bytes }
        #expect(plain == expected)
        #expect(holes >= 20 << 20 && holes < 42 << 20)
    }

    @Test func lengthsAreHeldAgainstWhatHolesMean() throws {
        let stream = try Self.compressed([(64 << 20, [])])
        #expect(try Self.read(stream, size: 64 << 20).plain.count == 64 << 20)
        #expect(throws: Failure(.plaintextTooLong, "")) {
            try Self.read(stream, size: (64 << 20) - 1)
        }
        #expect(throws: Failure(.plaintextTooShort, "")) {
            try Self.read(stream, size: (64 << 20) + 1)
        }
    }

    @Test func damageInAFrameOfZerosIsFound() throws {
        let stream = try Self.compressed([(64 << 20, [])])
        for place in stride(from: stream.count / 2, to: stream.count / 2 + 200, by: 7) {
            var damaged = stream
            damaged[place] ^= 0x10
            #expect(throws: Failure.self) { try Self.read(damaged, size: 64 << 20) }
        }
        #expect(throws: Failure.self) { try Self.read(stream.dropLast(5) + [], size: nil) }
    }

    @Test func aChunkThatIsAHoleBehavesLikeZeros() throws {
        var chunk = Chunk(capacity: 64)
        _ = unsafe [UInt8](repeating: 9, count: 64).withUnsafeBytes { unsafe chunk.append($0) }
        chunk.fill(zeros: 10)
        let filled = (chunk.isHole, chunk.count)
        #expect(filled == (true, 10))
        _ = unsafe [UInt8]([1, 2]).withUnsafeBytes { unsafe chunk.append($0) }
        let isHoleStill = chunk.isHole
        #expect(!isHoleStill)
        let bytes = try unsafe chunk.withBytes { (part) throws(Failure) in unsafe Array(part) }
        #expect(bytes == [UInt8](repeating: 0, count: 10) + [1, 2])
        chunk.fill(zeros: 64)
        chunk.removeAll()
        let emptied = (chunk.isHole, chunk.isEmpty)
        #expect(emptied == (false, true))
    }
}
