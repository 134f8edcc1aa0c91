import Basics
import Guests
import TestKit
import Testing

@Suite("OVF descriptors")
struct OVFTests {
    @Test("A machine with every bus is well-formed and says where each disk hangs")
    func everyBus() throws {
        let guest = try GuestConfiguration.vm(LibvirtTests.everything)
        let disks = LibvirtTests.all
        let ovf = try OVFEnvelope(of: guest, disks: disks)
        let folder = try TemporaryDirectory()
        let file = try folder.file("x.ovf", Array(ovf.xml.utf8))
        if Shell.has("xmllint") {
            #expect(try Shell.run(["xmllint", "--noout", file]).status == 0)
            let count = try Shell.run([
                "xmllint", "--xpath",
                "count(//*[local-name()='Item'][*[local-name()='ResourceType']='17'])",
                file,
            ])
            #expect(count.text.hasPrefix("5"))
            // Every parent is an instance of the same descriptor.
            let orphans = try Shell.run([
                "xmllint", "--xpath",
                "count(//*[local-name()='Parent'][not(. = //*[local-name()='InstanceID'])])", file,
            ])
            #expect(orphans.text.hasPrefix("0"))
        }
        #expect(ovf.xml.contains("ovf:href=\"/srv/disks/scsi0%20%26%20more.img\""))
        #expect(ovf.xml.contains("vmw:value=\"efi\""))
        let told = Set(ovf.notes.compactMap(\.key))
        for key in ["efidisk0", "tpmstate0", "virtio0", "net0", "cpu", "args", "hostpci0"] {
            #expect(told.contains(key), "\(key)")
        }
    }

    @Test("Python's strict reader agrees, and the boot disk is first")
    func bootFirst() throws {
        let guest = try GuestConfiguration.vm(
            "boot: order=scsi1\nname: a&b\nscsi0: l:a,size=1G\nscsi1: l:b,size=2G\n")
        let disks = ["scsi0", "scsi1"].map {
            GuestDisk(key: $0, file: "\($0).vmdk", format: .vmdk, size: 1 << 30, fileSize: 7)
        }
        let ovf = try OVFEnvelope(of: guest, disks: disks)
        let script = """
            import sys, xml.etree.ElementTree as e
            o = "{http://schemas.dmtf.org/ovf/envelope/1}"
            root = e.fromstring(sys.stdin.buffer.read())
            print(*[f.get(o + "href") for f in root.find(o + "References")], root.find(o + "VirtualSystem").get(o + "id"))
            """
        let result = try Shell.run(["python3", "-c", script], input: Array(ovf.xml.utf8))
        #expect(result.text == "scsi1.vmdk scsi0.vmdk a&b\n")
    }

    @Test("The manifest names each file on a line of its own")
    func manifest() throws {
        #expect(
            try OVFEnvelope.manifest([("a.ovf", "00"), ("b.vmdk", "11")])
                == "SHA256(a.ovf)= 00\nSHA256(b.vmdk)= 11\n")
        for name in ["", "a\nb", "a)= 0", "../a"] {
            #expect(throws: Failure(.invalidValue, "")) {
                try OVFEnvelope.manifest([(name, "00")])
            }
        }
    }

    @Test("Containers have a plain description instead")
    func container() throws {
        let guest = try GuestConfiguration.container(
            "arch: amd64\ncores: 2\nfeatures: nesting=1\nhostname: ct\nlxc.apparmor.profile: x\nmemory: 512\nmp0: l:s,mp=/d,backup=1,size=1G\nnet0: name=eth0,bridge=vmbr0\nrootfs: l:r,size=4G\nunprivileged: 1\n"
        )
        #expect(throws: Failure(.unsupported, "")) { try OVFEnvelope(of: guest, disks: []) }
        let json = try ContainerDescription(of: guest).json
        #expect(json["memory"] == 512)
        #expect(json["mounts"]?.array?.count == 2)
        #expect(json["networks"]?.array?.first?["bridge"] == "vmbr0")
        #expect(json["other"] == ["features: nesting=1", "lxc.apparmor.profile: x"])
        #expect(throws: Failure(.unsupported, "")) {
            try ContainerDescription(of: .vm("name: x\n"))
        }
    }
}
