import Basics
import Disks
import Glibc
import Primitives
import Streams
import TestKit
import Testing

/// QEMU's own programs judge what was written through qemu-nbd.
@Suite struct QemuTests {
    /// False, with a line that says so, where QEMU's programs are missing.
    static let isHere: Bool = {
        if Shell.has("qemu-nbd"), Shell.has("qemu-img") { return true }
        print("SKIPPED: qemu-utils is not installed")
        return false
    }()

    /// Writes the runs of a sample through several connections at a time.
    private func fill(
        _ image: QemuImage, with sample: SampleDisk, _ access: QemuNBD.Access
    ) async throws {
        var server = try QemuNBD(image, access, connections: 3)
        let socket = server.socket
        #expect(server.size == sample.bytes.count)
        let scheduler = Scheduler(workers: 3)
        defer { scheduler.close() }
        try await scheduler.run([0, 1, 2]) { (lane) throws(Failure) in
            var connection = try NBDConnection(socket: socket)
            for (index, run) in sample.runs.enumerated() where index % 3 == lane {
                try connection.write(
                    sample.bytes.span.bytes.extracting(run), at: Int64(run.lowerBound))
            }
            if !connection.flushesForAll { try connection.flush() }
            try connection.disconnect()
        }
        try server.finish()
    }

    @Test(.enabled(if: isHere), arguments: [nil, QemuImage.Compression.zstd])
    func aQcow2WrittenInParallelIsTheSameDisk(_ compression: QemuImage.Compression?) async throws {
        let scratch = try TemporaryDirectory()
        let sample = try SampleDisk(scratch, size: 90 << 20 | 512, seed: 9)
        let path = scratch.path + "/disk.qcow2"
        let image = try QemuImage.create(
            qcow2: path, size: Int64(sample.bytes.count), compression: compression)
        try await fill(image, with: sample, compression == nil ? .write : .fill)
        let compared = try Shell.run(
            ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", sample.path, path])
        #expect(compared.status == 0, "\(compared.text)")
        let checked = try Shell.run(["qemu-img", "check", "-f", "qcow2", path])
        #expect(checked.status == 0, "\(checked.text)")
        try image.check()
        let description = try image.describe()
        #expect(description.size == sample.bytes.count)
        #expect(description.stored < sample.bytes.count)
        #expect(description.snapshots == [])

        // Holes are told, and the digest through NBD is that of the raw file.
        var server = try QemuNBD(image, .read, connections: 4)
        let socket = server.socket
        do {
            var connection = try NBDConnection(socket: socket)
            #expect(connection.tellsHoles && connection.isReadOnly)
            var holes: Int64 = 0
            try connection.walk(0..<connection.size) { (_, extent) throws(Failure) in
                if extent.isHole { holes += extent.length }
            }
            #expect(holes > 10 << 20)
            let byte: [UInt8] = [1]
            #expect(throws: Failure(.denied, "")) { try connection.write(byte.span.bytes, at: 0) }
            try connection.disconnect()
        }
        let digest = try await DiskDigest.take(of: server.size, workers: 3) {
            () throws(Failure) in try NBDConnection(socket: socket)
        }
        #expect(digest == sample.digest)
        try server.finish()
    }

    @Test(.enabled(if: isHere)) func zerosAndBoundsAndALostServer() throws {
        let scratch = try TemporaryDirectory()
        let image = try QemuImage.create(qcow2: scratch.path + "/disk.qcow2", size: 8 << 20)
        var server = try QemuNBD(image, .write, connections: 1)
        var connection = try NBDConnection(socket: server.socket)
        let data = [UInt8](repeating: 9, count: 3 << 20)
        try connection.write(data.span.bytes, at: 1 << 20)
        #expect(try connection.extent(at: 1 << 20, before: 8 << 20).isHole == false)
        try connection.writeZeros(1 << 20, at: 2 << 20)
        // What was known of holes before a write is not believed after it.
        #expect(
            try connection.extent(at: 2 << 20, before: 8 << 20)
                == DiskExtent(offset: 2 << 20, length: 1 << 20, isHole: true))
        var chunk = Chunk()
        try connection.read(1 << 20, at: 3 << 19, into: &chunk)
        try chunk.withBytes { bytes in
            #expect(bytes[..<(1 << 19)].allSatisfy { $0 == 9 })
            #expect(bytes[(1 << 19)...].allSatisfy { $0 == 0 })
        }
        #expect(throws: Failure.self) { try connection.read(512, at: 8 << 20, into: &chunk) }
        #expect(throws: Failure.self) { try connection.write(data.span.bytes, at: 6 << 20) }
        // Refused on our side: the connection is as good as before.
        try connection.read(512, at: 0, into: &chunk)
        try connection.flush()
        try connection.disconnect()
        _ = consume connection
        try server.finish()
        #expect(throws: Failure.self) { _ = try NBDConnection(socket: server.socket) }
    }

