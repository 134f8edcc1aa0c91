import Basics
import Connectors
import Disks
import Manifests
import Streams

/// Holds what a backup of a new container has against what the archive has of the old one, object by
/// object: type, content, size, permissions, owners, time, links, extended attributes and ACLs.
struct ContainerProof {
    struct Result: Sendable {
        let comparison: TarComparison
        /// Objects below /dev that the archive has.
        let deviceCount: Int64
        /// Objects that the target leaves out of every backup.
        let unreadCount: Int64
        /// Directories that a server has made by itself, and what they should be.
        let made: [MadeDirectory]
    }

    /// A directory that volumes are mounted at or below: a server makes it before it unpacks, and its
    /// owner and permissions stay those of any new directory.
    struct MadeDirectory: Sendable, Equatable {
        let path: [UInt8]
        let mode: UInt32
        let owner: UInt64
        let group: UInt64
        let hasAttributes: Bool

        init(_ member: TarMember) {
            path = member.path
            (mode, owner, group) = (member.mode, member.owner, member.group)
            hasAttributes = !member.attributes.isEmpty
        }

        /// As a server makes it.
        var isPlain: Bool { mode == 0o755 && owner == 0 && group == 0 && !hasAttributes }
    }

    /// Directories that a server makes before it unpacks, and then leaves as they are: the root, and
    /// those that volumes are mounted at, with all above them.
    let made: Set<[UInt8]>
    /// What the target leaves out of every backup, as vzdump.conf names it.
    let unread: ExcludedPaths
    /// For the ledgers.
    let directory: String
    let progress: Progress

    /// Differences that are named one by one.
    private static let mostNamed = 1000

    /// - Parameter mounts: paths inside the container, such as `/var/lib/data`.
    init(mounts: [String], unread: ExcludedPaths, directory: String, progress: Progress) {
        self.directory = directory
        self.progress = progress
        self.unread = unread
        var made: Set<[UInt8]> = [[0x2e]]
        for mount in mounts {
            let parts = mount.utf8.split(separator: 0x2f)
            for count in parts.indices {
                made.insert(Array(parts[...count].joined(separator: [0x2f])))
            }
        }
        self.made = made
    }

    func compare(
        _ archive: consuming some ByteSource & ~Copyable,
        _ target: consuming some ByteSource & ~Copyable
    ) throws(Failure) -> Result {
        var plain: Set<[UInt8]> = []
        var found = try TarLedger(in: directory + "/found")
        try found.read(target, progress: progress) { member in
            guard keep(&member) else { return .nothing }
            if isMade(member), MadeDirectory(member).isPlain { plain.insert(member.path) }
            return unread.matches(member.path) ? .nothing : .all
        }
        var (devices, left): (Int64, Int64) = (0, 0)
        var differing: [MadeDirectory] = []
        var expected = try TarLedger(in: directory + "/expected")
        try expected.read(archive, progress: progress) { member in
            if member.isWithin("dev") { devices += 1 }
            guard keep(&member) else { return .nothing }
            if unread.matches(member.path) {
                left += 1
                // A name that is left out does not hide what others of the same object show.
                return .otherNames
            }
            if isMade(member), plain.contains(member.path), !MadeDirectory(member).isPlain {
                differing.append(MadeDirectory(member))
                (member.mode, member.owner, member.group) = (0o755, 0, 0)
                member.attributes = []
            }
            return .all
        }
        return Result(
            comparison: try TarLedger.compare(expected, found, limit: Self.mostNamed),
            deviceCount: devices, unreadCount: left, made: differing)
    }

    private func isMade(_ member: TarMember) -> Bool {
        member.kind == .directory && made.contains(member.path)
    }

    /// What a server changes when it unpacks a container, read from the sources of pve-container
    /// (`PVE::LXC::Create`): it leaves `./dev/*` out, takes the configuration out of `etc/vzdump`, which
    /// changes the time of `etc`, and has tar skip what is there before.
    private func keep(_ member: inout TarMember) -> Bool {
        if member.isWithin("dev") || member.isWithin("etc/vzdump") { return false }
        if made.contains(member.path) || member.path.elementsEqual("etc".utf8) {
            member.modified = (0, 0)
        }
        // Others belong to the host's policy (labels), and vzdump does not ask for them.
        member.attributes = member.attributes.filter { attribute in
            ["SCHILY.xattr.user.", "SCHILY.xattr.security.capability", "SCHILY.acl."].contains {
                attribute.name.starts(with: $0.utf8)
            }
        }
        return true
    }

    static func notCompared(_ devices: Int64) -> String {
        "not compared: \(devices) objects of /dev, which Proxmox VE does not unpack, "
            + "/etc/vzdump, where its configuration is, and the times of /, /etc and mount points"
    }
}

/// All segments of an artifact as one stream.
struct StoredStream: ByteSource, ~Copyable {
    private let record: ArtifactRecord
    private let artifacts: any ArtifactSource
    private var next = 0
    private var segment: SegmentStream?

    init(_ record: ArtifactRecord, from artifacts: any ArtifactSource) {
        self.record = record
        self.artifacts = artifacts
    }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        while true {
            if let segment {
                try segment.read(into: &chunk)
                if !chunk.isEmpty { return }
            }
            guard next < record.segments.count else {
                chunk.removeAll()
                return
            }
            segment = try artifacts.open(record, segment: next)
            next += 1
        }
    }
}
