import Basics
import Guests
import HTTP
import TestKit
import Testing

@testable import ProxmoxConnector

@Suite("Privileges")
struct PrivilegeTests {
    typealias Rule = ScriptedServer.Rule

    private func granted(_ path: String, _ names: [(String, Int)]) -> Rule {
        let members = names.map { JSON.Member($0.0, .integer(Int64($0.1))) }
        return .answer(
            "GET /api2/json/access/permissions?path=\(PercentEncoding.encode(path))",
            .object([JSON.Member(path, .object(members))]))
    }

    private func separation(_ flag: JSON) -> Rule {
        .answer("GET /api2/json/access/users/exeat%40pve/token/export", ["privsep": flag])
    }

    private let needed = [
        NeededPrivilege("VM.Backup", on: "/vms/100", for: "back up the guest 100"),
        NeededPrivilege("VM.Audit", on: "/vms/100", for: "read the guest 100"),
        NeededPrivilege("Sys.Audit", on: "/", propagates: true, for: "read the nodes"),
        NeededPrivilege(
            anyOf: ["Datastore.AllocateSpace", "Datastore.Allocate"], on: "/storage/a b",
            for: "write backups"),
    ]

    @Test("What is granted, by either of two privileges and inherited, is not missing")
    func complete() throws {
        let server = try ScriptedServer([
            granted("/vms/100", [("VM.Backup", 1), ("VM.Audit", 0)]),
            granted("/storage/a b", [("Datastore.Allocate", 1)]),
            // Last, for it matches the start of every path.
            granted("/", [("Sys.Audit", 1)]),
        ])
        let check = try PrivilegeCheck(needed, ProxmoxVersion(8, 4), server.client())
        #expect(check.missing.isEmpty)
        #expect(check.commands.isEmpty)
        #expect(server.lines.count == 3)
    }

    @Test("A role for a path alone hides nothing from what stands below, one that propagates does")
    func below() throws {
        let one = [
            NeededPrivilege("Datastore.Audit", on: "/storage", propagates: true, for: "read them")
        ]
        for (propagates, missing) in [(0, 0), (1, 1)] {
            let server = try ScriptedServer([
                granted("/storage", [("Datastore.Allocate", propagates), ("Datastore.Audit", 0)]),
                granted("/", [("Datastore.Audit", 1)]), separation(1),
            ])
            let check = try PrivilegeCheck(one, ProxmoxVersion(8, 4), server.client())
            #expect(check.missing.count == missing)
        }
    }

    @Test("What a pool gives is as good as what is granted on the guest")
    func byPool() throws {
        let one = NeededPrivilege(
            "VM.Allocate", on: "/vms/100", or: "/pool/dpi/rad", for: "make the guest 100")
        for (name, missing) in [("VM.Allocate", 0), ("VM.Audit", 1)] {
            let server = try ScriptedServer([
                granted("/vms/100", []), granted("/pool/dpi/rad", [(name, 0)]), separation(1),
            ])
            let check = try PrivilegeCheck([one], ProxmoxVersion(8, 4), server.client())
            #expect(check.missing.count == missing)
            #expect(check.commands.allSatisfy { !$0.contains("/pool") })
        }
    }

    @Test("What is missing is granted to the token and its user, and nothing else is")
    func missing() throws {
        let server = try ScriptedServer([
            granted("/vms/100", [("VM.Backup", 1)]), granted("/storage/a b", []),
            granted("/", [("Sys.Audit", 0)]), separation(1),
        ])
        let check = try PrivilegeCheck(needed, ProxmoxVersion(8, 4), server.client())
        #expect(
            check.missing.map(\.purpose) == [
                "read the guest 100", "read the nodes", "write backups",
            ])
        let commands = check.commands
        #expect(commands.count == 9)
        #expect(commands.filter { $0.hasPrefix("pveum role add Exeat-") }.count == 3)
        #expect(commands.contains { $0.hasSuffix("--privs \"Datastore.AllocateSpace\"") })
        #expect(
            commands.contains {
                $0.hasPrefix("pveum acl modify / --tokens 'exeat@pve!export' --roles Exeat-")
                    && $0.hasSuffix(" --propagate 1")
            })
        #expect(
            commands.contains {
                $0.hasPrefix("pveum acl modify '/storage/a b' --users exeat@pve --roles Exeat-")
                    && $0.hasSuffix(" --propagate 0")
            })
        // What is given on a path takes the place of what is inherited there.
        #expect(commands.contains { $0.hasSuffix("--privs \"VM.Audit VM.Backup\"") })
        // Roles stand before their use.
        let first = try #require(commands.firstIndex { $0.hasPrefix("pveum acl") })
        #expect(!commands[first...].contains { $0.hasPrefix("pveum role") })
        #expect(!commands.joined().contains("Datastore.Allocate\""))
    }

    @Test("A token without separation has what its user has, and root@pam has all")
    func owners() throws {
        let one = [NeededPrivilege("VM.Audit", on: "/vms/1", for: "x")]
        let shared = try ScriptedServer([granted("/vms/1", []), separation(0)])
        let commands = try PrivilegeCheck(one, ProxmoxVersion(8, 4), shared.client()).commands
        #expect(commands.count == 2)
        #expect(commands[1].contains("--users exeat@pve"))

        let root = try ScriptedServer([granted("/vms/1", [])])
        let token = ProxmoxCredentials.token(id: "root@pam!x", secret: Secret("abcd"))
        let grants = try PrivilegeCheck(one, ProxmoxVersion(8, 4), root.client(token)).commands
        #expect(grants.count == 2)
        #expect(grants[1].contains("--tokens 'root@pam!x'"))
    }

    @Test("Privileges that a version does not know are not asked for")
    func versions() throws {
        func names(_ version: ProxmoxVersion) -> [String]? {
            NeededPrivilege.guestAgent(fileRead: true, on: "/vms/1", version, for: "x")
                .adapted(to: version)?.anyOf
        }
        #expect(names(ProxmoxVersion(7, 4)) == ["VM.Monitor"])
        #expect(names(ProxmoxVersion(8, 4)) == ["VM.Monitor"])
        #expect(names(ProxmoxVersion(9, 0))?.first == "VM.GuestAgent.FileRead")
        let mapping = NeededPrivilege("Mapping.Audit", on: "/mapping", for: "x")
        #expect(mapping.adapted(to: ProxmoxVersion(7, 4)) == nil)
        #expect(mapping.adapted(to: ProxmoxVersion(8, 0)) == mapping)
    }

    @Test("Names in commands are quoted for a shell")
    func quoting() throws {
        let one = [NeededPrivilege("VM.Audit", on: "/pool/it's $(x)", for: "x")]
        let server = try ScriptedServer([granted("/pool/it's $(x)", []), separation(0)])
        let commands = try PrivilegeCheck(one, ProxmoxVersion(8, 4), server.client()).commands
        let words = try Shell.run(["sh", "-c", "printf '%s|' " + commands[1]]).text
        #expect(
            words.hasPrefix("pveum|acl|modify|/pool/it's $(x)|--users|exeat@pve|--roles|Exeat-"))
    }
}
