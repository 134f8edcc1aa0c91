import Basics
import Guests
import Testing

@testable import ProxmoxConnector

@Suite("Ids of tasks and versions")
struct UPIDTests {
    private let good = "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam!tok:"

    @Test("The parts of an id are those that the server wrote")
    func parts() throws {
        let upid = try #require(UPID(good))
        #expect(upid.node == "pve1")
        #expect(upid.type == "vzdump")
        #expect(upid.object == "100")
        #expect(upid.user == "root@pam!tok")
        #expect(upid.start == 0x55d7_a0a2)
        #expect(upid.text == good)
        #expect(UPID("UPID:a-1:00000001:123456789:55D7A0A2:imgcopy::u@pve:")?.object == "")
    }

    @Test(
        "What is not exactly an id is none",
        arguments: [
            "", "OK", "UPID:", "UPID::::::::",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam:x",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam::",
            "UPID:../..:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam:",
            "UPID:pve1:0000C53:001C9BEC:55D7A0A2:vzdump:100:root@pam:",
            "UPID:pve1:0000C530:001C9BEC00:55D7A0A2:vzdump:100:root@pam:",
            "UPID:pve1:0000C53G:001C9BEC:55D7A0A2:vzdump:100:root@pam:",
            "UPID:-pve:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam:",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2::100:root@pam:",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100::",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:1 0:root@pam:",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:1/0:root@pam:",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam:\n",
            "UPID:pvé:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam:",
            " UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:root@pam:",
            "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:" + String(repeating: "1", count: 600)
                + ":root@pam:",
        ])
    func hostile(_ text: String) {
        #expect(UPID(text) == nil)
    }

    @Test("OK instead of an id is a result of its own, anything else is an error")
    func started() throws {
        #expect(try StartedTask("OK") == .nothing)
        #expect(try StartedTask(.string(good)) == .running(try #require(UPID(good))))
        for answer in [JSON.null, "ok", "UPID:x", 1, ["data": "OK"]] {
            #expect(throws: Failure.self) { _ = try StartedTask(answer) }
        }
    }

    @Test("Versions are read and compared as numbers")
    func versions() throws {
        #expect(ProxmoxVersion("7.4-17") == ProxmoxVersion(7, 4, 17))
        #expect(ProxmoxVersion("8.4.1") == ProxmoxVersion(8, 4, 1))
        #expect(ProxmoxVersion("9.0.0~11") == ProxmoxVersion(9, 0, 0))
        #expect(ProxmoxVersion(8, 10) > ProxmoxVersion(8, 9, 9))
        for bad in ["", "8", "8.", "x.y", "-1.2", "8.x", "99999.1"] {
            #expect(ProxmoxVersion(bad) == nil)
        }
        let (seven, eight, nine) = (
            ProxmoxVersion(7, 4), ProxmoxVersion(8, 4), ProxmoxVersion(9, 2)
        )
        let known: [(PVEFeature, Bool, Bool, Bool)] = [
            (.importOfDisks, false, true, true), (.fleecing, false, true, true),
            (.haGroups, true, true, false), (.haRules, false, false, true),
            (.monitorPrivilege, true, true, false), (.guestAgentPrivileges, false, false, true),
            (.importFrom, true, true, true), (.oldVzdumpOptions, true, true, false),
        ]
        for (feature, inSeven, inEight, inNine) in known {
            #expect(seven.has(feature) == inSeven, "\(feature)")
            #expect(eight.has(feature) == inEight, "\(feature)")
            #expect(nine.has(feature) == inNine, "\(feature)")
        }
        #expect(!ProxmoxVersion(8, 3).has(.importOfDisks))
        #expect(ProxmoxVersion(8, 3).has(.importOfAppliances))
    }

    @Test("Tokens are taken as pveum shows them, and never quoted")
    func tokens() throws {
        let token = try ProxmoxCredentials.token(
            parsing: Secret("exeat@pve!export=0000-secret=x"))
        #expect(token.user == "exeat@pve")
        #expect(token.tokenID == "exeat@pve!export")
        for bad in [
            "", "exeat@pve", "exeat@pve!x", "exeat@pve!x=", "exeat!x=hidden", "=hidden",
            "exeat@pve!=hidden", "a@b!c=hid den", "a@b!c\r\n=hidden", "@pve!c=hidden",
        ] {
            do {
                _ = try ProxmoxCredentials.token(parsing: Secret(bad))
                Issue.record("taken: \(bad)")
            } catch { #expect(!error.rendered.contains("hid")) }
        }
    }
}
