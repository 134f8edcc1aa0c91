import Basics
import Glibc
import HTTP
import Primitives
import Streams
import TestKit
import Testing

@testable import ProxmoxConnector

/// The client against the simulator of Proxmox VE, which holds each call against the API's schema.
@Suite("The client and the simulated server", .serialized)
struct SimulatorTests {
    private final class Server {
        let directory: TemporaryDirectory
        let program: BackgroundProgram
        let known: JSON
        let progress = Progress()

        /// Nil, with a line that says so, where the simulator or its schema is not there.
        init?(_ version: String) throws {
            let tests = Files.parent(of: Files.parent(of: #filePath))
            let folder =
                getenv("EXEAT_PVE_SIMULATOR").map { String(cString: $0) } ?? tests + "/Integration"
            guard Files.exists(folder + "/pve_simulator"), Vectors.folder("proxmox") != nil else {
                print("SKIPPED: the simulator of Proxmox VE is not there")
                return nil
            }
            directory = try TemporaryDirectory()
            program = try BackgroundProgram(
                ["python3", tests + "/Servers/pve_server.py", folder, directory.path, version],
                environment: ["EXEAT_VECTORS": Vectors.root ?? ""])
            known = try JSON(parsing: Array(program.line().utf8))
        }

        func text(_ key: String) -> String { known[key]?.string ?? "" }

        func client(_ credentials: ProxmoxCredentials? = nil) throws -> ProxmoxClient {
            let pin = try ServerTrust.fingerprint(text("fingerprint"))
            var settings = try HTTPSettings(text("url"), trust: .pinned([pin]))
            settings.proxy = .none
            let token = try ProxmoxCredentials.token(parsing: Secret(text("token")))
            return ProxmoxClient(
                settings, credentials ?? token, progress: progress, world: .real)
        }
    }

    @Test(
        "Versions are told, by token and by ticket with a second factor",
        arguments: ["7.4", "8.4", "9.2"])
    func versions(_ version: String) throws {
        guard let server = try Server(version) else { return }
        let found = try server.client().version()
        #expect("\(found.major).\(found.minor)" == version)
        let totp = try TOTP(Secret(server.text("totp")))
        let user = ProxmoxCredentials.password(
            user: "totp@pve", Secret("user-password"), second: .totp(totp))
        #expect(try server.client(user).version() == found)
        let without = ProxmoxCredentials.password(user: "totp@pve", Secret("user-password"))
        #expect(caught { _ = try server.client(without).version() }?.code == .serverRights)
        let wrong = ProxmoxCredentials.password(user: "exeat@pve", Secret("wrong-password"))
        #expect(caught { _ = try server.client(wrong).version() }?.code == .serverRights)
        let expired = try ProxmoxCredentials.token(parsing: Secret(server.text("expired")))
        let failure = caught { _ = try server.client(expired).version() }
        #expect(failure?.code == .serverRights)
        #expect(failure?.rendered.contains("expired") == true)
    }

    @Test(
        "The commands that a check prints grant what was missing", arguments: ["7.4", "8.4", "9.2"])
    func privileges(_ version: String) throws {
        guard let server = try Server(version) else { return }
        let client = try server.client()
        let found = try client.version()
        let needed = [
            NeededPrivilege("VM.Backup", on: "/vms/100", for: "back up"),
            NeededPrivilege("Sys.Audit", on: "/", propagates: true, for: "read"),
            NeededPrivilege("Datastore.AllocateSpace", on: "/storage/local", for: "write"),
            NeededPrivilege.guestAgent(fileRead: true, on: "/vms/100", found, for: "agent"),
        ]
        let check = try PrivilegeCheck(needed, found, client)
        #expect(check.missing == needed)
        for command in check.commands {
            server.program.send(command)
            #expect(server.program.line() == "done", "\(command)")
        }
        let after = try PrivilegeCheck(needed, found, client)
        #expect(after.missing.isEmpty, "\(after.missing)")
    }

    @Test(
        "Uploads arrive where the version takes them, and a wrong digest does not",
        arguments: ["7.4", "8.4"])
    func uploads(_ version: String) throws {
        guard let server = try Server(version) else { return }
        let root = ProxmoxCredentials.password(user: "root@pam", Secret("root-password"))
        let client = try server.client(root)
        var follower = TaskFollower(client)
        follower.pause = { usleep(UInt32(min($0, 50)) * 1000) }
        let upload = ContentUpload(
            client: client, follower: follower, version: try client.version())
        let node = server.text("node")
        let disk = [UInt8](repeating: 7, count: 3 << 20)
        func send(_ name: String, _ content: ContentUpload.Content, _ digest: Digest256) throws
            -> String
        {
            try upload.upload(
                MemorySource(disk), size: Int64(disk.count), digest: digest,
                to: .init(node: node, storage: "local", content: content, name: name))
        }
        #expect(try send("exeat-1.iso", .iso, SHA256.hash(disk)) == "local:iso/exeat-1.iso")
        #expect(caught { _ = try send("exeat-1.iso", .iso, SHA256.hash(disk)) }?.code == .exists)
        let wrong = caught { _ = try send("exeat-2.iso", .iso, SHA256.hash([])) }
        #expect(wrong?.code == .serverTaskFailed, "\(wrong?.rendered ?? "-")")
        if version == "8.4" {
            #expect(try send("exeat-1.raw", .disk, SHA256.hash(disk)) == "local:import/exeat-1.raw")
        } else {
            #expect(
                caught { _ = try send("exeat-1.raw", .disk, SHA256.hash(disk)) }?.code
                    == .unsupported)
        }
    }

    @Test("What is not there, not allowed and not known has its own code")
    func errors() throws {
        guard let server = try Server("8.4") else { return }
        let client = try server.client()
        let root = try server.client(.password(user: "root@pam", Secret("root-password")))
        let node = server.text("node")
        #expect(
            caught { _ = try root.get(["nodes", node, "qemu", "999", "config"]) }?.code == .notFound
        )
        let denied = caught { _ = try client.get(["nodes", node, "qemu", "999", "config"]) }
        #expect(denied?.code == .serverRights, "\(denied?.rendered ?? "-")")
        #expect(caught { _ = try root.get(["no", "such"]) }?.code == .unsupported)
        let bad = caught {
            _ = try root.post(["nodes", node, "vzdump"], ["vmid": "x", "nonsense": "1"])
        }
        #expect(bad?.code == .serverRefused)
        #expect(bad?.rendered.contains("nonsense") == true, "\(bad?.rendered ?? "-")")
    }
}
