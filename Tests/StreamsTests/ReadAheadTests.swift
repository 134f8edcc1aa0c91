import Basics
import Streams
import Testing

@Suite struct ReadAheadTests {
    /// Gives numbered bytes in portions of changing length, then ends or fails.
    private struct Numbers: ByteSource, ~Copyable {
        private var position = 0
        private let count: Int
        private let failure: Failure?

        init(_ count: Int, failure: Failure? = nil) {
            self.count = count
            self.failure = failure
        }

        static func byte(_ position: Int) -> UInt8 { UInt8(truncatingIfNeeded: position &* 31) }

        mutating func read(into chunk: inout Chunk) throws(Failure) {
            chunk.removeAll()
            if position == count, let failure { throw failure }
            let end = min(count, position + 1 + position % 70_001)
            _ = (position..<end).map(Self.byte).withUnsafeBytes { chunk.append($0) }
            position = end
        }
    }

    @Test(arguments: [0, 1, 70_000, 3_000_000], [1, 1000, Chunk.standardSize])
    func everythingComesInOrderWhateverTheChunk(_ count: Int, _ capacity: Int) throws {
        if count / capacity > 100_000 { return }
        var source = ReadAhead(Numbers(count))
        var chunk = Chunk(capacity: capacity)
        var seen = 0
        var wrong = 0
        repeat {
            try source.read(into: &chunk)
            try chunk.withBytes { bytes in
                for byte in bytes {
                    if byte != Numbers.byte(seen) { wrong += 1 }
                    seen += 1
                }
            }
        } while !chunk.isEmpty
        #expect(seen == count && wrong == 0)
        try source.read(into: &chunk)
        let after = chunk.count
        #expect(after == 0)
    }

    @Test func aFailureComesBehindTheBytesBeforeIt() throws {
        var source = ReadAhead(Numbers(300_000, failure: Failure(.zstdCorrupt, "damaged")))
        var chunk = Chunk()
        var seen = 0
        #expect(throws: Failure(.zstdCorrupt, "")) {
            repeat {
                try source.read(into: &chunk)
                seen += chunk.count
            } while !chunk.isEmpty
        }
        #expect(seen == 300_000)
    }

    @Test func droppingItEarlyIsNoHarm() throws {
        for _ in 0..<50 {
            var source = ReadAhead(Numbers(5_000_000))
            var chunk = Chunk()
            try source.read(into: &chunk)
        }
    }
}
