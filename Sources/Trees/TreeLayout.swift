import Archives
import Basics
import Glibc

/// One object of the inventory, as the private layout file keeps it.
enum LayoutRecord {
    /// Exported whole, inside one segment. `group` identifies the inode when it has several names.
    /// `bytes` is what its data took at the time of the inventory.
    case entry(path: [UInt8], kind: WalkedKind, group: InodeIdentity?, bytes: Int64)
    /// A further name of an inode whose first name in path order is `target`.
    case link(path: [UInt8], target: [UInt8], group: InodeIdentity)
    /// A file that is cut into parts: its size and data are fixed here.
    case large(LargeFile)
    case omission(path: [UInt8], type: String, reason: String, detail: String, accepted: Bool)

    /// What it takes in the stream, roughly.
    var streamBytes: Int64 {
        switch self {
        case .entry(_, _, _, let bytes): TreeLayout.headerEstimate + bytes
        case .link, .large: TreeLayout.headerEstimate
        case .omission: 0
        }
    }

    /// Its path, when further names of the same inode refer to it.
    var firstName: [UInt8]? {
        switch self {
        case .entry(let path, _, let group, _): group == nil ? nil : path
        case .large(let file): file.group == nil ? nil : file.path
        case .link, .omission: nil
        }
    }

    /// The inode, when it has several names.
    var group: InodeIdentity? {
        switch self {
        case .entry(_, _, let group, _): group
        case .link(_, _, let group): group
        case .large(let file): file.group
        case .omission: nil
        }
    }

    var path: [UInt8] {
        switch self {
        case .entry(let path, _, _, _), .link(let path, _, _), .omission(let path, _, _, _, _): path
        case .large(let file): file.path
        }
    }
}

extension LayoutRecord {
    /// Kind, path and target of an entry, for notes about it; nil for an omission.
    var outline: Entry? {
        switch self {
        case .entry(let path, let kind, _, _):
            return Entry.Kind(rawValue: kind.rawValue).map { Entry(path: path, kind: $0) }
        case .link(let path, let target, _):
            var entry = Entry(path: path, kind: .hardlink)
            entry.target = target
            return entry
        case .large(let file): return Entry(path: file.path, kind: .file)
        case .omission: return nil
        }
    }
}

struct InodeIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: stat) {
        self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

/// A file over `TreeLayout.inlineLimit` as the inventory saw it.
struct LargeFile: Sendable {
    let path: [UInt8]
    let group: InodeIdentity?
    let identity: FileIdentity
    /// Where the data lies; one extent over everything for a file without holes.
    let extents: [Extent]
    let hasHoles: Bool

    var size: Int64 { identity.size }
}

/// What one segment of the tree's stream holds.
enum SegmentContent: Equatable, Sendable {
    /// The records of the layout file in `from ..< to`; a large file's record stands for its header.
    case entries(from: Int64, to: Int64)
    /// The data of the large file at `record` whose visible offsets are in `from ..< to`.
    case part(record: Int64, from: Int64, to: Int64)
}

/// The private files of an inventory: `layout` (records in path order) and `segments`.
struct TreeLayout: Sendable {
    let directory: String

    /// Files with more data than this are cut into parts.
    static let inlineLimit = TreeTarget.largestSimpleFile
    /// A part covers at most this much data, and no segment is larger. Where there are holes, a cut
    /// is up to a leaf beside the ideal place.
    static func partSize(hasHoles: Bool) -> Int64 { hasHoles ? 254 << 20 : 256 << 20 }
    /// What a header with its extended header takes, roughly.
    static let headerEstimate: Int64 = 1536
    /// Lines in one segment of the index.
    static let indexLines: Int64 = 50_000

    var recordsPath: String { directory + "/layout" }
    var segmentsPath: String { directory + "/segments" }
    var indexPath: String { directory + "/index" }
    func rangePath(_ range: Int) -> String { directory + "/range-\(range)" }
    func notesPath(_ segment: Int) -> String { directory + "/notes-\(segment)" }
    func filterNotesPath(_ segment: Int) -> String { directory + "/filter-notes-\(segment)" }

