import Basics
import Guests
import TestKit
import Testing

extension GuestConfiguration {
    /// A virtual machine's configuration out of the lines of its file.
    static func vm(_ text: String) throws -> GuestConfiguration {
        try GuestConfiguration(kind: .qemu, file: Array(text.utf8))
    }

    static func container(_ text: String) throws -> GuestConfiguration {
        try GuestConfiguration(kind: .lxc, file: Array(text.utf8))
    }
}

@Suite("Configurations of guests")
struct ConfigurationTests {
    static let full = """
        #Server of the%3A ward
        #
        #caf%C3%A9 100%25
        boot: order=scsi0
        memory: 2048
        name: web
        net0: virtio=BC:24:11:00:11:22,bridge=vmbr0,tag=30
        scsi0: local-lvm:vm-100-disk-0,size=32G

        [PENDING]
        memory: 4096
        delete: net0

        [special:cloudinit]
        ciuser: debian

        [before]
        #snapshot's note
        memory: 1024
        snaptime: 1700000000
        #qmdump#map:scsi0:drive-scsi0:local-lvm:raw:
        """ + "\n"

    @Test("The file has notes, keys, pending changes, special parts and snapshots")
    func file() throws {
        let guest = try GuestConfiguration.vm(Self.full)
        #expect(guest.description == "Server of the: ward\n\ncafé 100%")
        #expect(guest.name == "web")
        #expect(guest.entries.map(\.key) == ["boot", "memory", "name", "net0", "scsi0"])
        #expect(guest.pending?.entries.map(\.key) == ["memory", "delete"])
        #expect(guest.specials.map(\.name) == ["special:cloudinit"])
        #expect(guest.snapshots.map(\.name) == ["before"])
        #expect(guest.snapshots.first?.description == "snapshot's note")
        #expect(guest.devices.map(\.device) == ["drive-scsi0"])
        #expect(guest.unread.isEmpty)
    }

    @Test("What was read is written as it was")
    func roundTrip() throws {
        let guest = try GuestConfiguration.vm(Self.full)
        #expect(String(decoding: guest.file, as: UTF8.self) == Self.full)
        #expect(try GuestConfiguration(kind: .qemu, file: guest.file) == guest)
    }

    @Test("The API's form gives the same model as the file")
    func api() throws {
        let json = try JSON(
            parsing: Array(
                #"{"scsi0":"local-lvm:vm-100-disk-0,size=32G","memory":2048,"digest":"ab","name":"web","description":"n\n"}"#
                    .utf8))
        let file = try GuestConfiguration.vm(
            "#n\nmemory: 2048\nname: web\nscsi0: local-lvm:vm-100-disk-0,size=32G\n")
        #expect(try GuestConfiguration(kind: .qemu, api: json) == file)
    }

    @Test("Raw keys of containers repeat, in both forms")
    func rawKeys() throws {
        let file = try GuestConfiguration.container(
            "hostname: ct\nlxc.cgroup2.devices.allow: c 10:200 rwm\nlxc.cgroup2.devices.allow = a\nlxc.idmap:\n"
        )
        let raw = file.entries.filter { $0.key.hasPrefix("lxc.") }
        #expect(raw.map(\.text) == ["c 10:200 rwm", "a", ""])
        let json = try JSON(
            parsing: Array(
                #"{"lxc":[["lxc.cgroup2.devices.allow","c 10:200 rwm"],["lxc.cgroup2.devices.allow","a"],["lxc.idmap",""]],"hostname":"ct"}"#
                    .utf8))
        #expect(try GuestConfiguration(kind: .lxc, api: json) == file)
    }

    @Test("Bytes that are not UTF-8 stay as they are")
    func foreignBytes() throws {
        let bytes = Array("ciuser: ".utf8) + [0x6a, 0xe9, 0x0a]
        let guest = try GuestConfiguration(kind: .qemu, file: bytes)
        #expect(guest.entries.first?.isText == false)
        #expect(guest.file == bytes)
    }

    @Test("Lines that are no form of Proxmox are kept and told")
    func unread() throws {
        let guest = try GuestConfiguration.vm(
            "memory 512\nMEMORY: 1\nname:\n[bad name]\nx: a\u{0}b\ncores: 2\r\n: x\n")
        #expect(guest.unread.map(\.number) == [1, 2, 3, 4, 5, 7])
        #expect(guest["cores"] == "2")
    }

    @Test("Huge lines and hostile bytes do no harm")
    func hostile() throws {
        let long = String(repeating: "a", count: 1 << 20)
        #expect(try GuestConfiguration.vm("name: \(long)\n").name == long)
        #expect(throws: Failure(.invalidValue, "")) {
            try GuestConfiguration(
                kind: .qemu, file: [UInt8](repeating: 0x61, count: (4 << 20) + 1))
        }
        var seed: UInt64 = 7
        for _ in 0..<300 {
            var bytes = Array(Self.full.utf8)
            for _ in 0..<20 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(seed >> 33) % bytes.count] = UInt8(truncatingIfNeeded: seed >> 25)
            }
            let guest = try GuestConfiguration(kind: .qemu, file: bytes)
            // What is written can be read, and reads the same.
            let again = try GuestConfiguration(kind: .qemu, file: guest.file)
            #expect(again.entries == guest.entries)
        }
    }

    @Test("Bad percent codes in notes are text")
    func badPercent() throws {
        #expect(try GuestConfiguration.vm("#50% of %zz\n").description == "50% of %zz")
    }

    @Test("API answers that are no configuration are refused")
    func badAPI() throws {
        for text in [#"[]"#, #"{"lxc":"x"}"#, #"{"memory":{}}"#, #"{"a\nb":"c"}"#] {
            let json = try JSON(parsing: Array(text.utf8))
            #expect(throws: Failure(.jsonMalformed, "")) {
                try GuestConfiguration(kind: .lxc, api: json)
            }
        }
    }

    @Test("A virtual machine of the conformance data is read without a rest")
    func vector() throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let bytes = try Files.read(folder + "/qemu-server.conf")
        let guest = try GuestConfiguration(kind: .qemu, file: bytes)
        #expect(guest.unread.isEmpty)
        #expect(guest.devices.map(\.key) == ["scsi0", "virtio1"])
        #expect(guest.file == bytes)
    }
}

