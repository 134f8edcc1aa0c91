import Basics
import Disks
import Primitives
import Streams
import TestKit
import Testing

/// Streams of Proxmox's own writer, and of an independent one that its reader accepts.
@Suite struct VMAVectorTests {
    private static let digests = [
        "drive-scsi0": "680d035dbe1ef60523e8ff5d28bd154cee2b8d7e936cd6322cc3e0d193576a72",
        "drive-virtio1": "245ef7ba8589a230077a2400c5874d8497aabc7c3e3d0cb7dbd23283bfd7a2d0",
        "drive-efidisk0": "a09ebcc5650fb4a0ae8bc74d0efa25c3c01fc8e8f23c8bcf041bdff6eb2b8d92",
        "qemu-server.conf": "910f87cbc1b3723b1677cea2c396fc9294a6e0ed250577bb856f6b615a9c56bd",
        "qemu-server.fw": "3a1b36e52e211c4594678adc825242c73534bbc4460ff000620a2f65fa501fce",
    ]

    private func expectAll(_ backup: ReadBackup) {
        #expect(backup.faults == [])
        #expect(backup.header.devices.count == 3)
        #expect(!backup.header.configurations.isEmpty)
        for (device, disk) in zip(backup.header.devices, backup.disks) {
            #expect(SHA256.hash(disk).hex == Self.digests[device.name], "\(device.name)")
            #expect(Int64(disk.count) == device.size)
        }
        for configuration in backup.header.configurations {
            #expect(
                SHA256.hash(configuration.bytes).hex == Self.digests[configuration.name],
                "\(configuration.name)")
        }
        #expect(
            backup.finished == backup.header.devices.map { Int(($0.size + 65_535) / 65_536) })
    }

    @Test(arguments: ["real-writer-3disks.vma", "own-writer-shuffled.vma"])
    func everyDiskAndConfigurationComesOutAsItWentIn(_ name: String) throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let bytes = try Files.read("\(folder)/\(name)")
        expectAll(try ReadBackup(bytes))
        for portion in [511, 4096, 70_001] {
            expectAll(try ReadBackup(Dribbling(bytes, portion: portion)))
        }
    }

    @Test func compressedStreamsGiveTheSame() throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let path = "\(folder)/real-writer-3disks.vma"
        let zstd = try Shell.run(["zstd", "-qc", path])
        expectAll(try ReadBackup(Decompressing(MemorySource(zstd.output), size: nil)))
        let gzip = try Shell.run(["gzip", "-c", path])
        expectAll(try ReadBackup(Inflating(MemorySource(gzip.output))))
    }

    @Test func aGuestWithoutDisksIsAHeaderAndAnEmptyExtent() throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let backup = try ReadBackup(Files.read("\(folder)/real-writer-nodisk.vma"))
        #expect(backup.header.devices == [])
        #expect(!backup.header.configurations.isEmpty)
        #expect(backup.faults == [])
    }
}
