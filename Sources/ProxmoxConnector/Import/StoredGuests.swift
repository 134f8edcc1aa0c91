import Basics
import Connectors
import Guests
import Manifests
import Primitives
import Streams

/// The guests of an archive, as its manifest lists them.
struct StoredGuests: Sendable {
    struct Disk: Sendable {
        /// Of the configuration, such as `scsi0`.
        let key: String
        let artifact: Int
        let record: ArtifactRecord
        /// Bytes.
        let size: Int64
        /// `sha256-tree-1m` of its visible bytes.
        let digest: Digest256
        /// Where each segment begins.
        let offsets: [Int64]
    }

    /// A small file: a configuration, a description.
    struct Text: Sendable {
        let artifact: Int
        let record: ArtifactRecord
    }

    struct Guest: Sendable {
        /// 0 for disks without a guest.
        let id: Int64
        /// As vzdump wrote it; nil where the archive has none.
        let configuration: GuestConfiguration?
        /// What the exporter knew of it: `id`, `type`, `name`, `node`, `backup`, `devices`.
        let description: JSON
        /// The rules of its firewall; empty where there are none.
        let firewall: [UInt8]?
        let texts: [String: Text]
        let disks: [Disk]
        /// The stream of vzdump, where the archive has it.
        let stream: Disk?

        /// Disks that no guest is known of: images without anything beside them.
        var isBare: Bool { id == 0 }
        var name: String { description["name"]?.string ?? "" }
        var isContainer: Bool { description["type"]?.string == GuestEntry.Kind.container.rawValue }

        var title: String {
            (isContainer ? "container" : "VM") + " \(id)" + (name.isEmpty ? "" : " \"\(name)\"")
        }
    }

    let guests: [Guest]
    /// The documents of the cluster's configuration.
    let cluster: Text?
    /// Files of its nodes.
    let clusterFiles: Text?

    /// Largest text that is held in memory.
    static let largestText: Int64 = 16 << 20

    init(_ source: SourceRecord, from artifacts: any ArtifactSource) throws(Failure) {
        if source.kind == DiskImagesExporter.kind {
            guests = [try Self.bare(source)]
            cluster = nil
            clusterFiles = nil
            return
        }
        var guests: [Int64: [(part: String, index: Int, record: ArtifactRecord)]] = [:]
        var order: [Int64] = []
        var cluster: Text?
        var clusterFiles: Text?
        for (index, record) in source.artifacts.enumerated() {
            if record.kind == "cluster-configuration" {
                cluster = Text(artifact: index, record: record)
                continue
            }
            if record.kind == "cluster-files" {
                clusterFiles = Text(artifact: index, record: record)
                continue
            }
            let parts = record.name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let id = Int64(parts[0]), id > 0, String(id) == parts[0],
                Self.isPart(parts[1])
            else { throw Self.malformed("no guest has an artifact \"\(record.name)\"") }
            if guests[id] == nil { order.append(id) }
            guests[id, default: []].append((String(parts[1]), index, record))
        }
        self.cluster = cluster
        self.clusterFiles = clusterFiles
        self.guests = try order.map { (id) throws(Failure) in
            try Self.guest(id, guests[id] ?? [], artifacts)
        }
    }

    private static func bare(_ source: SourceRecord) throws(Failure) -> Guest {
        var disks: [Disk] = []
        for (index, record) in source.artifacts.enumerated() {
            let parts = record.name.split(separator: "/", omittingEmptySubsequences: false)
            guard record.kind == "disk", parts.count == 2, parts[0] == "disks", isPart(parts[1])
            else { throw malformed("there is no disk \"\(record.name)\"") }
            disks.append(try disk(String(parts[1]), index, record))
        }
        guard Set(disks.map(\.key)).count == disks.count else {
            throw malformed("an archive has a disk twice")
        }
        return Guest(
            id: 0, configuration: nil, description: .object([]), firewall: nil, texts: [:],
            disks: disks, stream: nil)
    }

