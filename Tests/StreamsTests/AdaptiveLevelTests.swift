import Basics
import Glibc
import Testing

@testable import Streams

@Suite struct AdaptiveLevelTests {
    /// Takes so many times as long as there was since the piece before, whatever else the machine does.
    struct Slow: ByteSink, ~Copyable {
        let factor: UInt64
        private var last = monotonicNanoseconds()

        init(factor: UInt64) { self.factor = factor }

        mutating func write(_ bytes: RawSpan) {
            var rest = (monotonicNanoseconds() - last) * factor / 1000
            while rest > 0 {
                let part = min(rest, 500_000)
                usleep(UInt32(part))
                rest -= part
            }
            last = monotonicNanoseconds()
        }
        mutating func finish() {}
    }

    private func level(
        after segments: Int, slowedBy factor: UInt64, from level: AdaptiveLevel
    ) throws -> Int {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for _ in 0..<(4 << 20) / 8 {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        for _ in 0..<segments {
            var sink = try Compressing(
                CompressionLevel(nil), adaptive: level, into: Slow(factor: factor))
            for _ in 0..<3 { try sink.write(bytes) }
            try sink.finish()
        }
        return level.current
    }

    @Test func itFallsWhereStoringIsQuickAndTheNextSegmentGoesOnFromThere() throws {
        let shared = AdaptiveLevel()
        #expect(shared.current == 3)
        #expect(try level(after: 4, slowedBy: 0, from: shared) < 3)
    }

    @Test func itRisesWhereStoringIsSlow() throws {
        let shared = AdaptiveLevel()
        #expect(try level(after: 3, slowedBy: 3, from: shared) > 3)
    }

    @Test func whatStoringCostsTheProcessorIsNoReasonToRise() {
        var pace = Pace(shared: AdaptiveLevel())
        pace.note(compressing: 100, passing: 500, working: 490)
        #expect(pace.next() == 2)
        pace.note(compressing: 100, passing: 500, working: 350)
        #expect(pace.next() == 3)
        // Clocks that do not agree to the last nanosecond are no waiting.
        pace.note(compressing: 100, passing: 500, working: 510)
        #expect(pace.next() == 2)
    }

    @Test func itStaysWhereNeitherIsMuchSlower() {
        var pace = Pace(shared: AdaptiveLevel())
        pace.note(compressing: 100, passing: 60, working: 10)
        #expect(pace.next() == 3)
    }
}
