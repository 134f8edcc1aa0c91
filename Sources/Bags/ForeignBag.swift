public import Basics
import Glibc
import Primitives
import Streams

/// A bag of any origin, judged by RFC 8493 and the drafts before it (0.93 to 0.97) alone.
///
/// This exists for the conformance suite of the Library of Congress and for looking at bags that
/// others made. It knows weak digests, other encodings and holey bags; nothing in it makes a bag
/// one of ours, and nothing is ever replayed from here.
public enum ForeignBag {
    public enum Verdict: String, Sendable {
        case valid
        /// Valid, but made in a way that other tools or systems stumble over.
        case warning
        /// It names a path that leads out of the bag on Windows; elsewhere it is only odd.
        case unsafeOnWindows = "windows-only"
        case invalid
    }

    public struct Classification: Sendable {
        public let verdict: Verdict
        /// What makes it invalid.
        public let problems: [BagProblem]
        /// What is odd; may be there beside problems.
        public let warnings: [BagProblem]
    }

    /// Reads the whole bag; blocks, so call it on a `Lane`. Throws only when it cannot be read.
    public static func classify(_ path: String) throws(Failure) -> Classification {
        var examination = ForeignExamination(try ForeignListing(opening: path))
        do throws(Failure) { try examination.run() } catch {
            if [.inputOutput, .denied, .cancelled].contains(error.code) { throw error }
            examination.problems.append(BagProblem("", error))
        }
        let verdict: Verdict =
            if !examination.problems.isEmpty {
                .invalid
            } else if examination.leadsOutOnWindows {
                .unsafeOnWindows
            } else {
                examination.warnings.isEmpty ? .valid : .warning
            }
        return Classification(
            verdict: verdict, problems: examination.problems, warnings: examination.warnings)
    }
}

/// The files of a foreign bag, by the bytes of their paths: Swift takes two strings that differ in
/// normalisation for one, a file system does not.
struct ForeignListing {
    let root: String
    private(set) var files: Set<[UInt8]> = []
    private(set) var problems: [BagProblem] = []

    init(opening root: String) throws(Failure) {
        self.root = root
        try list([], depth: 0)
    }

    private mutating func list(_ prefix: [UInt8], depth: Int) throws(Failure) {
        guard depth < 64 else {
            throw Failure(.bagPathUnsafe, "\"\(BagPath.shown(prefix))\" is nested too deeply")
        }
        for name in try Self.names(in: root, prefix) {
            let path = prefix + name
            var status = stat()
            guard unsafe lstat(Self.full(root, path), &status) == 0 else {
                throw Failure(errno: errno, "cannot stat \"\(BagPath.shown(path))\"")
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try list(path + [0x2f], depth: depth + 1)
            case S_IFREG: files.insert(path)
            default:
                let shown = BagPath.shown(path)
                problems.append(
                    .init(shown, Failure(.bagFileKind, "\"\(shown)\" is not a plain file")))
            }
        }
    }

    /// The path as C wants it, whatever its bytes are.
    private static func full(_ root: String, _ path: [UInt8]) -> [CChar] {
        (Array(root.utf8) + [0x2f] + path + [0]).map { CChar(bitPattern: $0) }
    }

    private static func names(
        in root: String, _ prefix: [UInt8]
    ) throws(Failure) -> [[UInt8]] {
        guard let stream = unsafe opendir(full(root, prefix)) else {
            throw Failure(errno: errno, "cannot list \"\(root)/\(BagPath.shown(prefix))\"")
        }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
        return names
    }

    /// The file's size and digests, hands the bytes on as they pass.
    func read(
        _ path: [UInt8], _ algorithms: [DigestAlgorithm], _ body: ([UInt8]) -> Void = { _ in }
    ) throws(Failure) -> (size: Int64, digests: [DigestAlgorithm: String]) {
        let raw = retrying {
            unsafe open(Self.full(root, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard raw >= 0 else {
            throw Failure(errno: errno, "cannot open \"\(BagPath.shown(path))\"")
        }
        let file = Descriptor(owning: raw)
        var size: Int64 = 0
        var digests: [DigestAlgorithm: String] = [:]
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        for algorithm in algorithms.isEmpty ? [.sha256] : algorithms {
            var digest = try MessageDigest(algorithm)
            try file.seek(to: 0)
            size = 0
            while true {
                let count = try Failure.catching {
                    try unsafe buffer.withUnsafeMutableBytes { bytes in
                        let count = try unsafe file.read(into: bytes)
                        unsafe digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                        return count
                    }
                }
                if count == 0 { break }
                size += Int64(count)
                if digests.isEmpty { body(Array(buffer[..<count])) }
            }
            digests[algorithm] = Hex.encode(digest.finish())
        }
        return (size, digests)
    }

    /// A whole tag file.
    func content(_ path: String) throws(Failure) -> [UInt8]? {
        guard files.contains(Array(path.utf8)) else { return nil }
        var content: [UInt8] = []
        _ = try read(Array(path.utf8), []) { content += $0 }
        return content
    }
}
