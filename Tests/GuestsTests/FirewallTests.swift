import Basics
import Guests
import TestKit
import Testing

@Suite("Firewalls of guests")
struct FirewallTests {
    @Test("Names come before their use, rules from the last to the first, the switch at the end")
    func order() throws {
        let firewall = try FirewallFile(
            parsing: Array(
                """
                [OPTIONS]

                enable: 1
                policy_in: DROP

                [ALIASES]
                lab 10.0.0.0/24 # the lab

                [IPSET admins] # who may
                10.0.0.5
                !10.0.0.6 # not he

                [RULES]
                IN ACCEPT -p tcp -dport 443 -source +admins -log nolog # web
                |IN SSH(ACCEPT) -i net0 -source dc/office
                GROUP base -i net1
                """.utf8))
        #expect(firewall.unread.isEmpty)
        let calls = firewall.calls
        #expect(
            calls.map { "\($0.method) \($0.path)" } == [
                "POST /aliases", "POST /ipset", "POST /ipset/admins", "POST /ipset/admins",
                "POST /rules", "POST /rules", "POST /rules", "PUT /options", "PUT /options",
            ])
        let texts = calls.map { call in
            call.parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        }
        #expect(texts[3] == "cidr=10.0.0.6 nomatch=1 comment=not he")
        #expect(texts[4] == "type=group action=base enable=1 iface=net1")
        #expect(
            texts[5] == "type=in action=ACCEPT macro=SSH enable=0 iface=net0 source=dc/office")
        #expect(
            texts[6]
                == "type=in action=ACCEPT enable=1 proto=tcp dport=443 source=+admins log=nolog comment=web"
        )
        #expect(texts.suffix(2) == ["policy_in=DROP", "enable=1"])
        #expect(firewall.prerequisites == ["alias office", "security group base"])
    }

    @Test("Lines that are no rule are told")
    func unread() throws {
        let firewall = try FirewallFile(
            parsing: Array(
                "x: 1\n[RULES]\nIN\nIN ACCEPT -dport\nIN ACCEPT -what x\nSIDE ACCEPT\n[IPSET]\n[nonsense]\nIN ACCEPT\n[OPTIONS]\nenable 1\nenable: 1\u{0}\n"
                    .utf8) + [0xff, 0x0a])
        #expect(firewall.rules.isEmpty)
        #expect(firewall.unread.map(\.number) == [1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13])
        #expect(firewall.calls.isEmpty)
    }

    @Test("The firewall of the conformance data is read")
    func vector() throws {
        guard let folder = Vectors.folder("proxmox") else { return }
        let firewall = try FirewallFile(parsing: Files.read(folder + "/qemu-server.fw"))
        #expect(firewall.unread.isEmpty)
        #expect(firewall.rules.count == 1)
        #expect(firewall.calls.last?.parameters == [CreationRequest.Parameter("enable", "1")])
    }
}
