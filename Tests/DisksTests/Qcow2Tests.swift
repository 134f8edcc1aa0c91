import Basics
import Disks
import Streams
import TestKit
import Testing

/// What `Qcow2Image` writes, judged by qemu-img.
@Suite struct Qcow2Tests {
    private static func pattern(_ count: Int, _ seed: UInt8) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) | 1 ^ seed }
    }

    private static func write(
        _ bytes: [UInt8], at offset: Int64, _ part: inout Qcow2Part
    ) throws(Failure) {
        try unsafe part.write(bytes.span.bytes, at: offset)
    }

    private static func same(_ qcow2: String, _ raw: String) throws {
        let compared = try Shell.run(
            ["qemu-img", "compare", "-f", "qcow2", "-F", "raw", qcow2, raw])
        #expect(compared.status == 0, "\(compared.text)")
        let checked = try Shell.run(["qemu-img", "check", "-f", "qcow2", qcow2])
        #expect(checked.status == 0, "\(checked.text)")
    }

    /// Sizes around clusters, tables and nothing at all.
    @Test(
        .enabled(if: QemuTests.isHere),
        arguments: [0, 512, 65_536, 100_352, 512 << 20, (512 << 20) + 512, (3 << 30) + 65_536])
    func qemuFindsEveryByteOfAnImage(size: Int64) throws {
        let scratch = try TemporaryDirectory()
        let (qcow2, raw) = (scratch.path + "/a.qcow2", scratch.path + "/a.raw")
        let image = try Qcow2Image(creating: qcow2, size: size)
        let plain = try SparseDisk(creating: raw, size: size)
        let step: Int64 = 256 << 20
        for start in stride(from: 0, to: size, by: Int(step)).reversed() {
            let range = start..<min(size, start + step)
            var part = image.part(range)
            // At the start, across clusters in two pieces, and at the very end.
            for (offset, count) in [(Int64(0), 4096), (40_960, 90_000), (130_960, 70_000)] {
                guard start + offset + Int64(count) <= range.upperBound else { continue }
                let bytes = Self.pattern(count, UInt8(truncatingIfNeeded: start >> 28))
                try Self.write(bytes, at: start + offset, &part)
                try unsafe plain.write(bytes.span.bytes, at: start + offset)
            }
            let last = Self.pattern(512, 6)
            try Self.write(last, at: range.upperBound - 512, &part)
            try unsafe plain.write(last.span.bytes, at: range.upperBound - 512)
            try part.finish()
        }
        try image.finish()
        try plain.flush()
        try Self.same(qcow2, raw)
    }

    @Test(.enabled(if: QemuTests.isHere)) func anUnfinishedImageIsNoneAndIsGoneOnWith() throws {
        let scratch = try TemporaryDirectory()
        let (qcow2, raw) = (scratch.path + "/a.qcow2", scratch.path + "/a.raw")
        let size: Int64 = 600 << 20
        let (one, two) = (Int64(0)..<300 << 20, Int64(300 << 20)..<size)
        let plain = try SparseDisk(creating: raw, size: size)
        let (first, second) = (Self.pattern(1 << 20, 2), Self.pattern(1 << 20, 4))
        try unsafe plain.write(first.span.bytes, at: 5 << 20)
        try unsafe plain.write(second.span.bytes, at: 400 << 20)
        do {
            let image = try Qcow2Image(creating: qcow2, size: size)
            var part = image.part(one)
            try Self.write(first, at: 5 << 20, &part)
            try part.finish()
            // Written, and never finished: other bytes than those that count.
            var lost = image.part(two)
            try Self.write(first, at: 500 << 20, &lost)
        }
        #expect(throws: Failure.self) { try QemuImage(qcow2, .qcow2).describe() }
        let image = try Qcow2Image(resuming: qcow2, size: size)
        var part = image.part(two)
        try Self.write(second, at: 400 << 20, &part)
        try part.finish()
        try image.finish()
        try Self.same(qcow2, raw)
        // Finished, but not renamed before the end of its process.
        try Qcow2Image(resuming: qcow2, size: size).finish()
        try Self.same(qcow2, raw)
    }

    @Test func damagedTablesAndOtherFilesAreRefused() throws {
        let scratch = try TemporaryDirectory()
        let path = scratch.path + "/a.qcow2"
        try Files.write([1, 2, 3], to: path, mode: 0o600)
        #expect(throws: Failure.self) { try Qcow2Image(resuming: path, size: 1 << 30) }
        #expect(throws: Failure.self) { try Qcow2Image(creating: path, size: 1 << 30) }
        try Files.remove(path)
        let image = try Qcow2Image(creating: path, size: 1 << 20)
        var part = image.part(0..<1 << 20)
        #expect(throws: Failure.self) { try Self.write([1, 2], at: 1 << 20, &part) }
        try Self.write([1, 2], at: 0, &part)
        #expect(throws: Failure.self) { try part.writeZeros(4096, at: 0) }
        try part.finish()
        // The entry of the second cluster names the first one's.
        let file = try Descriptor(opening: path, 2)
        let entry: [UInt8] = [0x80, 0, 0, 0, 0, 3, 0, 0]
        try unsafe entry.withUnsafeBytes { try unsafe file.writeAll($0, at: 131_072 + 8) }
        #expect(throws: Failure.self) { try image.finish() }
    }
}
