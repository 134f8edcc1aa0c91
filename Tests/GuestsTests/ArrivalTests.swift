import Basics
import Guests
import TestKit
import Testing

@Suite("Guests held against what was expected")
struct ArrivalTests {
    @Test("What arrived is held against what was expected, key by key")
    func comparison() throws {
        let target = MappingTests.target {
            $0.bridges["vmbr0"] = GuestMapping.Bridge(name: "vmbr1")
        }
        let source = try GuestConfiguration.vm(
            """
            agent: enabled=1
            args: -x
            cipassword: secret
            cores: 2
            memory: 512
            name: web
            net0: virtio=BC:24:11:00:11:22,bridge=vmbr0
            scsi0: l:vm-1-disk-0,discard=on,size=100K,ssd=1
            scsi1: l:vm-1-disk-1,size=1G
            scsi2: l:vm-1-disk-2,backup=0,size=1G
            tags: b;a
            vmgenid: x
            """)
        let found = try GuestConfiguration.vm(
            """
            agent: 1
            balloon: 0
            cipassword: **********
            digest: y
            memory: 1024
            meta: z
            name: web
            net0: bridge=vmbr1,virtio=bc:24:11:00:11:22
            scsi0: fast:vm-9-disk-7,size=4M,ssd=1,discard=on
            scsi1: l:vm-9-disk-8,size=1G
            tags: a;b
            """)
        let comparison = try ConfigurationComparison(
            source: source, found: found, at: target, carried: ["scsi0", "scsi1"],
            actions: [ManualAction("args", "root only")])
        var verdicts: [String: String] = [:]
        for item in comparison.items { verdicts[item.key] = item.verdict.rawValue }
        #expect(
            verdicts == [
                "agent": "equal", "args": "left-to-do", "balloon": "extra",
                "cipassword": "hidden", "cores": "missing", "memory": "differs", "name": "equal",
                "net0": "mapped", "scsi0": "mapped", "scsi1": "differs", "tags": "equal",
            ])
        #expect(!comparison.agrees)
        #expect(!comparison.items.contains { $0.expected?.contains("secret") == true })
    }

    @Test("What Proxmox VE spells out or adds by itself is no difference")
    func generated() throws {
        let source = try GuestConfiguration.vm(
            """
            bios: ovmf
            boot: order=scsi0;scsi9;net0
            cores: 1
            efidisk0: l:a,size=528K
            net0: virtio=BC:24:11:00:11:22,bridge=b
            scsi0: l:b,size=1G,cyls=3
            scsi9: l:c,backup=0,size=1G
            smbios1: uuid=0d6f9fbd-3a2b-4a3e-9d0b-2a0a4d6e7f01
            tpmstate0: l:d,size=4M
            """)
        let found = try GuestConfiguration.vm(
            """
            bios: ovmf
            boot: order=scsi0;net0
            efidisk0: fast:vm-2-disk-0,efitype=2m,pre-enrolled-keys=0,size=4M
            meta: creation-qemu=9.0
            net0: virtio=BC:24:11:00:AA:BB,bridge=b
            onboot: 0
            scsi0: fast:vm-2-disk-1,size=1G
            smbios1: uuid=11111111-3a2b-4a3e-9d0b-2a0a4d6e7f01
            sockets: 1
            tpmstate0: fast:vm-2-disk-2,size=4M,version=v1.2
            vmgenid: 11111111-3a2b-4a3e-9d0b-2a0a4d6e7f02
            """)
        let carried: Set<String> = ["scsi0", "efidisk0", "tpmstate0"]
        let new = MappingTests.target(ProxmoxVersion(9, 2)) { $0.addresses = .new }
        let comparison = try ConfigurationComparison(
            source: source, found: found, at: new, carried: carried)
        #expect(comparison.agrees, "\(comparison.items)")
        // With addresses that were to be kept, card and identity are others.
        let strict = try ConfigurationComparison(
            source: source, found: found, at: MappingTests.target(ProxmoxVersion(9, 2)),
            carried: carried)
        #expect(
            strict.items.filter { $0.verdict == .differs }.map(\.key) == ["net0", "smbios1"])
        var locked = found
        locked.set("lock", "create")
        let unfinished = try ConfigurationComparison(
            source: source, found: locked, at: new, carried: carried)
        #expect(unfinished.items.filter { $0.verdict == .extra }.map(\.key) == ["lock"])
    }

    @Test(
        "A server that keeps what it is sent agrees with what is expected of it",
        arguments: ["8.4", "9.2"])
    func consistency(version: String) throws {
        let server = try #require(ProxmoxVersion(version))
        for text in [MappingTests.machine, LibvirtTests.everything] {
            let source = try GuestConfiguration.vm(text)
            let carried = BackupContent(of: source).carried
            var imports: [String: String] = [:]
            for disk in carried { imports[disk.key] = "up:import/\(disk.key).raw" }
            let target = MappingTests.target(server) { mapping in
                mapping.storages["l"] = GuestMapping.Place(storage: "nfs", format: "qcow2")
                mapping.bridges["vmbr0:30"] = GuestMapping.Bridge(name: "dmz")
                mapping.namePrefix = "r-"
            }
            let request = try CreationRequest.machine(source, from: imports, at: target)
            var found = GuestConfiguration(kind: .qemu, description: request["description"])
            for parameter in request.parameters {
                let facts = GuestKeyFacts.of(parameter.name, kind: .qemu)
                if facts?.class == .request || parameter.name == "description" { continue }
                var value = PropertyString(parameter.value)
                if let size = carried.first(where: { $0.key == parameter.name })?.declaredSize {
                    value.remove("import-from")
                    value.parts[0].value = "nfs:1100/vm-1100-disk-9.qcow2"
                    value.set("size", GuestSize.text((size + 4_194_303) & ~4_194_303))
                }
                found.set(parameter.name, value.text)
            }
            let comparison = try ConfigurationComparison(
                source: source, found: found, at: target, carried: Set(imports.keys),
                actions: request.actions)
            let wrong = comparison.items.filter {
                [.differs, .missing, .extra].contains($0.verdict)
            }
            #expect(wrong.isEmpty, "\(wrong)")
        }
    }
}
