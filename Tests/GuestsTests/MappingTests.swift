import Basics
import Guests
import TestKit
import Testing

@Suite("Guests at their target")
struct MappingTests {
    static func target(
        _ version: ProxmoxVersion = ProxmoxVersion(8, 4),
        _ change: (inout GuestMapping) -> Void = { _ in }
    ) -> CreationTarget {
        var mapping = GuestMapping()
        mapping.storage = GuestMapping.Place(storage: "fast")
        change(&mapping)
        return CreationTarget(number: 1100, version: version, mapping: mapping, pool: "dpi")
    }

    static let machine = """
        #Notes
        agent: 1,freeze-fs-on-backup=1
        args: -device 'x'
        bios: ovmf
        boot: order=scsi0
        cipassword: **********
        cores: 2
        digest: abc
        efidisk0: l:vm-1-disk-0,size=528K
        hostpci0: 0000:01:00.0
        ide0: l:vm-1-cloudinit,media=cdrom
        ide2: iso:iso/x.iso,media=cdrom,size=1G
        lock: backup
        machine: q35,viommu=virtio
        meta: creation-qemu=9
        name: web
        net0: virtio=BC:24:11:00:11:22,bridge=vmbr0,tag=30
        scsi0: l:vm-1-disk-1,size=32G,cyls=5,discard=on
        scsi1: l:vm-1-disk-2,size=1G,backup=0
        scsihw: virtio-scsi-single
        smbios1: uuid=0d6f9fbd-3a2b-4a3e-9d0b-2a0a4d6e7f01
        sshkeys: ssh-ed25519%20AAA%20me%0A
        tags: a;b
        tpmstate0: l:vm-1-disk-3,size=4M
        unused0: l:vm-1-disk-4
        virtiofs0: dirid=share
        vmgenid: 9b4a7a6a-6c9b-4f86-8d33-1d7d3a2b9f10
        """
    static let imports = [
        "scsi0": "up:import/a.qcow2", "efidisk0": "up:import/e.raw", "tpmstate0": "up:import/t.raw",
    ]

