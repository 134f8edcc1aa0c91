import Basics
import Guests
import Testing

@Suite("Hostile configurations")
struct HostileTests {
    /// Everything that reads a configuration, over it; failures are results, crashes are not.
    private func useAll(_ guest: GuestConfiguration) throws {
        let content = BackupContent(of: guest)
        let carried = Set(content.carried.map(\.key))
        let disks = carried.sorted().map {
            GuestDisk(key: $0, file: $0, format: .raw, size: .max)
        }
        _ = guest.withoutSecrets()
        let target = MappingTests.target(ProxmoxVersion(8, 4)) { $0.addresses = .new }
        switch guest.kind {
        case .qemu:
            _ = try? LibvirtDomain(of: guest, disks: disks, options: .init())
            _ = try? OVFEnvelope(of: guest, disks: disks)
            _ = try? CreationRequest.machine(guest, from: [:], at: target)
            _ = CreationRequest.restore(guest, archive: "a", at: target)
        case .lxc:
            _ = try? ContainerDescription(of: guest)
            _ = try? CreationRequest.container(guest, from: "t", at: target)
        }
        let comparison = try? ConfigurationComparison(
            source: guest, found: guest, at: target, carried: carried)
        _ = comparison?.agrees
    }

    @Test("Bytes at random end nowhere in a crash", arguments: GuestKind.allCases)
    func random(kind: GuestKind) throws {
        let sample = kind == .qemu ? LibvirtTests.everything : MappingTests.container
        var seed: UInt64 = 11
        func next(_ limit: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % limit
        }
        let alphabet = Array("0123456789:,=;-+.x\n#[]%/ \u{0}".utf8) + [0xff]
        for _ in 0..<400 {
            var bytes = Array(sample.utf8)
            for _ in 0..<next(30) { bytes[next(bytes.count)] = alphabet[next(alphabet.count)] }
            try useAll(GuestConfiguration(kind: kind, file: bytes))
        }
    }

    @Test(
        "Numbers beyond all measure are no numbers",
        arguments: [
            "9223372036854775807", "-9223372036854775808", "0", "-1", "99999999999999999999", "",
            "1e9", "0x10",
        ])
    func numbers(text: String) throws {
        for key in ["memory", "cores", "sockets", "vcpus", "balloon", "hugepages", "cpulimit"] {
            try useAll(
                .vm(
                    "numa: 1\n\(key): \(text)\nnuma0: cpus=0,memory=\(text)\nvga: qxl,memory=\(text)\n"
                        + "numa1: cpus=1,memory=\(text)\nrng0: max_bytes=\(text),period=\(text)\n"
                        + "net0: virtio,tag=\(text),mtu=\(text),queues=\(text)\nscsi0: l:a,size=\(text)T,mbps=\(text)\n"
                ))
            try useAll(.container("\(key): \(text)\nswap: \(text)\nrootfs: l:a,size=\(text)G\n"))
        }
    }
}
