import Basics
import Plans

/// How backups come from the nodes to this machine: exactly one way.
enum TransportSettings: Sendable {
    /// A storage of the cluster that is mounted on this machine too.
    case directory(storage: String, mount: String)
    /// A storage of a node, read by SFTP.
    case sftp(storage: String, SSHSettings)
    /// `vzdump --stdout` on the node itself, as root.
    case ssh(SSHSettings)

    /// The storage that backups are written to.
    var storage: String? {
        switch self {
        case .directory(let storage, _), .sftp(let storage, _): storage
        case .ssh: nil
        }
    }

    static let shape = PlanShape(optional: ["directory", "sftp", "ssh"])
    private static let directoryShape = PlanShape(required: ["storage", "mount"])

    init?(_ mapping: PlanMapping?, _ problems: PlanProblems) {
        guard let mapping else { return nil }
        let given = Self.shape.keys.filter { mapping[$0] != nil }
        guard given.count == 1 else {
            problems.add(
                .planInvalidValue, "name exactly one transport: directory, sftp or ssh",
                atKeyOf: mapping.node)
            return nil
        }
        if let directory = mapping.mapping("directory", Self.directoryShape) {
            guard let storage = directory.string("storage"), let mount = directory.path("mount")
            else { return nil }
            self = .directory(storage: storage, mount: mount)
        } else if let sftp = mapping.mapping(
            "sftp", PlanShape(required: ["storage"], optional: SSHSettings.keys))
        {
            guard let storage = sftp.string("storage") else { return nil }
            self = .sftp(storage: storage, SSHSettings(sftp, problems))
        } else if let ssh = mapping.mapping("ssh", PlanShape(optional: SSHSettings.keys)) {
            self = .ssh(SSHSettings(ssh, problems))
        } else {
            return nil
        }
    }
}

/// A login at the nodes of a cluster.
struct SSHSettings: Sendable {
    var user: String?
    /// The file of a private key; unless given, what the agent has.
    var key: String?
    var port: Int64
    var knownHosts: String?
    /// Addresses of nodes, where they are not what the cluster calls them.
    var hosts: [String: String]
    /// Where the storage is as the login sees it, where that is not what the node sees.
    var path: String?

    static let keys = ["user", "key", "port", "known-hosts", "hosts", "path"]

    init(_ mapping: PlanMapping, _ problems: PlanProblems) {
        user = mapping.string("user")
        key = mapping.path("key")
        port = mapping.integer("port", in: 1...65535) ?? 22
        knownHosts = mapping.path("known-hosts")
        path = mapping.has("path") ? mapping.string("path") : nil
        hosts = [:]
        for entry in mapping.entries("hosts") ?? [] {
            hosts[entry.key] = entry.node.string(problems)
        }
    }
}
