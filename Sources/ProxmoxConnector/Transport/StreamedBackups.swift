import Basics
import Connectors
import Disks
import Guests
import Streams

/// Backups that `vzdump --stdout` writes right into an SSH connection: no room is needed on the
/// cluster, and nothing is left there.
///
/// The stream cannot be read again, and only its end tells that it is good.
struct StreamedBackups: BackupProvider {
    let canReadAgain = false

    let reader: ClusterReader
    let settings: ProxmoxSettings
    let ssh: SSHSettings
    let room: Room

    func open(_ guest: PlannedGuest, in directory: String) throws(Failure) -> OpenBackup {
        let node = try reader.node(of: guest.id)
        let command = try command(guest, node)
        let began = room.world.now()
        let facts: [JSON.Member] = [
            .init("node", .string(node)), .init("began", .string(began.text)),
            .init("taken", .string(Self.stamp(began))),
            .init("mode", .string(settings.mode.rawValue)),
            .init("version", .string(reader.version.description)),
        ]
        let isCompressed = settings.compress == .zstd
        return OpenBackup(facts: facts) { () throws(Failure) in
            let source = try CommandSource(command, package: "openssh-client") { status in
                Self.failure(status, guest, node)
            }
            if isCompressed { return SegmentStream(try Decompressing(source, size: nil)) }
            return SegmentStream(source)
        }
    }

    /// What ssh's status means: 255 is its own, every other one that of vzdump.
    ///
    /// Source: ssh(1), "EXIT STATUS".
    private static func failure(_ status: Int32, _ guest: PlannedGuest, _ node: String) -> Failure {
        if status == 255 || status < 0 || status > 128 {
            return Failure(
                .serverUnreachable,
                "the connection to \(node) was lost in the middle of the backup of \(guest.title)",
                hint: "Run the same command again: this guest begins anew.")
        }
        return Failure(
            .serverTaskFailed, "vzdump of \(guest.title) on \(node) ended with status \(status)",
            hint: "Look at what it says below, then run the same command again.")
    }

    /// `ssh … vzdump 100 --stdout`; ssh joins its arguments for a shell, and none of them needs quotes.
    private func command(_ guest: PlannedGuest, _ node: String) throws(Failure) -> Command {
        guard let knownHosts = ssh.knownHosts else {
            throw Failure(
                .planMissingValue, "the transport names no \"known-hosts\"",
                hint:
                    "Make the file with ssh-keyscan, and compare its keys with those of the nodes.")
        }
        var arguments = [
            "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
            "-o", "UserKnownHostsFile=\(knownHosts)", "-o", "ServerAliveInterval=15",
            "-o", "ServerAliveCountMax=4", "-p", String(ssh.port),
        ]
        if let key = ssh.key { arguments += ["-i", key, "-o", "IdentitiesOnly=yes"] }
        let host = ssh.hosts[node] ?? node
        arguments += ["--", "\(ssh.user ?? "root")@\(host)"]
        arguments += ["vzdump", String(guest.id), "--stdout", "--mode", settings.mode.rawValue]
        if settings.compress == .zstd { arguments += ["--compress", "zstd"] }
        if guest.kind == .container { arguments += ["--stdexcludes", "0"] }
        if let fleecing = settings.fleecing, guest.kind == .machine, reader.version.has(.fleecing) {
            let isPlain = fleecing.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0)
                    || (0x61...0x7a).contains($0) || "._-".utf8.contains($0)
            }
            guard isPlain else {
                throw Failure(.planInvalidValue, "\"\(fleecing)\" is no name of a storage")
            }
            arguments += ["--fleecing", "enabled=1,storage=\(fleecing)"]
        }
        return Command("ssh", arguments)
    }

    /// As vzdump puts it into names.
    private static func stamp(_ time: Timestamp) -> String {
        let text = time.text.prefix(19)
        return String(
            text.map { $0 == "T" ? "-" : $0 == ":" || $0 == "-" ? "_" : $0 })
    }

    func discard(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? { nil }

    func finish(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? { nil }
}
