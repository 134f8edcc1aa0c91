import Basics
import Guests
import TestKit
import Testing

@Suite("Domains of libvirt")
struct LibvirtTests {
    static let everything = """
        #Notes with ]]> & <b>"quotes"</b> 'and' bell %07 end
        agent: 1,fstrim_cloned_disks=1
        args: -device foo
        audio0: device=ich9-intel-hda,driver=spice
        balloon: 512
        bios: ovmf
        boot: order=scsi0;net0;ide2
        ciuser: debian
        cores: 2
        cpu: x86-64-v2-AES,flags=+pcid;-vmx
        efidisk0: l:vm-1-disk-0,efitype=4m,pre-enrolled-keys=1,size=528K
        hostpci0: 0000:01:00.0
        ide0: l:vm-1-disk-9,size=1G
        ide2: iso:iso/debian.iso,media=cdrom
        keyboard: fr
        machine: pc-q35-7.2+pve1
        memory: 2048
        meta: creation-qemu=8.1.5
        name: every bus
        net0: virtio=BC:24:11:00:11:22,bridge=vmbr0,tag=30,queues=2,mtu=1400,firewall=1
        net1: e1000=BC:24:11:00:11:23,bridge=vmbr1,link_down=1
        net2: model=vmxnet3,macaddr=BC:24:11:00:11:24,bridge=vmbr1
        net3: rtl8139
        numa: 1
        onboot: 1
        ostype: win11
        rng0: source=/dev/urandom,max_bytes=1024,period=1000
        sata0: l:vm-1-disk-5,size=1G,ssd=1,serial=A%20B
        scsi0: l:vm-1-disk-1,size=32G,iothread=1,discard=on,ssd=1,cache=writeback,wwn=0x5000c50015ea71ad
        scsi1: l:vm-1-disk-2,size=1G,mbps_rd=10,iops_wr=100,queues=4
        scsihw: virtio-scsi-single
        serial0: socket
        smbios1: uuid=0d6f9fbd-3a2b-4a3e-9d0b-2a0a4d6e7f01,base64=1,manufacturer=TMOpcGl0YWw=
        sockets: 2
        tablet: 1
        tpmstate0: l:vm-1-disk-7,size=4M,version=v2.0
        unused0: l:vm-1-disk-8
        vcpus: 3
        vga: qxl,memory=32
        virtio0: l:vm-1-disk-3,size=1G,iothread=1,aio=io_uring
        vmgenid: 9b4a7a6a-6c9b-4f86-8d33-1d7d3a2b9f10
        watchdog: model=i6300esb,action=reset
        """

    static func disks(_ keys: String...) -> [GuestDisk] {
        keys.map {
            GuestDisk(
                key: $0, file: "/srv/disks/\($0) & more.img", format: $0 == "scsi0" ? .qcow2 : .raw,
                size: 1 << 30)
        }
    }

    static let all = disks(
        "scsi0", "scsi1", "virtio0", "sata0", "ide0", "efidisk0", "tpmstate0")

