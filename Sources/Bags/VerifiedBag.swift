public import Basics
public import Primitives
public import Streams

/// The files of a bag, for whoever replays or unpacks them.
public protocol BagContents: Sendable {
    /// The plain files, in the order of the storage.
    var entries: [BagEntry] { get }
    /// Throws `.bagFileMissing` when there is no such file. Blocks: read it on a `Lane`.
    func source(of path: BagPath) throws(Failure) -> BagSource
}

extension BagContents {
    /// A whole small file; one longer than `limit` is `.invalidValue`.
    public func read(_ path: BagPath, limit: Int = 64 << 20) throws(Failure) -> [UInt8] {
        var source = try source(of: path)
        var chunk = Chunk(capacity: 1 << 16)
        var bytes: [UInt8] = []
        while true {
            try source.read(into: &chunk)
            if chunk.isEmpty { return bytes }
            guard bytes.count + chunk.count <= limit else {
                throw Failure(.invalidValue, "\"\(path)\" is longer than \(limit) bytes")
            }
            try unsafe chunk.withBytes { (part) throws(Failure) in
                unsafe bytes.append(contentsOf: part)
            }
        }
    }
}

/// The bytes of a file of a bag. From a verified bag they are held against the sealed digest once
/// more: a file that was changed after the verification throws `.digestMismatch` instead of ending.
public struct BagSource: ByteSource, ~Copyable {
    /// How many bytes the file has.
    public let size: Int64
    var plain: FileSource?
    var checked: Checked<FileSource>?

    init(plain source: consuming FileSource, size: Int64) {
        self.size = size
        plain = consume source
        checked = nil
    }

    init(checked source: consuming Checked<FileSource>, size: Int64) {
        self.size = size
        plain = nil
        checked = consume source
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        try plain?.read(into: &chunk)
        try checked?.read(into: &chunk)
    }
}

/// A bag that passed: the only way to one is `Bag.verified(by:workers:progress:)`.
public struct VerifiedBag: BagContents {
    public let report: VerificationReport
    public let seal: Seal
    private let index: [BagPath: (size: Int64, digest: Digest256)]
    private let storage: any BagStorage

    init(
        report: VerificationReport, seal: Seal, digests: [BagPath: Digest256],
        storage: any BagStorage
    ) {
        self.report = report
        self.seal = seal
        self.storage = storage
        var index: [BagPath: (size: Int64, digest: Digest256)] = [:]
        for entry in storage.entries {
            if let digest = digests[entry.path] { index[entry.path] = (entry.size, digest) }
        }
        self.index = index
    }

    public var entries: [BagEntry] { storage.entries }

    /// The sealed SHA-256 of a file's stored bytes.
    public func digest(of path: BagPath) -> Digest256? { index[path]?.digest }

    public func source(of path: BagPath) throws(Failure) -> BagSource {
        guard let (size, digest) = index[path] else {
            throw Failure(.bagFileMissing, "\"\(path)\" is not in the bag")
        }
        let source = try storage.source(of: BagEntry(path: path, size: size))
        return BagSource(
            checked: Checked(source, size: size, sha256: digest, name: path.text), size: size)
    }
}

/// A bag that nobody verified, for looking into it; what it gives may be forged.
public struct UnverifiedBag: BagContents {
    private let sizes: [BagPath: Int64]
    private let storage: any BagStorage

    init(storage: any BagStorage) {
        self.storage = storage
        var sizes: [BagPath: Int64] = [:]
        for entry in storage.entries { sizes[entry.path] = entry.size }
        self.sizes = sizes
    }

    public var entries: [BagEntry] { storage.entries }

    public func source(of path: BagPath) throws(Failure) -> BagSource {
        guard let size = sizes[path] else {
            throw Failure(.bagFileMissing, "\"\(path)\" is not in the bag")
        }
        let source = try storage.source(of: BagEntry(path: path, size: size))
        return BagSource(plain: source, size: size)
    }
}
