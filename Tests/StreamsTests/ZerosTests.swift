import Basics
import Glibc
import Primitives
import Streams
import TestKit
import Testing

/// Keeps all that it is given.
private struct Kept: ByteSink, ~Copyable {
    let bytes: Box

    final class Box {
        var bytes: [UInt8] = []
    }

    mutating func write(_ bytes: RawSpan) throws(Failure) {
        bytes.withUnsafeBytes { self.bytes.bytes.append(contentsOf: $0) }
    }

    mutating func finish() throws(Failure) {}
}

private struct Given: ByteSource, ~Copyable {
    var bytes: ArraySlice<UInt8>

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let part = bytes.prefix(chunk.capacity)
        part.withUnsafeBytes { _ = chunk.append($0) }
        bytes = bytes.dropFirst(part.count)
    }
}

/// A run of zeros that is written as a number gives the same bytes as zeros that are written.
@Suite struct ZerosTests {
    /// What a reader of zstd makes of bytes and runs of zeros (negative numbers) that were written.
    private func roundTrip(_ pieces: [Int], _ level: CompressionLevel) throws -> (
        plain: Int64, stored: Int, bytes: [UInt8]
    ) {
        let box = Kept.Box()
        let tally = Tally()
        var sink = Counting(tally, into: try Compressing(level, into: Kept(bytes: box)))
        for piece in pieces {
            if piece < 0 {
                try sink.write(zeros: Int64(-piece))
            } else {
                try sink.write([UInt8](repeating: 7, count: piece))
            }
        }
        try sink.finish()
        var source = try Decompressing(Given(bytes: box.bytes[...]), size: tally.count)
        var bytes: [UInt8] = []
        var chunk = Chunk()
        repeat {
            try source.read(into: &chunk)
            try chunk.withBytes { (part) throws(Failure) in bytes.append(contentsOf: part) }
        } while !chunk.isEmpty
        return (tally.count, box.bytes.count, bytes)
    }

    private static let cases: [[Int]] = [
        [-1], [-4_194_304], [-4_194_305], [5, -9_437_184, 3], [-8_388_608, 1, -4_194_304],
        [4_194_303, -2, -12_582_912, 1], [-100, -100, -5_242_880],
    ]

    @Test(arguments: cases)
    func zerosThatAreANumberComeOutAsZeros(pieces: [Int]) throws {
        let expected = pieces.flatMap { [UInt8](repeating: $0 < 0 ? 0 : 7, count: abs($0)) }
        for level in [CompressionLevel(1), CompressionLevel(3), CompressionLevel(12)] {
            let result = try roundTrip(pieces, level)
            #expect(result.plain == Int64(expected.count))
            #expect(result.bytes == expected)
        }
    }

    @Test func holesTakeNextToNoRoom() throws {
        let result = try roundTrip([1, -(256 << 20), 1], .standard)
        #expect(result.plain == 256 << 20 + 2)
        #expect(result.stored < 64 << 10)
    }
}

@Suite struct MonitorTests {
    @Test func whoeverWaitsIsWokenByTheChange() async throws {
        let monitor = Monitor(0)
        let lane = Lane()
        let waiter = Task(executorPreference: lane) { () async -> Int in
            (try? monitor.wait { $0 >= 3 ? $0 : nil }) ?? -1
        }
        for _ in 0..<3 { try monitor.change { $0 += 1 } }
        #expect(await waiter.value == 3)
        lane.close()
    }

    @Test func aFailureOfTheQuestionEndsTheWaiting() {
        let monitor = Monitor(0)
        #expect(throws: Failure(.cancelled, "")) {
            try monitor.wait { (_) throws(Failure) -> Int? in throw Failure(.cancelled, "stop") }
        }
    }
}