    /// The real tools read the domain: the schema, and libvirt's own parser.
    private func accepted(_ domain: LibvirtDomain) throws {
        let folder = try TemporaryDirectory()
        let file = try folder.file("domain.xml", Array(domain.xml.utf8))
        for command in [
            ["xmllint", "--noout", file], ["virt-xml-validate", file, "domain"],
            ["virsh", "-q", "-c", "test:///default", "define", file],
        ] {
            guard let tool = command.first, Shell.has(tool) else {
                print("SKIPPED: \(command[0]) is not installed")
                continue
            }
            let result = try Shell.run(command)
            #expect(
                result.status == 0,
                "\(tool): \(String(decoding: result.errors, as: UTF8.self))\(domain.xml)")
        }
    }

    private func domain(
        _ text: String, _ disks: [GuestDisk] = [], _ options: LibvirtDomain.Options = .init()
    ) throws -> LibvirtDomain {
        try LibvirtDomain(of: .vm(text), disks: disks, options: options)
    }

    @Test("A machine with every bus is accepted, and nothing is dropped in silence")
    func everyBus() throws {
        let domain = try domain(Self.everything, Self.all)
        try accepted(domain)
        for piece in [
            "machine=\"pc-q35-7.2\"", "secure=\"yes\"", "model=\"virtio-scsi\"",
            "rotation_rate=\"1\"", "<serial>A B</serial>", "<wwn>5000c50015ea71ad</wwn>",
            "bc:24:11:00:11:22", "queues=\"2\"", "name=\"pcid\"", "policy=\"disable\"",
            "<iothreads>2</iothreads>", "org.qemu.guest_agent.0", "offset=\"localtime\"",
            "<entry name=\"manufacturer\">L\u{e9}pital<",
            "<nvram>/srv/disks/efidisk0 &amp; more.img</nvram>",
            "]]&gt; &amp; &lt;b&gt;", "current=\"3\"", "read_bytes_sec>10485760<",
        ] {
            #expect(domain.xml.contains(piece), "\(piece)")
        }
        let told = Set(domain.notes.compactMap(\.key))
        for key in [
            "agent", "args", "audio0", "balloon", "ciuser", "cpu", "hostpci0", "ide0", "ide2",
            "machine", "net0", "onboot", "scsi1", "tpmstate0", "unused0", "vga",
        ] {
            #expect(told.contains(key), "\(key)")
        }
        #expect(!told.contains("memory") && !told.contains("virtio0"))
    }

    @Test(
        "Each controller and machine type is accepted",
        arguments: [
            "lsi", "lsi53c810", "megasas", "pvscsi", "virtio-scsi-pci", "virtio-scsi-single",
        ])
    func controllers(hardware: String) throws {
        let domain = try domain(
            "scsihw: \(hardware)\nscsi0: l:a,size=1G\nscsi8: l:b,size=1G\nide3: l:c\nide0: none,media=cdrom\n",
            Self.disks("scsi0", "scsi8", "ide3"))
        try accepted(domain)
        #expect(domain.xml.contains("machine=\"pc\""))
    }

    @Test("The boot order of the legacy form is the same in order")
    func legacyBoot() throws {
        let domain = try domain(
            "boot: cdn\nbootdisk: virtio0\nide2: none,media=cdrom\nnet0: virtio,bridge=b\nvirtio0: l:a\n",
            Self.disks("virtio0"))
        try accepted(domain)
        let parts = domain.xml.split(separator: "<boot order=\"").dropFirst().map { $0.prefix(1) }
        // The order of elements is disk, CD, card.
        #expect(parts == ["1", "2", "3"])
    }

    @Test(
        "Every processor becomes one that libvirt knows",
        arguments: [
            "host", "kvm64", "x86-64-v3", "x86-64-v4", "EPYC-Rome", "custom-own",
            "Skylake-Client,flags=+aes",
            "host,hidden=1,hv-vendor-id=abc,phys-bits=40", "max", "<evil>",
        ])
    func processors(text: String) throws {
        for usesKVM in [true, false] {
            let domain = try domain(
                "cpu: \(text)\nostype: win10\n", [],
                LibvirtDomain.Options(name: "x", usesKVM: usesKVM))
            try accepted(domain)
            #expect(
                domain.xml.contains("host-passthrough")
                    == (usesKVM && (text.hasPrefix("host") || text == "max")))
        }
    }

    @Test("Rehearsals have their link down, new addresses and another network")
    func rehearsal() throws {
        let text = "net0: virtio=BC:24:11:00:11:22,bridge=vmbr0,tag=7\n"
        let quiet = try domain(
            text, [],
            .init(name: "r", bridges: ["vmbr0:7": "br-test"], keepsAddresses: false, linkDown: true)
        )
        try accepted(quiet)
        #expect(quiet.xml.contains("br-test") && quiet.xml.contains("state=\"down\""))
        #expect(!quiet.xml.contains("bc:24"))
        #expect(quiet.notes.contains { $0.key == "net0" } == false)
        let user = try domain(text, [], .init(name: "r", usesUserNetwork: true))
        try accepted(user)
        #expect(user.xml.contains("type=\"user\""))
    }

    @Test("Hostile values cannot leave their place")
    func hostile() throws {
        for value in [
            "\"/><x y=\"", "a\u{1}b\u{8}", "]]>", "&amp;&#0;", "../../x", "\u{ffff}\u{85}",
        ] {
            let domain = try domain(
                "name: \(value)\nserial0: \(value)\nnet0: \(value)\nmachine: \(value)\nvga: \(value)\ncpu: \(value)\nscsi0: \(value)\nwatchdog: \(value)\nrng0: \(value)\nnuma: 1\nnuma0: \(value)\n",
                [GuestDisk(key: "scsi0", file: value, format: .raw, size: 1)])
            let folder = try TemporaryDirectory()
            let file = try folder.file("domain.xml", Array(domain.xml.utf8))
            if Shell.has("xmllint") {
                #expect(try Shell.run(["xmllint", "--noout", file]).status == 0, "\(domain.xml)")
            }
        }
    }

    @Test("A container is no domain, and an unknown disk is refused")
    func refused() throws {
        #expect(throws: Failure(.unsupported, "")) {
            try LibvirtDomain(of: .container("hostname: x\n"), disks: [], options: .init())
        }
        #expect(throws: Failure(.invalidValue, "")) {
            try domain("name: x\n", Self.disks("scsi0"))
        }
    }
}