    private static func guest(
        _ id: Int64, _ parts: [(part: String, index: Int, record: ArtifactRecord)],
        _ artifacts: any ArtifactSource
    ) throws(Failure) -> Guest {
        var texts: [String: Text] = [:]
        var disks: [Disk] = []
        var stream: Disk?
        for (part, index, record) in parts {
            // A disk that was gone when its turn came has an omission, and no bytes.
            if record.digests.isEmpty { continue }
            switch record.kind {
            case "disk":
                guard part.first?.isLetter == true, part.last?.isNumber == true else {
                    throw malformed("no disk is named \"\(record.name)\"")
                }
                disks.append(try disk(part, index, record))
            case "vzdump", "container": stream = try disk(part, index, record)
            default:
                guard record.plainBytes <= largestText else {
                    throw malformed("\"\(record.name)\" is larger than any of its kind")
                }
                texts[part] = Text(artifact: index, record: record)
            }
        }
        guard let text = texts["guest"] else {
            throw malformed("guest \(id) has no description")
        }
        let description = try JSON(parsing: text.read(from: artifacts))
        guard description["id"]?.integer == id else {
            throw malformed("the description of guest \(id) is of another one")
        }
        guard let kind = description["type"]?.string.flatMap({ GuestEntry.Kind(rawValue: $0) }),
            description["name"]?.string != nil
        else { throw malformed("the description of guest \(id) is not right") }
        guard Set(parts.map(\.part)).count == parts.count else {
            throw malformed("guest \(id) has a part twice")
        }
        let isContainer = kind == .container
        guard disks.isEmpty || !isContainer else {
            throw malformed("container \(id) has disks of a machine")
        }
        let configuration = try texts["configuration"].map { (text) throws(Failure) in
            try GuestConfiguration(
                kind: isContainer ? .lxc : .qemu, file: text.read(from: artifacts))
        }
        let firewall = try texts["firewall"].map { (text) throws(Failure) in
            try text.read(from: artifacts)
        }
        return Guest(
            id: id, configuration: configuration, description: description, firewall: firewall,
            texts: texts,
            disks: disks, stream: stream)
    }

    private static func disk(
        _ key: String, _ index: Int, _ record: ArtifactRecord
    ) throws(Failure) -> Disk {
        guard let size = record.counts.first(where: { $0.key == "bytes" })?.value.integer,
            let digest = record.digests.first(where: { $0.key == "sha256-tree-1m" })?.value.string
                .flatMap({ Digest256(hex: $0) }), size >= 0, size == record.plainBytes
        else { throw malformed("the size or the digest of \"\(record.name)\" is not right") }
        var offsets: [Int64] = []
        var offset: Int64 = 0
        for segment in record.segments {
            guard offset % TreeDigest.leafSize == 0 else {
                throw malformed("a segment of \"\(record.name)\" begins where none can")
            }
            offsets.append(offset)
            offset += segment.plainBytes
        }
        return Disk(
            key: key, artifact: index, record: record, size: size, digest: digest, offsets: offsets)
    }

    /// Parts become names of files.
    static func isPart(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 32
            && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
    }

    static func malformed(_ what: String) -> Failure {
        Failure(
            .guestContent, what, hint: "The archive was not made by exeat, or by a later release.")
    }
}

extension StoredGuests.Text {
    /// The whole text; at most `StoredGuests.largestText`.
    func read(from artifacts: any ArtifactSource) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = Chunk()
        for segment in record.segments.indices {
            let stream = try artifacts.open(record, segment: segment)
            repeat {
                try stream.read(into: &chunk)
                try unsafe chunk.withBytes { (part) throws(Failure) in
                    unsafe bytes.append(contentsOf: part)
                }
            } while !chunk.isEmpty
        }
        guard let digest = record.digests.first(where: { $0.key == "sha256" })?.value.string,
            SHA256.hash(bytes).hex == digest
        else {
            throw StoredGuests.malformed("\"\(record.name)\" is not what its digest says")
        }
        return bytes
    }
}