    @Test(.enabled(if: isHere)) func aServerThatDoesNotStartSaysWhy() throws {
        let scratch = try TemporaryDirectory()
        let file = try scratch.file("no.qcow2", [UInt8](repeating: 1, count: 4096))
        var seen: Failure?
        do throws(Failure) {
            _ = try QemuNBD(QemuImage(file, .qcow2), .read, connections: 1)
        } catch { seen = error }
        let failure = try #require(seen)
        #expect(failure.code == .diskTool)
        #expect(failure.cause?.what.contains("not in qcow2 format") == true, "\(failure)")
    }

    @Test(.enabled(if: isHere)) func aServerGoesWithItsOwner() throws {
        let scratch = try TemporaryDirectory()
        let image = try QemuImage.create(qcow2: scratch.path + "/disk.qcow2", size: 1 << 20)
        let socket: String
        do {
            let server = try QemuNBD(image, .write, connections: 1)
            socket = server.socket
        }
        #expect(!Files.exists(Files.parent(of: socket)))
        // The image is free for the next one: nobody holds its lock.
        var next = try QemuNBD(image, .write, connections: 1)
        try next.finish()
    }

    @Test(.enabled(if: isHere)) func convertedImagesHoldTheSameDisk() async throws {
        let scratch = try TemporaryDirectory()
        let sample = try SampleDisk(scratch, size: 10 << 20, seed: 3)
        let raw = QemuImage(sample.path, .raw)
        let vmdk = try raw.convert(toStreamOptimized: scratch.path + "/disk.vmdk")
        let qcow2 = try raw.convert(toQcow2: scratch.path + "/disk.qcow2", compression: .zstd)
        for image in [vmdk, qcow2] {
            let compared = try Shell.run([
                "qemu-img", "compare", "-f", "raw", "-F", image.format.rawValue, sample.path,
                image.path,
            ])
            #expect(compared.status == 0, "\(compared.text)")
            try image.checkForeign()
            try image.check()
            var server = try QemuNBD(image, .read, connections: 2)
            let socket = server.socket
            let digest = try await DiskDigest.take(of: server.size, workers: 2) {
                () throws(Failure) in try NBDConnection(socket: socket)
            }
            #expect(digest == sample.digest, "\(image.format)")
            try server.finish()
        }
        #expect(throws: Failure(.exists, "")) { _ = try raw.convert(toQcow2: qcow2.path) }
        #expect(throws: Failure(.exists, "")) {
            _ = try QemuImage.create(qcow2: qcow2.path, size: 1)
        }
    }

    @Test(.enabled(if: isHere)) func imagesThatNameOtherFilesAreRefused() throws {
        let scratch = try TemporaryDirectory()
        func make(_ arguments: [String]) throws {
            let result = try Shell.run(["qemu-img", "create", "-q"] + arguments, in: scratch.path)
            #expect(result.status == 0, "\(String(decoding: result.errors, as: UTF8.self))")
        }
        try make(["-f", "raw", "secret.raw", "1M"])
        try make(["-f", "qcow2", "-b", "secret.raw", "-F", "raw", "backed.qcow2"])
        try make(["-f", "qcow2", "-o", "data_file=out.raw", "outside.qcow2", "1M"])
        try make(["-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "1M"])
        try make(["-f", "vmdk", "base.vmdk", "1M"])
        try make(["-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "child.vmdk"])
        try make(["-f", "qcow2", "good.qcow2", "1M"])
        for (name, format) in [
            ("backed.qcow2", QemuImage.Format.qcow2), ("outside.qcow2", .qcow2),
            ("secret.raw", .qcow2), ("flat.vmdk", .vmdk), ("child.vmdk", .vmdk),
        ] {
            #expect(throws: Failure(.diskUnsuitable, ""), "\(name)") {
                try QemuImage("\(scratch.path)/\(name)", format).checkForeign()
            }
        }
        try QemuImage("\(scratch.path)/good.qcow2", .qcow2).checkForeign()
        try QemuImage("\(scratch.path)/base.vmdk", .vmdk).checkForeign()
        #expect(throws: Failure(.diskUnsuitable, "")) {
            _ = try QemuImage("\(scratch.path)/backed.qcow2", .qcow2).describe()
        }
    }
}
