import Basics
import Disks
import Glibc
import Primitives
import Streams
import TestKit
import Testing

@Suite struct SparseDiskTests {
    @Test(arguments: [0, 512, 1 << 20, 7 << 20 | 512, 70 << 20 | 4096])
    func theDigestIsThatOfTheDefinitionWhateverTheHoles(_ size: Int) async throws {
        let scratch = try TemporaryDirectory()
        let sample = try SampleDisk(scratch, size: size)
        #expect(try Files.read(sample.path, limit: 1 << 30) == sample.bytes)
        for workers in [1, 3] {
            let path = sample.path
            let digest = try await DiskDigest.take(of: Int64(size), workers: workers) {
                () throws(Failure) in try RawDisk(opening: path)
            }
            #expect(digest == sample.digest)
        }
    }

    @Test func extentsCoverTheDiskAndHolesAreZeros() throws {
        let scratch = try TemporaryDirectory()
        let sample = try SampleDisk(scratch, size: 20 << 20, seed: 4)
        var disk = try RawDisk(opening: sample.path)
        var end: Int64 = 0
        var holes: Int64 = 0
        try disk.walk(0..<disk.size) { (_, extent) throws(Failure) in
            #expect(extent.offset == end)
            end = extent.end
            if extent.isHole {
                holes += extent.length
                let range = Int(extent.offset)..<Int(extent.end)
                #expect(sample.bytes[range].allSatisfy { $0 == 0 })
            }
        }
        #expect(end == 20 << 20)
        #expect(holes > 1 << 20, "the file system keeps holes")
        #expect(try Descriptor(opening: sample.path, O_RDONLY).status().st_blocks * 512 < 19 << 20)
    }

    @Test func zerosBecomeHolesAndABoundIsKept() throws {
        let scratch = try TemporaryDirectory()
        let path = scratch.path + "/disk.raw"
        let disk = try SparseDisk(creating: path, size: 1 << 20)
        let data = [UInt8](repeating: 7, count: 1 << 19)
        try disk.write(data.span.bytes, at: 0)
        try disk.writeZeros(1 << 18, at: 0)
        try disk.flush()
        let reader = try RawDisk(opening: path)
        #expect(reader.extent(at: 0, before: 1 << 20).isHole)
        var chunk = Chunk()
        try reader.read(1 << 20, at: 0, into: &chunk)
        try chunk.withBytes { bytes in
            #expect(bytes[..<(1 << 18)].allSatisfy { $0 == 0 })
            #expect(bytes[(1 << 18)..<(1 << 19)].allSatisfy { $0 == 7 })
        }
        #expect(throws: Failure.self) { try disk.write(data.span.bytes, at: 600_000) }
        #expect(throws: Failure(.exists, "")) { _ = try SparseDisk(creating: path, size: 1) }
        #expect(throws: Failure(.truncated, "")) { try reader.read(512, at: 1 << 20, into: &chunk) }
    }

    @Test func aFileSystemThatIsFullSaysSo() throws {
        let scratch = try TemporaryDirectory()
        let mount = scratch.path + "/small"
        try Files.makeDirectory(mount)
        guard try Shell.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", mount]).status == 0
        else { return print("SKIPPED: a small file system cannot be mounted here") }
        defer { _ = try? Shell.run(["umount", mount]) }
        let disk = try SparseDisk(creating: mount + "/disk.raw", size: 8 << 20)
        let data = [UInt8](repeating: 1, count: 4 << 20)
        #expect(throws: Failure(.noSpace, "")) { try disk.write(data.span.bytes, at: 1 << 20) }
    }

    @Test func whatIsNoDiskIsRefused() throws {
        let scratch = try TemporaryDirectory()
        let file = try scratch.file("real", [1, 2, 3])
        symlink(file, scratch.path + "/link")
        #expect(throws: Failure(.diskUnsuitable, "")) { _ = try RawDisk(opening: "/dev/null") }
        #expect(throws: Failure(.diskUnsuitable, "")) { _ = try RawDisk(opening: scratch.path) }
        #expect(throws: Failure(.diskUnsuitable, "")) {
            _ = try RawDisk(opening: scratch.path + "/link")
        }
        #expect(throws: Failure(.notFound, "")) { _ = try RawDisk(opening: file + "x") }
    }
}
