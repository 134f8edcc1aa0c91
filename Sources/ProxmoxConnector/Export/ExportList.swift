import Basics
import Connectors
import Manifests

/// What an export of guests consists of, fixed by the inventory and kept in the room.
struct ExportList: Sendable {
    /// Names what this run leaves on storages for a while.
    let run: String
    let moment: Moment
    let facts: JSON
    let counts: [JSON.Member]
    let guests: [PlannedGuest]
    /// What of the cluster itself is exported.
    let documents: [DocumentSet]
    let omissions: OmissionSummary

    /// An artifact by what it holds.
    struct Artifact: Sendable {
        enum Content: Sendable {
            case documents(DocumentSet)
            case guest(Int, GuestPart)
        }

        let content: Content
        let outline: ArtifactOutline
    }

    /// In an order that lets the nodes work side by side: the guests of all nodes in turn.
    func artifacts() -> [Artifact] {
        var artifacts: [Artifact] = []
        for set in documents {
            artifacts.append(
                Artifact(
                    content: .documents(set),
                    outline: ArtifactOutline(
                        name: set.kind.title, slug: set.kind.slug, kind: set.kind.rawValue,
                        legal: .digitalAsset, format: "jsonl", segments: 1, expected: set.count,
                        bytes: set.bytes)))
        }
        for (place, guest) in guests.enumerated() {
            for part in guest.parts {
                artifacts.append(
                    Artifact(content: .guest(place, part), outline: guest.outline(of: part)))
            }
        }
        return artifacts
    }

    var inventory: Inventory {
        let outlines = artifacts().map(\.outline)
        return Inventory(
            artifacts: outlines,
            objects: outlines.reduce(0) { $0 + $1.expected } + omissions.total, moment: moment,
            facts: facts, counts: counts)
    }
}

/// Lines of JSON in a file of the room, which tell of a cluster.
struct DocumentSet: Sendable {
    enum Kind: String, Sendable {
        case configuration = "cluster-configuration"
        case files = "cluster-files"

        /// Of the artifact, and of the file in the room.
        var slug: String { self == .configuration ? "cluster" : "cluster-files" }

        var title: String {
            self == .configuration ? "configuration of the cluster" : "files of the cluster"
        }
    }

    let kind: Kind
    let count: Int64
    let bytes: Int64

    init(_ kind: Kind, _ lines: [[UInt8]], count: Int) {
        self.kind = kind
        self.count = Int64(count)
        bytes = lines.reduce(0) { $0 + Int64($1.count) }
    }

    var fileName: String { kind.slug + ".jsonl" }

    var json: JSON {
        ["kind": .string(kind.rawValue), "count": .integer(count), "bytes": .integer(bytes)]
    }

    init?(_ json: JSON) {
        guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
            let count = json["count"]?.integer, let bytes = json["bytes"]?.integer
        else { return nil }
        self.kind = kind
        self.count = count
        self.bytes = bytes
    }
}

/// What is stored of a guest, each an artifact.
enum GuestPart: Sendable, Hashable {
    /// What it is and when it was taken, as JSON.
    case description
    /// The configuration as the hypervisor keeps it.
    case configuration
    /// Its firewall's rules; empty where there are none.
    case firewall
    case ovf
    case libvirt
    /// A disk by the key of the configuration, such as `scsi0`.
    case disk(String)
    /// All that vzdump writes, uncompressed: a VMA stream or a tar.
    case stream

    /// For the room, and for the name of the artifact.
    var word: String {
        switch self {
        case .description: "guest"
        case .configuration: "configuration"
        case .firewall: "firewall"
        case .ovf: "ovf"
        case .libvirt: "libvirt"
        case .disk(let key): key
        case .stream: "vzdump"
        }
    }
}

struct PlannedGuest: Sendable, Equatable {
    let id: Int64
    let kind: GuestEntry.Kind
    let name: String
    /// Where it was at the inventory.
    let node: String
    let pool: String?
    let disks: [PlannedDisk]
    /// Devices of the backup that the plan leaves out.
    let leftOut: [String]
    let isPortable: Bool
    let isNative: Bool
    /// Bytes of all that a backup carries, as the configuration says.
    let declaredBytes: Int64

    struct PlannedDisk: Sendable, Equatable {
        let key: String
        /// Its name in the backup.
        let device: String
        /// As the configuration declares it.
        let bytes: Int64
    }

    var title: String {
        (kind == .machine ? "VM" : "container") + " \(id)" + (name.isEmpty ? "" : " \"\(name)\"")
    }

