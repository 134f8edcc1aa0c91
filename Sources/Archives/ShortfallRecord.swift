public import Basics
import Glibc
import Synchronization

/// What the target did not take so far, kept in the room: a resumed import does not replay the
/// segments that are done, and passes over objects that it has made already; it would not learn it again.
///
/// JSON Lines, each written before the object gets its name; one that a crash cut off is told again.
public final class ShortfallRecord: Sendable {
    /// What was told so far, and from now on: all of it is written down.
    public let shortfalls: ShortfallList
    private let journal: Journal

    /// A descriptor in a class, since a mutex guards the order of writing.
    private final class Journal: Sendable {
        private let descriptor: Descriptor
        private let path: String

        init(_ descriptor: consuming Descriptor, _ path: String) {
            self.descriptor = descriptor
            self.path = path
        }

        func append(_ line: [UInt8]) throws(Failure) {
            do throws(Failure) { try descriptor.writeAll(line + [0x0a]) } catch {
                throw error.during("cannot write \"\(path)\"")
            }
        }
    }

    public init(_ path: String, resuming: Bool) throws(Failure) {
        var saved = ShortfallList.Saved()
        if resuming, Files.exists(path) {
            // Only lines that end are whole.
            let lines = try Files.read(path).split(
                separator: 0x0a, omittingEmptySubsequences: false
            ).dropLast()
            for line in lines { try saved.add(line: Array(line)) }
        }
        var bytes: [UInt8] = []
        for shortfall in saved.list { bytes += shortfall.line + [0x0a] }
        for kind in saved.kindsBeyond { bytes += ShortfallList.Saved.line(beyond: kind) + [0x0a] }
        if saved.beyond > 0 { bytes += ShortfallList.Saved.line(count: saved.beyond) + [0x0a] }
        try Files.write(bytes, to: path, mode: 0o600)
        let journal = Journal(try Descriptor(opening: path, O_WRONLY | O_APPEND), path)
        self.journal = journal
        shortfalls = ShortfallList(
            saved,
            told: { (news) throws(Failure) in
                switch news {
                case .listed(let shortfall): try journal.append(shortfall.line)
                case .beyond(let kind): try journal.append(ShortfallList.Saved.line(beyond: kind))
                }
            })
    }

    /// Writes down how many there are beyond those that are listed; throws where anything could not be
    /// written down.
    public func keep() throws(Failure) {
        try shortfalls.check()
        let beyond = shortfalls.saved.beyond
        if beyond > 0 { try journal.append(ShortfallList.Saved.line(count: beyond)) }
    }
}

extension ShortfallList.Saved {
    fileprivate static func line(beyond kind: Shortfall.Attribute) -> [UInt8] {
        JSON.object([.init("beyond", .bool(true))] + kind.members).line
    }

    fileprivate static func line(count: Int) -> [UInt8] {
        JSON.object([.init("count", .integer(Int64(count)))]).line
    }

    fileprivate mutating func add(line: [UInt8]) throws(Failure) {
        let json = try JSON(parsing: line)
        if let count = json["count"]?.integer {
            beyond = Int(count)
        } else if json["beyond"] != nil {
            kindsBeyond.insert(try Shortfall.Attribute(json))
            beyond = max(beyond, 1)
        } else {
            list.append(try Shortfall(json))
        }
    }
}

extension Shortfall.Attribute {
    fileprivate var members: [JSON.Member] {
        if case .extended(let name) = self {
            return [.init("xattr", .string(Base64.encode(name)))]
        }
        return [.init("attribute", .string("\(self)"))]
    }

    fileprivate init(_ json: JSON) throws(Failure) {
        let known: [Self] = [
            .owner, .mode, .modified, .accessACL, .defaultACL, .object, .existing,
        ]
        if let name = json["xattr"]?.string.flatMap({ Base64.decode($0) }) {
            self = .extended(name)
        } else if let kind = known.first(where: { "\($0)" == json["attribute"]?.string }) {
            self = kind
        } else {
            throw Shortfall.damagedRecord
        }
    }
}

extension Shortfall {
    fileprivate static var damagedRecord: Failure {
        Failure(.failed, "the import's record of what could not be set is damaged")
    }

    fileprivate var line: [UInt8] {
        JSON.object(
            [.init("path", .string(Base64.encode(path)))] + attribute.members
                + [.init("errno", .integer(Int64(errno)))]
        ).line
    }

    fileprivate init(_ json: JSON) throws(Failure) {
        guard let path = json["path"]?.string.flatMap({ Base64.decode($0) }),
            let number = json["errno"]?.integer
        else { throw Self.damagedRecord }
        self.init(
            path: path, attribute: try Attribute(json), errno: Int32(truncatingIfNeeded: number))
    }
}
