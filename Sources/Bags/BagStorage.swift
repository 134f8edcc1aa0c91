public import Basics
public import Streams

/// A file of a bag: where it is, and how long.
public struct BagEntry: Sendable, Hashable {
    public let path: BagPath
    public let size: Int64

    public init(path: BagPath, size: Int64) {
        self.path = path
        self.size = size
    }
}

/// A fault that was found in a bag, and where.
public struct BagProblem: Sendable {
    /// The path in the bag, fit for printing; of a folder it ends with a slash.
    public let path: String
    public let failure: Failure

    public init(_ path: String, _ failure: Failure) {
        self.path = path
        self.failure = failure
    }

    public var json: JSON {
        [
            "path": .string(path), "code": .integer(Int64(failure.code.rawValue)),
            "word": .string(failure.code.word), "what": .string(failure.what),
        ]
    }
}

/// Where the files of a bag lie: a directory or a tar.
///
/// Listing has already refused everything but plain files with safe paths; what was refused is in
/// `problems`. Reading may go on on several lanes at once.
public protocol BagStorage: Sendable {
    /// The plain files, in the order of the storage (a directory: by path).
    var entries: [BagEntry] { get }
    /// What the listing found that has no place in a bag.
    var problems: [BagProblem] { get }
    /// The name the tar form carries; nil for a directory, whose name is free.
    var name: BagName? { get }
    /// The bytes of a file, exactly `entry.size` of them; blocks, so call it on a `Lane`.
    func source(of entry: BagEntry) throws(Failure) -> FileSource
}

/// What a hostile bag may make a reader remember.
enum BagLimit {
    /// 10 TB are 40 000 segments; beyond this number listing, tar and manifests are refused.
    static let files = 1_000_000
}

/// How a bag is kept.
public enum BagForm: String, Sendable {
    case directory
    case tar
}
