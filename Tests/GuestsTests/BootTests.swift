import Basics
import Guests
import TestKit
import Testing

/// Machines that QEMU starts as their domain says; the domain is read by a translator of the test.
@Suite("Machines start elsewhere", .serialized)
struct BootTests {
    /// A boot sector: writes the text of the second sector to the first serial port and powers off.
    private static func image(_ marker: String) -> [UInt8] {
        let code: [UInt8] = [
            0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0,  // segments are 0
            0xbc, 0x00, 0x7c, 0xfc,  // stack below the sector
            0xb8, 0x01, 0x02, 0xbb, 0x00, 0x7e, 0xb9, 0x02, 0x00, 0xb6, 0x00, 0xcd, 0x13,  // read
            0xbe, 0x00, 0x7e, 0xac, 0x84, 0xc0, 0x74, 0x06, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf5,
            0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd,  // power off by ACPI
        ]
        var bytes = code + [UInt8](repeating: 0, count: 510 - code.count) + [0x55, 0xaa]
        bytes += marker.utf8
        return bytes + [UInt8](repeating: 0, count: (1 << 20) - bytes.count)
    }

    /// From a domain to the arguments of QEMU, as libvirt understands the parts that are used here.
    private static let translator = """
        import sys, xml.etree.ElementTree as e
        d = e.fromstring(sys.stdin.buffer.read())
        machine = d.find("os/type").get("machine")
        q35 = "q35" in machine
        smp = d.find("cpu/topology")
        a = ["-machine", machine + ",accel=tcg", "-nodefaults", "-display", "none", "-no-reboot",
             "-cpu", d.findtext("cpu/model"), "-m", d.findtext("memory"),
             "-smp", f"{d.findtext('vcpu')},sockets={smp.get('sockets')},cores={smp.get('cores')}"]
        if d.find("devices/serial") is not None: a += ["-serial", "stdio"]
        models = {"virtio-scsi": "virtio-scsi-pci", "lsilogic": "lsi", "lsisas1078": "megasas",
                  "vmpvscsi": "pvscsi"}
        for c in d.findall("devices/controller"):
            n = c.get("index")
            if c.get("type") == "scsi": a += ["-device", f"{models[c.get('model')]},id=scsi{n}"]
            elif not (q35 and n == "0"): a += ["-device", f"ahci,id=sata{n}"]
        for i, k in enumerate(d.findall("devices/disk")):
            bus, at = k.find("target").get("bus"), k.find("address")
            dev = {"virtio": "virtio-blk-pci"}.get(bus, "")
            if bus == "scsi":
                dev = f"scsi-hd,bus=scsi{at.get('controller')}.0,scsi-id={at.get('target')},lun={at.get('unit')}"
            if bus == "sata":
                name = "ide" if q35 and at.get("controller") == "0" else f"sata{at.get('controller')}"
                dev = f"ide-hd,bus={name}.{at.get('unit')}"
            if bus == "ide": dev = f"ide-hd,bus=ide.{at.get('bus')},unit={at.get('unit')}"
            boot = k.find("boot")
            if boot is not None: dev += f",bootindex={boot.get('order')}"
            f = k.find("source").get("file")
            a += ["-drive", f"if=none,id=d{i},format={k.find('driver').get('type')},file={f}",
                  "-device", dev + f",drive=d{i}"]
        for n in d.findall("devices/interface"):
            m = n.find("model").get("type")
            a += ["-nic", "user,model=" + ("virtio-net-pci" if m == "virtio" else m) + ",mac=" + n.find("mac").get("address")]
        print("\\n".join(a))
        """

    @Test(
        "A machine starts from the disk that its boot order names",
        arguments: [
            ("virtio1", "machine: pc-i440fx-7.2"), ("scsi1", "scsihw: virtio-scsi-pci"),
            ("scsi2", "scsihw: virtio-scsi-single\nmachine: q35"), ("scsi1", "scsihw: lsi"),
            ("scsi1", "scsihw: megasas"), ("scsi1", "scsihw: pvscsi\nmachine: q35"),
            ("sata1", "machine: pc-q35-7.2+pve1"), ("sata2", "cores: 2"), ("ide1", "memory: 256"),
            ("ide3", "machine: q35"),
        ])
    func starts(key: String, more: String) throws {
        guard Shell.has("qemu-system-x86_64"), Shell.has("qemu-img") else {
            print("SKIPPED: QEMU is not installed")
            return
        }
        let folder = try TemporaryDirectory()
        let raw = try folder.file("right.img", Self.image("right disk"))
        let decoy = try folder.file("wrong.img", Self.image("wrong disk"))
        let right = folder.path + "/right.qcow2"
        #expect(
            try Shell.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, right]).status
                == 0)
        let base = String(key.dropLast())
        let guest = try GuestConfiguration.vm(
            """
            boot: order=\(key);\(base)0
            name: tried
            net0: virtio=BC:24:11:00:11:22,bridge=vmbr0
            serial0: socket
            \(base)0: l:a,size=1M
            \(key): l:b,size=1M
            \(more)
            """)
        let domain = try LibvirtDomain(
            of: guest,
            disks: [
                GuestDisk(key: base + "0", file: decoy, format: .raw, size: 1 << 20),
                GuestDisk(key: key, file: right, format: .qcow2, size: 1 << 20),
            ], options: .init(usesKVM: false, usesUserNetwork: true))
        let translated = try Shell.run(
            ["python3", "-c", Self.translator], input: Array(domain.xml.utf8))
        let arguments = translated.text.split(separator: "\n").map(String.init)
        #expect(arguments.count > 10, "\(String(decoding: translated.errors, as: UTF8.self))")
        let result = try Shell.run(["timeout", "60", "qemu-system-x86_64"] + arguments)
        #expect(
            result.text.contains("right disk"),
            "\(key) \(more): \(result.status) \(String(decoding: result.errors, as: UTF8.self))")
        #expect(result.status == 0)
    }
}
