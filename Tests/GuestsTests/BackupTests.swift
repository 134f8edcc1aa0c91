import Basics
import Guests
import Testing

@Suite("What a backup carries")
struct BackupTests {
    private func left(_ text: String, _ kind: GuestKind = .qemu) throws -> [String: String] {
        let guest = try GuestConfiguration(kind: kind, file: Array(text.utf8))
        var codes: [String: String] = [:]
        for item in BackupContent(of: guest).left { codes[item.key ?? "-"] = item.code.rawValue }
        return codes
    }

    @Test("Disks, firmware variables and TPM state are carried under the names of the archive")
    func carried() throws {
        let guest = try GuestConfiguration.vm(
            """
            agent: 1
            bios: ovmf
            efidisk0: l:vm-1-disk-0,efitype=4m,size=528K
            scsi0: l:vm-1-disk-1,size=32G
            tpmstate0: l:vm-1-disk-2,size=4M,version=v2.0
            virtio3: d:1/vm-1-disk-3.qcow2,size=1G
            """)
        let content = BackupContent(of: guest)
        #expect(
            content.carried.map(\.device)
                == ["drive-efidisk0", "drive-scsi0", "drive-tpmstate0-backup", "drive-virtio3"])
        #expect(content.carried.map(\.declaredSize) == [540_672, 32 << 30, 4 << 20, 1 << 30])
        #expect(content.carried.filter(\.isSecret).map(\.key) == ["efidisk0", "tpmstate0"])
        #expect(content.left.isEmpty)
    }

    @Test("Everything else has a reason")
    func reasons() throws {
        let codes = try left(
            """
            agent: enabled=1,freeze-fs-on-backup=0
            cdrom: cdrom
            efidisk0: l:vm-1-disk-0,size=528K
            hookscript: local:snippets/h.pl
            hostpci0: 0000:01:00.0
            ide0: none,media=cdrom
            ide1: l:vm-1-cloudinit,media=cdrom
            ide2: iso:iso/debian.iso,media=cdrom,size=600M
            lock: backup
            sata0: /dev/disk/by-id/ata-X,size=1G
            scsi1: l:vm-1-disk-1,backup=0,size=1G
            scsi2: local:9/base-9-disk-0.qcow2/1/vm-1-disk-2.qcow2,size=1G
            scsi3: nonsense
            serial0: /dev/ttyS0
            serial1: socket
            template: 1
            unused0: l:vm-1-disk-9
            usb0: host=1234:5678
            usb1: spice
            virtiofs0: dirid=share
            vmstate: l:vm-1-state-suspend
            wonder: 1

            [PENDING]
            memory: 1

            [before]
            memory: 1
            """)
        #expect(
            codes == [
                "-": "template", "agent": "no-freeze", "cdrom": "medium",
                "efidisk0": "firmware-without-uefi", "hookscript": "external-file",
                "hostpci0": "passthrough", "ide0": "empty-drive", "ide1": "cloud-init-drive",
                "ide2": "medium", "lock": "locked", "sata0": "physical-disk",
                "scsi1": "backup-disabled", "scsi2": "linked-clone", "scsi3": "unreadable",
                "serial0": "passthrough", "unused0": "unused-disk", "usb0": "passthrough",
                "virtiofs0": "host-directory", "vmstate": "memory-state",
                "wonder": "unknown-key", "before": "snapshot",
            ])
    }

    @Test("A disk of the host is carried like any other, unless it says otherwise")
    func hostDisks() throws {
        let guest = try GuestConfiguration.vm(
            """
            agent: 1
            scsi1: /dev/disk/by-id/ata-X,size=1G
            scsi2: /dev/disk/by-id/ata-Y,backup=0,size=1G
            """)
        let content = BackupContent(of: guest)
        #expect(content.carried.map(\.device) == ["drive-scsi1"])
        #expect(content.left.map(\.code) == [.physicalDisk, .backupDisabled])
        #expect(content.left.map(\.isLoss) == [false, true])
    }

    @Test("Pending changes are told by name")
    func pending() throws {
        let guest = try GuestConfiguration.vm("agent: 1\n[PENDING]\nmemory: 1\ncores: 2\n")
        let found = BackupContent(of: guest).left
        #expect(found.map(\.code) == [.pendingChanges])
        #expect(found.first?.what.hasSuffix("memory, cores") == true)
        #expect(found.first?.isLoss == true)
    }

    @Test("The API's lists of pending changes and snapshots count as those of the file")
    func queries() throws {
        var guest = try GuestConfiguration.vm("agent: 1\nmemory: 1\n")
        let pending = try JSON(
            parsing: Array(
                #"[{"key":"memory","value":1,"pending":2},{"key":"cores","value":1},{"key":"net0","value":"x","delete":1}]"#
                    .utf8))
        try guest.take(pending: pending)
        let snapshots = try JSON(
            parsing: Array(
                #"[{"name":"before","snaptime":1700000000,"vmstate":1},{"name":"current","running":1}]"#
                    .utf8))
        try guest.take(snapshots: snapshots)
        #expect(guest.pending?.entries.map(\.key) == ["memory", "delete"])
        #expect(
            BackupContent(of: guest).left.map(\.code) == [.snapshot, .pendingChanges])
        try guest.take(pending: .array([["key": "memory", "value": 1]]))
        #expect(guest.pending == nil)
        #expect(throws: Failure(.jsonMalformed, "")) { try guest.take(snapshots: [["x": 1]]) }
        #expect(throws: Failure(.jsonMalformed, "")) { try guest.take(pending: "no") }
    }

    @Test("Mount points of containers are left out unless they say otherwise")
    func containers() throws {
        let text = """
            lxc.mount.entry: /srv srv none bind 0 0
            mp0: l:subvol-1-disk-1,mp=/data,backup=1,size=8G
            mp1: l:subvol-1-disk-2,mp=/cache,size=8G
            mp2: /srv/share,mp=/share
            mp3: /dev/sdb1,mp=/disk
            mp4: l:subvol-1-disk-4,mp=/none,backup=0
            rootfs: l:subvol-1-disk-0,size=4G
            """
        let guest = try GuestConfiguration.container(text)
        let content = BackupContent(of: guest)
        #expect(content.carried.map(\.key) == ["mp0", "rootfs"])
        #expect(content.carried.map(\.device) == ["/data", "/"])
        #expect(
            try left(text, .lxc) == [
                "lxc.mount.entry": "bind-mount", "mp1": "mount-point-not-included",
                "mp2": "bind-mount", "mp3": "device-mount", "mp4": "mount-point-not-included",
            ])
    }

    @Test("No agent means disks as after a power failure")
    func agent() throws {
        #expect(try left("memory: 1")["agent"] == "no-agent")
        #expect(try left("agent: 0")["agent"] == "no-agent")
        #expect(try left("agent: enabled=1,fstrim_cloned_disks=1")["agent"] == nil)
        #expect(try left("agent: 1,guest-fsfreeze=0")["agent"] == "no-freeze")
    }

    @Test("Secrets are taken out of every part, and said")
    func secrets() throws {
        let guest = try GuestConfiguration.vm(
            "cipassword: $5$abc\nname: x\nCIPASSWORD broken\n[PENDING]\ncipassword: y\n[s]\ncipassword: z\n"
        )
        let (clean, taken) = guest.withoutSecrets()
        #expect(taken.map(\.section) == [nil, "PENDING", "s", "line 3"])
        #expect(!String(decoding: clean.file, as: UTF8.self).contains("cipassword"))
        #expect(clean.unread.isEmpty)
        #expect(clean.name == "x")
    }
}