@Suite("Values of configurations")
struct ValueTests {
    @Test(
        "Options are written back unchanged",
        arguments: [
            "local-lvm:vm-100-disk-0,size=32G,backup=0", "virtio=BC:24:11:00:11:22,bridge=vmbr0",
            "", ",", "a,,b=", "=x,y", "file=/dev/disk/by-id/a=b,size=1G", "none,media=cdrom",
        ])
    func unchanged(text: String) {
        #expect(PropertyString(text).text == text)
    }

    @Test("A drive tells its volume, size and nature")
    func drives() {
        let disk = DriveOptions("local:100/vm-100-disk-1.qcow2,size=167K,backup=0")
        #expect(disk.volume == .volume(storage: "local", name: "100/vm-100-disk-1.qcow2"))
        #expect(disk.size == 171_008)
        #expect(disk.format == "qcow2")
        #expect(!disk.properties.flag("backup", otherwise: true))
        #expect(DriveOptions("none,media=cdrom").volume == .none)
        #expect(DriveOptions("local-lvm:vm-100-cloudinit,media=cdrom").isCloudInit)
        #expect(DriveOptions("/dev/sdb,size=1G").volume == .path("/dev/sdb"))
        #expect(
            DriveOptions("local:9000/base-9000-disk-0.qcow2/100/vm-100-disk-0.qcow2").isLinkedClone)
        #expect(DriveOptions("volume=z:subvol-1-disk-0,mp=/x").volume.storage == "z")
        #expect(DriveOptions("garbage").volume == .unreadable("garbage"))
    }

    @Test("Sizes are exact, and nonsense is none")
    func sizes() {
        #expect(GuestSize.bytes("32G") == 34_359_738_368)
        #expect(GuestSize.bytes("528K") == 540_672)
        #expect(GuestSize.bytes("4M") == 4 << 20)
        #expect(GuestSize.bytes("1.5T") == 1_649_267_441_664)
        #expect(GuestSize.bytes("12345") == 12345)
        for bad in [
            "", "G", "1g", "-1", "1 G", "1..5G", ".5G", "9999999999999999999T", "0x10", "1P",
        ] {
            #expect(GuestSize.bytes(bad) == nil)
        }
        for bytes: UInt64 in [0, 1, 512, 1024, 171_008, 1 << 30, 3 << 39] {
            #expect(GuestSize.bytes(GuestSize.text(bytes)) == bytes)
        }
        #expect(GuestSize.gibibytes((1 << 30) + 1) == 2)
        #expect(GuestSize.gibibytes(1) == 1)
    }

    @Test("Versions are read as servers say them")
    func versions() {
        #expect(ProxmoxVersion("8.4.1") == ProxmoxVersion(8, 4, 1))
        #expect(ProxmoxVersion("7.4-16") == ProxmoxVersion(7, 4, 16))
        #expect(ProxmoxVersion("8.4") == ProxmoxVersion(8, 4))
        #expect(ProxmoxVersion("pve-manager/9.2.11/abc") == ProxmoxVersion(9, 2, 11))
        #expect(ProxmoxVersion("nine") == nil)
        #expect(ProxmoxVersion("-1.2") == nil)
        #expect(ProxmoxVersion(7, 10) > ProxmoxVersion(7, 4))
    }

    @Test("Keys with numbers are taken apart")
    func keys() {
        #expect(GuestKey("scsi30").number == 30)
        #expect(GuestKey("smbios1").number == nil)
        #expect(GuestKey("scsi01").number == nil)
        #expect(GuestKeyFacts.of("scsi31", kind: .qemu) == nil)
        #expect(GuestKeyFacts.of("mp255", kind: .lxc)?.class == .mountPoint)
    }

    @Test(
        "Every key that the API of 7.4, 8.4 and 9.2 knows is classified",
        arguments: ["7.4", "8.4", "9.2"])
    func schemaKeys(version: String) throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let bytes = try Files.read(folder + "/api-schema-\(version).json")
        guard let server = ProxmoxVersion(version) else { return }
        for kind in GuestKind.allCases {
            let keys = try Schema.keys(bytes, path: "/nodes/{node}/\(kind.rawValue)")
            #expect(keys.count > 35)
            for key in keys {
                let name = key.replacing("[n]", with: "0")
                let facts = GuestKeyFacts.of(name, kind: kind)
                #expect(facts != nil, "\(kind) \(key)")
                if let since = facts?.since { #expect(since <= server, "\(key)") }
            }
        }
    }
}

/// The API schemas hold fractions, which our strict reader refuses; the real tool takes what is asked.
enum Schema {
    static func keys(_ schema: [UInt8], path: String, method: String = "POST") throws -> [String] {
        let script = """
            import json, sys
            for m in json.load(sys.stdin)["methods"]:
                if m["method"] == sys.argv[2] and m["path"] == sys.argv[1]:
                    print("\\n".join(m["parameters"]["properties"]))
            """
        let result = try Shell.run(["python3", "-c", script, path, method], input: schema)
        return result.text.split(separator: "\n").map(String.init)
    }
}
