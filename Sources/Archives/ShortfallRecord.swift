public import Basics
import Glibc
import Synchronization

/// What the target did not take so far, kept in the room: a resumed import does not replay the
/// segments that are done, and would not learn it again.
///
/// JSON Lines; one that a crash cut off belongs to a segment that is replayed again.
public final class ShortfallRecord: Sendable {
    public let earlier: [Shortfall]
    private let file: SharedFile
    private let path: String
    /// How many of the list are in the file.
    private let kept: Mutex<Int>

    /// A descriptor in a class, since a mutex guards the order of writing.
    private final class SharedFile: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    public init(_ path: String, resuming: Bool) throws(Failure) {
        self.path = path
        var earlier: [Shortfall] = []
        if resuming, Files.exists(path) {
            // Only lines that end are whole.
            let lines = try Files.read(path).split(
                separator: 0x0a, omittingEmptySubsequences: false
            ).dropLast()
            for line in lines { earlier.append(try Shortfall(line: Array(line))) }
        }
        self.earlier = earlier
        var bytes: [UInt8] = []
        for shortfall in earlier { bytes += shortfall.line + [0x0a] }
        try Files.write(bytes, to: path, mode: 0o600)
        file = SharedFile(try Descriptor(opening: path, O_WRONLY | O_APPEND))
        kept = Mutex(earlier.count)
    }

    /// Appends what is new in the list.
    public func keep(_ shortfalls: ShortfallList) throws(Failure) {
        try kept.withLock { (kept) throws(Failure) in
            let list = shortfalls.list
            guard list.count > kept else { return }
            var bytes: [UInt8] = []
            for shortfall in list[kept...] { bytes += shortfall.line + [0x0a] }
            do throws(Failure) { try file.descriptor.writeAll(bytes) } catch {
                throw error.during("cannot write \"\(path)\"")
            }
            kept = list.count
        }
    }
}

extension Shortfall {
    fileprivate var line: [UInt8] {
        var members: [JSON.Member] = [.init("path", .string(Base64.encode(path)))]
        if case .extended(let name) = attribute {
            members.append(.init("xattr", .string(Base64.encode(name))))
        } else {
            members.append(.init("attribute", .string("\(attribute)")))
        }
        members.append(.init("errno", .integer(Int64(errno))))
        return JSON.object(members).line
    }

    fileprivate init(line: [UInt8]) throws(Failure) {
        let json = try JSON(parsing: line)
        let known: [Attribute] = [
            .owner, .mode, .modified, .accessACL, .defaultACL, .object, .existing,
        ]
        var attribute = known.first { "\($0)" == json["attribute"]?.string }
        if let name = json["xattr"]?.string.flatMap({ Base64.decode($0) }) {
            attribute = .extended(name)
        }
        guard let path = json["path"]?.string.flatMap({ Base64.decode($0) }), let attribute,
            let number = json["errno"]?.integer
        else { throw Failure(.failed, "the import's record of what could not be set is damaged") }
        self.init(path: path, attribute: attribute, errno: Int32(truncatingIfNeeded: number))
    }
}
