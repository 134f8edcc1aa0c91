import Basics
import Disks
import Streams
import TestKit
import Testing

@Suite struct ContainerArchiveTests {
    /// A tar stream as vzdump has GNU tar make it.
    private func tar(_ scratch: TemporaryDirectory, _ members: [String]) throws -> [UInt8] {
        _ = try scratch.file("etc/vzdump/pct.conf", Array("arch: amd64\n".utf8))
        _ = try scratch.file("etc/vzdump/pct.fw", Array("[OPTIONS]\n".utf8))
        _ = try scratch.file("etc/hostname", Array("ct1\n".utf8))
        let result = try Shell.run(
            ["tar", "cpf", "-", "--sparse", "--numeric-owner", "--acls", "--xattrs"] + members,
            in: scratch.path)
        #expect(result.status == 0)
        return result.output
    }

    @Test func configurationAndFirewallStandAtTheStart() throws {
        let scratch = try TemporaryDirectory()
        let stream = try tar(scratch, ["./etc/vzdump/pct.conf", "./etc/vzdump/pct.fw", "./etc"])
        let container = try ContainerArchive(readingStartOf: MemorySource(stream))
        #expect(container.configuration == Array("arch: amd64\n".utf8))
        #expect(container.firewall == Array("[OPTIONS]\n".utf8))
        let bare = try tar(scratch, ["./etc/vzdump/pct.conf", "./etc"])
        #expect(try ContainerArchive(readingStartOf: MemorySource(bare)).firewall == nil)
        for length in [0, 100, 512, 1023, 1700] {
            #expect(throws: Failure.self) {
                _ = try ContainerArchive(readingStartOf: MemorySource(Array(stream[..<length])))
            }
        }
    }

    @Test func anyOtherTarStreamIsRefused() throws {
        let scratch = try TemporaryDirectory()
        let stream = try tar(scratch, ["./etc/hostname", "./etc/vzdump/pct.conf"])
        #expect(throws: Failure(.diskUnsuitable, "")) {
            _ = try ContainerArchive(readingStartOf: MemorySource(stream))
        }
        #expect(throws: Failure(.tarHeader, "")) {
            _ = try ContainerArchive(
                readingStartOf: MemorySource([UInt8](repeating: 0x41, count: 2048)))
        }
    }

    @Test func theBackupOfARealContainerIsOpened() throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let backup = try BackupFile(
            opening: "\(folder)/vzdump-lxc-200-2026_11_23-18_22_38.tar.zst")
        #expect(backup.content == .container && backup.compression == .zstd)
        let container = try ContainerArchive(readingStartOf: backup.open())
        #expect(
            String(decoding: container.configuration, as: UTF8.self).contains("hostname: ct1\n"))
        #expect(container.firewall == [])
    }

    @Test func namesSayWhatIsInside() {
        #expect(BackupFile.content(named: "a/vzdump-qemu-100.vma") == .machine)
        #expect(BackupFile.content(named: "x.vma.zst") == .machine)
        #expect(BackupFile.content(named: "vzdump-lxc-1.tar.lzo") == .container)
        #expect(BackupFile.content(named: "archive.tar") == nil)
        #expect(BackupFile.content(named: "x.vma.dat") == nil)
        #expect(BackupFile.content(named: "x.vma.gz.zst") == nil)
    }
}
