import Basics
import Disks
import Primitives
import Streams
import TestKit
import Testing

/// Images read where qemu-img says that their disk's bytes are.
@Suite(.enabled(if: QemuTests.isHere)) struct QemuMapTests {
    private func digest(_ map: QemuMap, parts: Int64 = 4 << 20) throws -> Digest256 {
        var disk = try MappedDisk(map)
        var chunk = Chunk()
        var ranges: [MerkleRange] = []
        for range in DiskDigest.parts(of: disk.size, each: parts) {
            ranges.append(
                try DiskDigest.leaves(of: &disk, in: range, &chunk, progress: Progress()))
        }
        return DiskDigest.root(of: ranges)
    }

    @Test(arguments: [8 << 20, 16 << 30] as [Int64])
    func theBytesOfAnImageAreThoseOfItsDisk(window: Int64) throws {
        let scratch = try TemporaryDirectory()
        let sample = try SampleDisk(scratch, size: 37 << 20)
        let image = try QemuImage(sample.path, .raw).convert(toQcow2: scratch.path + "/a.qcow2")
        let map = try QemuMap(image, window: window)
        #expect(map.size == Int64(sample.bytes.count))
        #expect(try digest(map) == sample.digest)
    }

    /// Parts that were filled in another order than that of the disk.
    @Test func ourOwnImagesAreReadByWhatQemuFindsInThem() throws {
        let scratch = try TemporaryDirectory()
        let sample = try SampleDisk(scratch, size: 20 << 20, seed: 5)
        let path = scratch.path + "/a.qcow2"
        let own = try Qcow2Image(creating: path, size: 20 << 20)
        for start in [12 << 20, 0, 4 << 20, 16 << 20, 8 << 20] {
            var part = own.part(Int64(start)..<Int64(start + 4 << 20))
            let bytes = Array(sample.bytes[start..<start + 4 << 20])
            try unsafe part.write(bytes.span.bytes, at: Int64(start))
            try part.finish()
        }
        try own.finish()
        let image = QemuImage(path, .qcow2)
        #expect(try digest(QemuMap(image)) == sample.digest)
        // One byte of the file, where data is.
        let file = try Descriptor(opening: path, 2)
        try unsafe [UInt8(0x5a), 0xa5].withUnsafeBytes {
            try unsafe file.writeAll($0, at: Int64(try file.status().st_size) - (3 << 20))
        }
        #expect(try digest(QemuMap(image)) != sample.digest)
    }

    @Test func holesAreToldWithoutReading() throws {
        let scratch = try TemporaryDirectory()
        let path = scratch.path + "/a.qcow2"
        let own = try Qcow2Image(creating: path, size: 1 << 40)
        var part = own.part(1 << 39..<(1 << 39) + (1 << 20))
        try unsafe part.write(([1, 2, 3] as [UInt8]).span.bytes, at: 1 << 39)
        try part.finish()
        try own.finish()
        var disk = try MappedDisk(QemuMap(QemuImage(path, .qcow2), window: 1 << 39))
        let before = try disk.extent(at: 0, before: 1 << 40)
        #expect(before.isHole && before.length == 1 << 39)
        let data = try disk.extent(at: 1 << 39, before: 1 << 40)
        // Within the cluster, the file may have a hole of its own.
        #expect(!data.isHole && data.length >= 512 && data.length <= 65_536)
        var chunk = Chunk()
        try disk.read(4, at: (1 << 39) + 1, into: &chunk)
        let bytes = try unsafe chunk.withBytes { unsafe Array($0) }
        #expect(bytes == [2, 3, 0, 0])
        #expect(throws: Failure.self) { try disk.read(2, at: (1 << 39) + 65_535, into: &chunk) }
    }

    @Test func compressedImagesAreNotMapped() throws {
        let scratch = try TemporaryDirectory()
        let path = scratch.path + "/a.raw"
        let disk = try SparseDisk(creating: path, size: 1 << 20)
        try unsafe disk.write(
            [UInt8](repeating: 7, count: 1 << 20).span.bytes, at: 0)
        let image = try QemuImage(path, .raw).convert(
            toQcow2: scratch.path + "/a.qcow2", compression: .zlib)
        let failure = #expect(throws: Failure.self) { try digest(QemuMap(image)) }
        #expect(failure?.code == .unsupported)
    }
}