    @Test("A machine is made from its disks, and what a token may not do is left to the operator")
    func creation() throws {
        let request = try CreationRequest.machine(
            .vm(Self.machine), from: Self.imports,
            at: Self.target { mapping in
                mapping.storages["l"] = GuestMapping.Place(storage: "nfs", format: "qcow2")
                mapping.bridges["vmbr0:30"] = GuestMapping.Bridge(name: "dmz")
                mapping.pools["dpi"] = "dpi-new"
                mapping.namePrefix = "r-"
                mapping.linkDown = true
            })
        #expect(request["vmid"] == "1100")
        #expect(request["name"] == "r-web")
        #expect(request["pool"] == "dpi-new")
        #expect(request["description"] == "Notes")
        #expect(
            request["scsi0"]
                == "nfs:0,import-from=up:import/a.qcow2,format=qcow2,cyls=5,discard=on")
        #expect(
            request["efidisk0"]
                == "nfs:0,import-from=up:import/e.raw,format=qcow2,efitype=2m,pre-enrolled-keys=0")
        #expect(request["tpmstate0"] == "nfs:0,import-from=up:import/t.raw,version=v1.2")
        #expect(request["ide0"] == "nfs:cloudinit")
        #expect(request["ide2"] == "none,media=cdrom")
        #expect(request["net0"] == "virtio=BC:24:11:00:11:22,bridge=dmz,link_down=1")
        #expect(request["sshkeys"] == "ssh-ed25519%20AAA%20me%0A")
        #expect(request["start"] == "0")
        for key in ["digest", "lock", "meta", "unused0", "vmgenid", "scsi1", "cipassword", "args"] {
            #expect(request[key] == nil, "\(key)")
        }
        #expect(request.actions.map(\.key) == ["args", "cipassword", "hostpci0"])
        #expect(
            request.actions.first?.command == "qm set 1100 --args '-device '\\''x'\\'''")
    }

    @Test(
        "An older target is not sent what it does not know",
        arguments: [
            ("7.4", ["viommu"], ["virtiofs0"]), ("9.2", ["cyls"], []),
        ])
    func versions(version: String, options: [String], keys: [String]) throws {
        let server = try #require(ProxmoxVersion(version))
        let request = try CreationRequest.machine(
            .vm(Self.machine), from: Self.imports.mapValues { $0.replacing("import/", with: "1/") },
            at: Self.target(server))
        for option in options {
            #expect(!request.parameters.contains { $0.value.contains("\(option)=") }, "\(option)")
            #expect(request.notes.contains { $0.what.contains("\(option)=") })
        }
        for key in keys {
            #expect(request[key] == nil)
            #expect(request.actions.contains { $0.key == key })
        }
    }

    @Test("Every parameter is one that the version's schema has", arguments: ["7.4", "8.4", "9.2"])
    func schema(version: String) throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let bytes = try Files.read(folder + "/api-schema-\(version).json")
        let server = try #require(ProxmoxVersion(version))
        let requests = [
            try CreationRequest.machine(
                .vm(LibvirtTests.everything), from: [:], at: Self.target(server)),
            try CreationRequest.container(
                .container(Self.container), from: "up:vztmpl/x.tar.zst",
                at: Self.target(server)),
        ]
        for (kind, request) in zip(GuestKind.allCases, requests) {
            let known = Set(try Schema.keys(bytes, path: "/nodes/{node}/\(kind.rawValue)"))
            for parameter in request.parameters {
                let name = GuestKey(parameter.name)
                #expect(
                    known.contains(parameter.name)
                        || known.contains(name.base + (name.number == nil ? "" : "[n]")),
                    "\(parameter.name)")
            }
        }
    }

    static let container = """
        arch: amd64
        dev0: /dev/ttyUSB0
        features: nesting=1,keyctl=1
        hostname: ct
        lxc.apparmor.profile: unconfined
        memory: 512
        mp0: l:subvol-1-disk-1,mp=/data,backup=1,size=1536M
        mp1: /srv/share,mp=/share
        mp2: l:subvol-1-disk-2,mp=/cache,size=1G
        net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:11:33,ip=dhcp,type=veth
        ostype: debian
        rootfs: l:subvol-1-disk-0,size=4G,acl=1
        unprivileged: 1
        """

    @Test("A container is made from its archive as a template, in whole GiB")
    func containers() throws {
        let request = try CreationRequest.container(
            .container(Self.container), from: "up:vztmpl/x.tar.zst",
            at: Self.target { $0.addresses = .new })
        #expect(request["rootfs"] == "fast:4,acl=1")
        #expect(request["mp0"] == "fast:2,mp=/data,backup=1")
        #expect(request["net0"] == "name=eth0,bridge=vmbr0,ip=dhcp,type=veth")
        #expect(request["features"] == "nesting=1")
        #expect(request["restore"] == nil)
        #expect(request["mp2"] == nil)
        #expect(
            request.actions.map(\.key)
                == ["dev0", "features", "lxc.apparmor.profile", "mp1"])
        // Of a privileged one a token sets no feature at all.
        let privileged = try CreationRequest.container(
            .container("features: nesting=1\nrootfs: l:subvol-1-disk-0,size=4G\n"), from: "t",
            at: Self.target())
        #expect(privileged["features"] == nil && privileged.actions.map(\.key) == ["features"])
        let nameless = try GuestConfiguration.container("rootfs: l:x\n")
        #expect(throws: Failure(.invalidValue, "")) {
            try CreationRequest.container(nameless, from: "t", at: Self.target())
        }
    }

    @Test("A restore overrides cards and names, and no drive")
    func restore() throws {
        let request = CreationRequest.restore(
            try .vm(Self.machine), archive: "up:backup/vzdump-qemu-1.vma.zst",
            at: Self.target { mapping in
                mapping.bridges["vmbr0"] = GuestMapping.Bridge(name: "vmbr9", tag: 7)
                mapping.addresses = .new
            })
        #expect(request["unique"] == "1")
        #expect(request["storage"] == "fast")
        #expect(request["net0"] == "virtio,bridge=vmbr9,tag=7")
        #expect(request["scsi0"] == nil)
    }

    @Test("A restore keeps media in their drives; disks of the host are left to a person")
    func restoredDrives() throws {
        let source = try GuestConfiguration.vm(
            "ide2: local:iso/a.iso,media=cdrom,size=1M\nscsi0: l:x,size=1G\nscsi1: /dev/sdb,backup=0\n"
        )
        let request = CreationRequest.restore(source, archive: "a", at: Self.target())
        #expect(request.actions.map(\.key) == ["scsi1"])
        let found = try GuestConfiguration.vm(
            "ide2: local:iso/a.iso,media=cdrom,size=1M\nscsi0: fast:y,size=1G\n")
        let compare: (Bool) throws -> ConfigurationComparison = { isRestored in
            try ConfigurationComparison(
                source: source, found: found, at: Self.target(), carried: ["scsi0"],
                keepsMedia: isRestored, actions: request.actions)
        }
        #expect(try compare(true).agrees)
        #expect(try compare(false).items.filter { $0.verdict == .differs }.map(\.key) == ["ide2"])
    }

    @Test(
        "A disk of the host becomes a volume: on the storage for all, by its own rule, or on local")
    func hostDisks() throws {
        let source = try GuestConfiguration.vm(
            "scsi0: l:x,size=1G\nscsi1: /dev/disk/by-id/ata-X,discard=on,size=1G\n")
        let carried: Set<String> = ["scsi0", "scsi1"]
        for (target, storage) in [
            (Self.target(), "fast"),
            (Self.target { $0.volumes["/dev/disk/by-id/ata-X"] = .init(storage: "slow") }, "slow"),
            (Self.target { $0.storage = nil }, "local"),
        ] {
            let made = try CreationRequest.machine(
                source, from: ["scsi0": "up:import/a.qcow2", "scsi1": "up:import/b.qcow2"],
                at: target)
            #expect(made["scsi1"] == "\(storage):0,import-from=up:import/b.qcow2,discard=on")
            #expect(made.actions.isEmpty)
            let restored = CreationRequest.restore(source, archive: "a", at: target)
            #expect(restored.actions.isEmpty)
            let place = target.mapping.storage?.storage ?? "l"
            let found = try GuestConfiguration.vm(
                "boot: cdn\nscsi0: \(place):y,size=1G\nscsi1: \(storage):z,discard=on,size=1G\n")
            let comparison = try ConfigurationComparison(
                source: source, found: found, at: target, carried: carried)
            #expect(comparison.agrees, "\(comparison.items)")
        }
    }

    @Test("Ids are kept, moved or looked up; two guests never get one")
    func numbers() throws {
        var mapping = GuestMapping()
        #expect(try mapping.number(of: 100) == 100)
        mapping.numbers = try GuestMapping.Numbers(parsing: "+1000")
        #expect(try mapping.number(of: 100) == 1100)
        mapping.numbers = .explicit([100: 200, 101: 200])
        #expect(throws: Failure(.invalidValue, "")) { try mapping.numbers(of: [100, 101]) }
        #expect(throws: Failure(.invalidValue, "")) { try mapping.number(of: 102) }
        mapping.numbers = .offset(-50)
        #expect(throws: Failure(.invalidValue, "")) { try mapping.number(of: 120) }
    }

    @Test(
        "Texts that are no mapping are refused",
        arguments: [
            "", "1000", "+", "+x", "++1", "+99999999999999999999", "keep ",
        ])
    func badNumbers(text: String) {
        #expect(throws: Failure(.invalidValue, "")) { try GuestMapping.Numbers(parsing: text) }
    }

    @Test(
        "Storages and bridges are names",
        arguments: [
            "", ":", "a:b:c", "a b", "-x", "x:0", "x:4095", "x:gif", "x\n",
        ])
    func badNames(text: String) {
        #expect(throws: Failure(.invalidValue, "")) { try GuestMapping.Place(parsing: text) }
        #expect(throws: Failure(.invalidValue, "")) { try GuestMapping.Bridge(parsing: text) }
    }

    @Test(
        "Where the source names nothing to start from, neither does the call, and the server may choose"
    )
    func openBootOrder() throws {
        let target = CreationTarget(
            number: 100, version: ProxmoxVersion(8, 4), mapping: GuestMapping())
        func verdict(_ source: String, _ found: String) throws -> ConfigurationComparison.Verdict? {
            let one = try GuestConfiguration(kind: .qemu, file: Array(source.utf8))
            let other = try GuestConfiguration(kind: .qemu, file: Array(found.utf8))
            let comparison = try ConfigurationComparison(
                source: one, found: other, at: target, carried: ["scsi0", "virtio1"])
            return comparison.items.first { $0.key == "boot" || $0.key == "machine" }?.verdict
        }
        let disks =
            "scsi0: l:a\nvirtio1: l:b\nide2: none,media=cdrom\nnet0: virtio=BC:24:11:00:11:22\n"
        for open in ["", "boot: order=\n", "boot: \n"] {
            let source = try GuestConfiguration(kind: .qemu, file: Array((open + disks).utf8))
            let request = try CreationRequest.machine(
                source, from: ["scsi0": "l:import/a", "virtio1": "l:import/b"], at: target)
            // A server reads a line without a value as none at all.
            #expect(request["boot"] == (source["boot"] == nil ? "cdn" : nil))
            #expect(try verdict(open + disks, disks) != .missing)
            #expect(try verdict(open + disks, "boot: order=scsi0;ide2;net0\n" + disks) == .mapped)
            #expect(try verdict(open + disks, "boot: cdn\n" + disks) == .mapped)
            #expect(
                [.extra, .differs].contains(
                    try verdict(open + disks, "boot: order=virtio1\n" + disks)))
        }
        for (before, after) in [("", "pc-i440fx-9.2+pve1"), ("machine: q35\n", "pc-q35-9.2+pve1")] {
            let start = "boot: order=scsi0\nostype: win11\n"
            let (source, found) = (start + before, start + "machine: \(after)\n")
            let comparison = try ConfigurationComparison(
                source: GuestConfiguration(kind: .qemu, file: Array(source.utf8)),
                found: GuestConfiguration(kind: .qemu, file: Array(found.utf8)), at: target,
                carried: [])
            #expect(comparison.items.first { $0.key == "machine" }?.verdict == .mapped)
            let other = try ConfigurationComparison(
                source: GuestConfiguration(
                    kind: .qemu, file: Array(source.replacing("win11", with: "l26").utf8)),
                found: GuestConfiguration(
                    kind: .qemu, file: Array(found.replacing("win11", with: "l26").utf8)),
                at: target, carried: [])
            #expect(!other.agrees)
        }
    }

    @Test("The boot order names no device that the call does not make")
    func bootOrder() throws {
        let guest = try GuestConfiguration.vm(
            "boot: order=scsi1;hostpci0;scsi0\nhostpci0: 01:00.0\nscsi0: l:a\nscsi1: l:b,backup=0\n"
        )
        let request = try CreationRequest.machine(
            guest, from: ["scsi0": "l:a-copy"], at: Self.target(ProxmoxVersion(7, 4)))
        #expect(request["boot"] == "order=scsi0")
        #expect(request.notes.contains { $0.key == "boot" })
        // 7.4 takes no volume of the kind import.
        #expect(throws: Failure(.unsupported, "")) {
            try CreationRequest.machine(
                guest, from: ["scsi0": "l:import/a.raw"], at: Self.target(ProxmoxVersion(7, 4)))
        }
    }

    @Test(
        "A smaller disk, another option or another address is a difference",
        arguments: [
            ("scsi0", "fast:x,size=31G"), ("scsi0", "fast:x,size=32G,ssd=1"), ("scsi0", "fast:x"),
            ("scsi0", "fast:x,size=40G"), ("net0", "virtio=BC:24:11:00:11:99,bridge=b"),
            ("net0", "e1000=BC:24:11:00:11:22,bridge=b"), ("name", "Web"), ("onboot", "0"),
        ])
    func differences(key: String, text: String) throws {
        let source = try GuestConfiguration.vm(
            "name: web\nnet0: virtio=BC:24:11:00:11:22,bridge=b\nonboot: 1\nscsi0: l:y,size=32G\n")
        var found = try source.expected(at: Self.target(), carried: ["scsi0"])
        let compare: (GuestConfiguration) throws -> ConfigurationComparison = { found in
            try ConfigurationComparison(
                source: source, found: found, at: Self.target(), carried: ["scsi0"])
        }
        #expect(try compare(found).agrees)
        found.set(key, text)
        #expect(try compare(found).items.filter { $0.verdict == .differs }.map(\.key) == [key])
    }
}
