import Basics
import Glibc
import Testing

@testable import Streams

@Suite struct AdaptiveLevelTests {
    /// Takes the given time over each piece.
    struct Slow: ByteSink, ~Copyable {
        let microseconds: UInt32

        mutating func write(_ bytes: RawSpan) { usleep(microseconds) }
        mutating func finish() {}
    }

    private func level(
        after segments: Int, _ microseconds: UInt32, from level: AdaptiveLevel
    ) throws -> Int {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for _ in 0..<(4 << 20) / 8 {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        for _ in 0..<segments {
            var sink = try Compressing(
                CompressionLevel(nil), adaptive: level, into: Slow(microseconds: microseconds))
            for _ in 0..<3 { try sink.write(bytes) }
            try sink.finish()
        }
        return level.current
    }

    @Test func itFallsWhereStoringIsQuickAndTheNextSegmentGoesOnFromThere() throws {
        let shared = AdaptiveLevel()
        #expect(shared.current == 3)
        #expect(try level(after: 4, 0, from: shared) < 3)
    }

    @Test func itRisesWhereStoringIsSlow() throws {
        let shared = AdaptiveLevel()
        #expect(try level(after: 3, 400_000, from: shared) > 3)
    }
}
