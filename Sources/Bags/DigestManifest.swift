public import Basics
public import Primitives

/// A payload or tag manifest (RFC 8493, sections 2.1.3 and 2.2.1) in the one form we write: lower
/// case digest, two spaces, path, LF; sorted by the bytes of the path; nothing twice.
///
/// `sha256sum -c` reads the same file.
public struct DigestManifest: Sendable {
    public struct Line: Sendable, Hashable {
        public let path: BagPath
        public let digest: BagDigest

        public init(_ path: BagPath, _ digest: BagDigest) {
            self.path = path
            self.digest = digest
        }

        /// `<hex>  <path>\n`
        public var bytes: [UInt8] { Array("\(digest.hex)  \(path.text)\n".utf8) }
    }

    public enum Subject: String, Sendable {
        case payload = "manifest"
        case tags = "tagmanifest"

        /// The file's name: `manifest-sha256.txt`.
        public func path(_ algorithm: DigestAlgorithm) throws(Failure) -> BagPath {
            try BagPath("\(rawValue)-\(algorithm.rawValue).txt")
        }

        var malformed: Failure.Code {
            self == .payload ? .bagManifestMalformed : .bagTagManifestMalformed
        }
    }

    public let subject: Subject
    public let algorithm: DigestAlgorithm
    /// Sorted by path.
    public let lines: [Line]

    /// Sorts the lines; throws `.bagManifestDuplicate` for a path that comes twice.
    public init(
        _ subject: Subject, _ algorithm: DigestAlgorithm, _ lines: [Line]
    ) throws(Failure) {
        let sorted = lines.sorted { $0.path < $1.path }
        for (line, next) in zip(sorted, sorted.dropFirst()) where line.path == next.path {
            throw Failure(.bagManifestDuplicate, "\"\(line.path)\" is listed twice")
        }
        self.init(subject, algorithm, sorted: sorted)
    }

    init(_ subject: Subject, _ algorithm: DigestAlgorithm, sorted lines: [Line]) {
        self.subject = subject
        self.algorithm = algorithm
        self.lines = lines
    }

    /// Reads a whole manifest that is in memory.
    public init(
        parsing bytes: [UInt8], _ subject: Subject, _ algorithm: DigestAlgorithm
    ) throws(Failure) {
        var parser = DigestManifestParser(subject, algorithm)
        try Failure.catching { try unsafe bytes.withUnsafeBytes { try unsafe parser.read($0) } }
        self = try parser.finish()
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for line in lines { bytes += line.bytes }
        return bytes
    }
}

/// Reads a manifest chunk by chunk, so that only its lines stay in memory.
///
/// Strict: what `DigestManifest` would not write is `.bagManifestMalformed` or
/// `.bagTagManifestMalformed`; a path outside the alphabet has its own code, and so has a second
/// line for the same path (`.bagManifestDuplicate`).
public struct DigestManifestParser: Sendable {
    private let subject: DigestManifest.Subject
    private let algorithm: DigestAlgorithm
    private var lines: [DigestManifest.Line] = []
    private var buffer: LineBuffer

    public init(_ subject: DigestManifest.Subject, _ algorithm: DigestAlgorithm) {
        self.subject = subject
        self.algorithm = algorithm
        // Room for a path that is too long, so that it is refused as what it is.
        buffer = LineBuffer(longest: algorithm.size * 2 + 2 + 4096)
    }

    public mutating func read(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var position = 0
        do throws(Failure) {
            while try unsafe buffer.next(bytes, &position) { try take(buffer.line) }
        } catch { throw error.code == .invalidValue ? malformed("is too long") : error }
    }

    public consuming func finish() throws(Failure) -> DigestManifest {
        guard buffer.isAtStart else { throw malformed("does not end with a line feed") }
        return DigestManifest(subject, algorithm, sorted: lines)
    }

    private mutating func take(_ line: [UInt8]) throws(Failure) {
        let digits = algorithm.size * 2
        guard line.count > digits + 2, line[digits] == 0x20, line[digits + 1] == 0x20,
            let digest = BagDigest(hex: String(decoding: line[..<digits], as: UTF8.self))
        else { throw malformed("is not a digest, two spaces and a path") }
        let path = try BagPath(bytes: line[(digits + 2)...])
        if let last = lines.last, last.path >= path {
            guard !lines.contains(where: { $0.path == path }) else {
                throw Failure(
                    .bagManifestDuplicate, "\"\(path)\" is listed twice in \"\(fileName)\"")
            }
            throw malformed("is not in the order of the paths")
        }
        guard lines.count < BagLimit.files else { throw malformed("is one too many") }
        lines.append(.init(path, digest))
    }

    private var fileName: String { "\(subject.rawValue)-\(algorithm.rawValue).txt" }

    private func malformed(_ what: String) -> Failure {
        Failure(subject.malformed, "line \(lines.count + 1) of \"\(fileName)\" \(what)")
    }
}
