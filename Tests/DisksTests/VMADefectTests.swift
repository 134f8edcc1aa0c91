import Basics
import Disks
import Streams
import TestKit
import Testing

@Suite struct VMADefectTests {
    @Test(arguments: [(false, 58), (true, 58), (true, 59), (true, 1)])
    func whatTheWriterWroteIsRead(_ shuffle: Bool, _ slots: Int) throws {
        let scratch = try TemporaryDirectory()
        let backup = try ReadBackup(
            VMASample.write(scratch, shuffle: shuffle, seed: 3, slots: slots))
        #expect(backup.faults == [])
        #expect(backup.header.devices.map(\.name) == VMASample.disks.map(\.name))
        for (disk, expected) in zip(backup.disks, VMASample.disks) {
            #expect(disk == expected.bytes, "\(expected.name)")
        }
        #expect(backup.finished == [9, 3, 9])
        #expect(backup.header.configurations.map(\.name) == ["qemu-server.conf"])
        #expect(backup.header.configurations.map(\.bytes) == [Array("memory: 2048\n".utf8)])
    }

    /// Each defect of the writer, with the code and a word of the message that it must give.
    private static let defects: [(String, Failure.Code, String)] = [
        ("magic", .vmaMalformed, "no VMA stream"),
        ("version", .unsupported, "version 2"),
        ("header-md5", .vmaMalformed, "checksum"),
        ("header-size-small", .vmaMalformed, "header of 12288"),
        ("header-size-unaligned", .vmaMalformed, "header of"),
        ("header-size-huge", .vmaMalformed, "header of"),
        ("blob-offset", .vmaMalformed, "outside the header"),
        ("blob-size", .vmaMalformed, "outside the header"),
        ("config-name-pointer", .vmaMalformed, "configuration 0"),
        ("config-data-pointer", .vmaMalformed, "configuration 0"),
        ("config-without-data", .vmaMalformed, "configuration 0"),
        ("device-name-pointer", .vmaMalformed, "device 1"),
        ("device-without-name", .vmaMalformed, "device 1"),
        ("blob-length", .vmaMalformed, "device 1"),
        ("name-without-end", .vmaMalformed, "without an end"),
        ("name-with-slash", .vmaMalformed, "etc/passwd"),
        ("name-twice", .vmaMalformed, "two objects"),
        ("device-size-odd", .vmaMalformed, "sectors"),
        ("device-size-huge", .vmaMalformed, "drive-scsi0"),
        ("device-reserved", .vmaMalformed, "255"),
        ("ctime", .vmaMalformed, "time"),
        ("extent-magic", .vmaMalformed, "no extent"),
        ("extent-md5", .vmaMalformed, "checksum"),
        ("extent-uuid", .vmaMalformed, "UUID"),
        ("extent-reserved", .vmaMalformed, "reserved"),
        ("block-count-more", .vmaMalformed, "blocks"),
        ("block-count-less", .vmaMalformed, "blocks"),
        ("unknown-device", .vmaClusters, "device 200"),
        ("cluster-range", .vmaClusters, "beyond its end"),
        ("cluster-twice", .vmaClusters, "cluster 1 of device \"drive-scsi0\" comes twice"),
        ("cluster-twice-empty", .vmaClusters, "cluster 1 of device \"drive-scsi0\" comes twice"),
        ("cluster-missing", .vmaClusters, "cluster 1 of device \"drive-scsi0\" is missing"),
        ("extent-missing", .vmaClusters, "is missing at the end"),
        ("trailing", .vmaMalformed, "no extent"),
        ("cut-header", .truncated, "its header"),
        ("cut-blobs", .truncated, "its header"),
        ("cut-extent", .truncated, "the header of an extent"),
        ("cut-data", .truncated, "inside an extent"),
    ]

    @Test func everyDefectOfTheWriterHasAnExpectation() throws {
        let listed = try Shell.run(
            ["python3", VMASample.writer, "-", "--list-defects"]
        ).text.split(separator: "\n").map(String.init)
        #expect(Set(listed) == Set(Self.defects.map(\.0)))
    }

    @Test(arguments: defects)
    func aDefectIsRefusedAndNamed(
        _ defect: String, _ code: Failure.Code, _ word: String
    ) throws {
        let scratch = try TemporaryDirectory()
        // One extent where its data is to be cut off: the last of several would have none.
        let slots = defect == "cut-data" ? 59 : 10
        let bytes = try VMASample.write(scratch, slots: slots, defect: defect)
        var seen: Failure?
        do throws(Failure) { _ = try ReadBackup(bytes) } catch { seen = error }
        let failure = try #require(seen, "\(defect) was not seen")
        #expect(failure.code == code, "\(failure)")
        #expect(failure.what.contains(word), "\(failure)")
    }

    @Test func aStreamCutOffAnywhereIsRefused() throws {
        let scratch = try TemporaryDirectory()
        let whole = try VMASample.write(scratch, shuffle: true, seed: 1, slots: 5)
        var generator = Deterministic(seed: 11)
        for _ in 0..<60 {
            let length = Int(generator.next() % UInt64(whole.count))
            #expect(throws: Failure.self) { _ = try ReadBackup(Array(whole[..<length])) }
        }
        #expect(throws: Failure.self) { _ = try ReadBackup([]) }
    }

    @Test func damagedCompressionIsRefused() throws {
        let scratch = try TemporaryDirectory()
        let whole = try VMASample.write(scratch)
        let gzip = try Shell.run(["gzip", "-c"], input: whole).output
        #expect(try ReadBackup(Inflating(MemorySource(gzip))).finished == [9, 3, 9])
        // Two members are one stream, as for gzip itself.
        let half = whole.count / 2
        let members =
            try Shell.run(["gzip", "-c"], input: Array(whole[..<half])).output
            + Shell.run(["gzip", "-c"], input: Array(whole[half...])).output
        #expect(try ReadBackup(Inflating(MemorySource(members))).finished == [9, 3, 9])
        for length in [0, 5, 100, gzip.count / 2, gzip.count - 1] {
            #expect(throws: Failure(.truncated, "")) {
                _ = try ReadBackup(Inflating(MemorySource(Array(gzip[..<length]))))
            }
        }
        var wrong = gzip
        wrong[gzip.count - 6] ^= 1
        #expect(throws: Failure(.gzipCorrupt, "")) {
            _ = try ReadBackup(Inflating(MemorySource(wrong)))
        }
        #expect(throws: Failure(.gzipCorrupt, "")) {
            _ = try ReadBackup(Inflating(MemorySource(gzip + [1, 2, 3])))
        }
    }
}