    /// A folder for what is restored of it by hand.
    var folder: String { GuestFolder.name(id, name) }

    var parts: [GuestPart] {
        var parts: [GuestPart] = [.description, .configuration, .firewall]
        if kind == .machine, isPortable {
            parts += [.ovf, .libvirt]
            parts += disks.map { .disk($0.key) }
        }
        if kind == .container || isNative { parts.append(.stream) }
        return parts
    }

    var bytes: Int64 {
        isPortable ? disks.reduce(0) { $0 + $1.bytes } : declaredBytes
    }

    func outline(of part: GuestPart) -> ArtifactOutline {
        let (artifact, format, slug, bytes) =
            switch part {
            case .description: ("guest", "json", "guest", Int64(4096))
            case .configuration: ("guest-configuration", "conf", "configuration", 4096)
            case .firewall: ("guest-firewall", "fw", "firewall", 0)
            case .ovf: ("guest-ovf", "ovf", "ovf", 4096)
            case .libvirt: ("guest-libvirt", "xml", "libvirt", 4096)
            case .disk(let key):
                ("disk", "raw", "disk", disks.first { $0.key == key }?.bytes ?? 0)
            case .stream where kind == .container: ("container", "tar", "container", self.bytes)
            case .stream: ("vzdump", "vma", "vzdump", self.bytes)
            }
        return ArtifactOutline(
            name: "\(id)/\(part.word)", slug: slug, kind: artifact, legal: .digitalAsset,
            format: format, deferral: Deferral(group: String(id), queue: node), expected: 1,
            bytes: bytes)
    }
}

// MARK: - In the room

extension ExportList {
    func write(to path: String) throws(Failure) {
        let json: JSON = [
            "run": .string(run), "moment": .array([.string(moment.kind), .string(moment.value)]),
            "facts": facts, "counts": .object(counts), "guests": .array(guests.map(\.json)),
            "documents": .array(documents.map(\.json)), "omissions": omissions.json,
        ]
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    init(reading path: String) throws(Failure) {
        let json = try JSON(parsing: Files.read(path, limit: 1 << 28))
        guard let run = json["run"]?.string, let moment = json["moment"]?.array, moment.count == 2,
            let facts = json["facts"], let counts = json["counts"]?.members,
            let guests = json["guests"]?.array?.map({ PlannedGuest($0) }),
            let documents = json["documents"]?.array,
            let omissions = json["omissions"]
        else { throw Failure(.failed, "the inventory \"\(path)\" is damaged") }
        self.run = run
        self.moment = Moment(kind: moment[0].string ?? "", value: moment[1].string ?? "")
        self.facts = facts
        self.counts = counts
        self.guests = guests.compactMap { $0 }
        self.documents = documents.compactMap { DocumentSet($0) }
        self.omissions = try OmissionSummary(omissions)
    }
}

extension PlannedGuest {
    var json: JSON {
        [
            "id": .integer(id), "type": .string(kind.rawValue), "name": .string(name),
            "node": .string(node), "pool": pool.map { .string($0) } ?? .null,
            "leftOut": .array(leftOut.map { .string($0) }),
            "declared": .integer(declaredBytes), "portable": .bool(isPortable),
            "native": .bool(isNative),
            "disks": .array(
                disks.map {
                    [
                        "key": .string($0.key), "device": .string($0.device),
                        "bytes": .integer($0.bytes),
                    ]
                }),
        ]
    }

    init?(_ json: JSON) {
        guard let id = json["id"]?.integer,
            let kind = json["type"]?.string.flatMap({ GuestEntry.Kind(rawValue: $0) }),
            let name = json["name"]?.string, let node = json["node"]?.string,
            let isPortable = json["portable"]?.bool, let isNative = json["native"]?.bool,
            let disks = json["disks"]?.array, let leftOut = json["leftOut"]?.array,
            let declared = json["declared"]?.integer
        else { return nil }
        self.init(
            id: id, kind: kind, name: name, node: node, pool: json["pool"]?.string,
            disks: disks.compactMap { disk in
                guard let key = disk["key"]?.string, let device = disk["device"]?.string,
                    let bytes = disk["bytes"]?.integer
                else { return nil }
                return PlannedDisk(key: key, device: device, bytes: bytes)
            }, leftOut: leftOut.compactMap(\.string), isPortable: isPortable, isNative: isNative,
            declaredBytes: declared)
    }
}
