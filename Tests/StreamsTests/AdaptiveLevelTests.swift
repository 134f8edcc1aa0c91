import Basics
import Glibc
import Testing

@testable import Streams

/// What this thread has had of a processor.
private func processorNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

@Suite struct AdaptiveLevelTests {
    /// Takes the given time over each piece: waiting, or working.
    struct Slow: ByteSink, ~Copyable {
        let microseconds: UInt32
        let works: Bool

        mutating func write(_ bytes: RawSpan) {
            guard works else {
                usleep(microseconds)
                return
            }
            let end = processorNanoseconds() + UInt64(microseconds) * 1000
            while processorNanoseconds() < end {}
        }
        mutating func finish() {}
    }

    private func level(
        after segments: Int, _ microseconds: UInt32, works: Bool = false, from level: AdaptiveLevel
    ) throws -> Int {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for _ in 0..<(4 << 20) / 8 {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        for _ in 0..<segments {
            var sink = try Compressing(
                CompressionLevel(nil), adaptive: level,
                into: Slow(microseconds: microseconds, works: works))
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

    @Test func whatStoringCostsTheProcessorIsNoReasonToRise() throws {
        let shared = AdaptiveLevel()
        #expect(try level(after: 3, 100_000, works: true, from: shared) < 3)
    }

    @Test func itRisesWhereStoringIsSlow() throws {
        let shared = AdaptiveLevel()
        #expect(try level(after: 3, 400_000, from: shared) > 3)
    }
}
