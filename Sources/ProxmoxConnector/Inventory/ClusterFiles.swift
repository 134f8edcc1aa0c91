import Basics
import HTTP
import Primitives
import Streams

/// Reads the files that hold a cluster's configuration, as root sees them by SFTP: the only form that
/// has snapshots, pending changes and comments of guests in full.
///
/// A file is a line of JSON: where it is, and its bytes in base64. Private keys and passwords are among
/// them, in more places than a list could name: such an archive is encrypted, and keeps secrets.
struct ClusterFiles {
    private let settings: SSHSettings
    private let progress: Progress
    private(set) var lines: [[UInt8]] = []
    /// What could not be read.
    private(set) var denied: [String] = []

    /// Shared by all nodes (pmxcfs).
    private static let shared = "/etc/pve"
    /// Of each node.
    private static let own = [
        "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/network/interfaces",
        "/etc/network/interfaces.d", "/etc/vzdump.conf", "/etc/default/pveproxy",
        "/etc/sysctl.conf", "/etc/sysctl.d", "/etc/modprobe.d", "/etc/fstab",
    ]
    private static let largestFile: Int64 = 8 << 20
    private static let mostFiles = 100_000

    init(_ settings: SSHSettings, _ progress: Progress) {
        self.settings = settings
        self.progress = progress
    }

    mutating func read(nodes: [String]) throws(Failure) {
        for (place, node) in nodes.enumerated() {
            let client = SFTPClient(try settings.sftp(node: node), progress: progress)
            if place == 0 { try read(Self.shared, as: "cluster", client, isRequired: true) }
            for path in Self.own { try read(path, as: node, client, isRequired: false) }
        }
    }

    private mutating func read(
        _ path: String, as owner: String, _ client: SFTPClient, isRequired: Bool
    ) throws(Failure) {
        let entries: [SFTPEntry]
        do throws(Failure) { entries = try client.list(path) } catch {
            if [.cancelled, .serverUnreachable, .serverUntrusted].contains(error.code) {
                throw error
            }
            // It is a file, or not there.
            if isRequired { throw error.during("cannot list \"\(path)\" of \(owner)") }
            return try readFile(path, as: owner, client)
        }
        for entry in entries {
            let inner = path + "/" + entry.name
            switch entry.kind {
            case .directory: try read(inner, as: owner, client, isRequired: true)
            case .file: try readFile(inner, as: owner, client)
            // Links of pmxcfs (local, qemu-server, lxc) lead to what is read elsewhere.
            case .link, .other: continue
            }
        }
    }

    private mutating func readFile(
        _ path: String, as owner: String, _ client: SFTPClient
    ) throws(Failure) {
        try progress.checkCancelled()
        guard lines.count < Self.mostFiles else {
            throw Failure(.unsupported, "\(owner) has more than \(Self.mostFiles) files below /etc")
        }
        let bytes: [UInt8]
        do throws(Failure) {
            var source = try client.open(path)
            bytes = try source.readAll(limit: Int(Self.largestFile))
        } catch {
            switch error.code {
            case .notFound: return
            case .denied, .serverRights:
                denied.append("\(owner):\(path)")
                return
            default: throw error.during("cannot read \"\(path)\" of \(owner)")
            }
        }
        let line: JSON = [
            "node": .string(owner), "path": .string(path),
            "sha256": .string(SHA256.hash(bytes).hex), "base64": .string(Base64.encode(bytes)),
        ]
        lines.append(line.canonical + [0x0a])
        progress.add(objects: 1)
    }
}