    /// How much plaintext a segment should hold: small enough for even work at the end of a run,
    /// large enough that commits cost nothing.
    static func segmentTarget(total: Int64) -> Int64 {
        min(max(total / 64, 16 << 20), 128 << 20)
    }
}

// MARK: - Records on disk

extension RecordWriter {
    mutating func append(_ record: LayoutRecord) throws(Failure) {
        switch record {
        case .entry(let path, let kind, let group, let bytes):
            try append(UInt8(group == nil ? 0 : 1))
            try append(counted: path)
            try append(UInt8(WalkedKind.allCases.firstIndex(of: kind) ?? 0))
            try append(bytes)
            if let group { try append(group) }
        case .link(let path, let target, let group):
            try append(UInt8(2))
            try append(counted: path)
            try append(counted: target)
            try append(group)
        case .large(let file):
            try append(UInt8(file.group == nil ? 3 : 4))
            try append(counted: file.path)
            if let group = file.group { try append(group) }
            try append(file.identity)
            try append(UInt8(file.hasHoles ? 1 : 0))
            try append(UInt32(file.extents.count))
            for extent in file.extents {
                try append(extent.offset)
                try append(extent.length)
            }
        case .omission(let path, let type, let reason, let detail, let accepted):
            try append(UInt8(5))
            try append(counted: path)
            try append(counted: type.utf8)
            try append(counted: reason.utf8)
            try append(counted: detail.utf8)
            try append(UInt8(accepted ? 1 : 0))
        }
    }

    private mutating func append(_ group: InodeIdentity) throws(Failure) {
        try append(group.device)
        try append(group.inode)
    }

    private mutating func append(_ identity: FileIdentity) throws(Failure) {
        try append(identity.device)
        try append(identity.inode)
        try append(identity.size)
        try append(identity.modified.seconds)
        try append(identity.modified.nanoseconds)
        try append(identity.changed.seconds)
        try append(identity.changed.nanoseconds)
    }
}

extension RecordReader {
    mutating func record() throws(Failure) -> LayoutRecord {
        let tag = try number(UInt8.self)
        let path = try array()
        switch tag {
        case 0, 1:
            let kind = WalkedKind.allCases[Int(try number(UInt8.self)) % WalkedKind.allCases.count]
            let bytes = try number(Int64.self)
            return .entry(
                path: path, kind: kind, group: tag == 1 ? try group() : nil, bytes: bytes)
        case 2:
            let target = try array()
            return .link(path: path, target: target, group: try group())
        case 3, 4:
            let group = tag == 4 ? try group() : nil
            let identity = try identity()
            let hasHoles = try number(UInt8.self) == 1
            var extents: [Extent] = []
            for _ in 0..<(try number(UInt32.self)) {
                let offset = try number(Int64.self)
                extents.append(Extent(offset: offset, length: try number(Int64.self)))
            }
            return .large(
                LargeFile(
                    path: path, group: group, identity: identity, extents: extents,
                    hasHoles: hasHoles))
        default:
            let type = String(decoding: try counted(), as: UTF8.self)
            let reason = String(decoding: try counted(), as: UTF8.self)
            let detail = String(decoding: try counted(), as: UTF8.self)
            return .omission(
                path: path, type: type, reason: reason, detail: detail,
                accepted: try number(UInt8.self) == 1)
        }
    }

    private mutating func group() throws(Failure) -> InodeIdentity {
        let device = try number(UInt64.self)
        return InodeIdentity(device: device, inode: try number(UInt64.self))
    }

    private mutating func identity() throws(Failure) -> FileIdentity {
        let device = try number(UInt64.self)
        let inode = try number(UInt64.self)
        let size = try number(Int64.self)
        return FileIdentity(
            device: device, inode: inode, size: size, modified: try time(), changed: try time())
    }

    private mutating func time() throws(Failure) -> FileTime {
        let seconds = try number(Int64.self)
        return FileTime(seconds: seconds, nanoseconds: try number(Int32.self))
    }
}
