import Basics
import Primitives

/// A member of a tar stream as a ledger keeps it: what is large is there by its digest.
struct MemberNote: Equatable {
    var path: [UInt8]
    let kind: TarMember.Kind
    let mode: UInt32
    let owner: UInt64
    let group: UInt64
    let seconds: Int64
    let nanoseconds: Int64
    let size: Int64
    let major: UInt64
    let minor: UInt64
    let link: [UInt8]
    let content: Digest256
    let attributes: Digest256
    /// Of all names, where it has more than one.
    var names = Digest256()
    /// Its own name is not looked at, only others of the same object.
    var isUnnamed = false

    init(_ member: TarMember, content: Digest256) {
        path = member.path
        kind = member.kind
        mode = member.mode
        owner = member.owner
        group = member.group
        (seconds, nanoseconds) = member.modified
        size = member.size
        (major, minor) = member.device
        link = member.link
        self.content = content
        guard !member.attributes.isEmpty else {
            attributes = Digest256()
            return
        }
        var hasher = SHA256()
        for attribute in member.attributes {
            var head: [UInt8] = []
            Self.append(UInt64(attribute.name.count), to: &head)
            Self.append(UInt64(attribute.value.count), to: &head)
            hasher.update(head)
            hasher.update(attribute.name)
            hasher.update(attribute.value)
        }
        attributes = hasher.finish()
    }

    /// In what it differs from another one of the same path; empty when in nothing.
    func differences(from other: MemberNote) -> [TarComparison.Word] {
        if kind != other.kind { return [.type] }
        var words: [TarComparison.Word] = []
        if size != other.size { words.append(.size) }
        if content != other.content { words.append(.content) }
        if link != other.link { words.append(.link) }
        if major != other.major || minor != other.minor { words.append(.device) }
        if names != other.names { words.append(.hardLinks) }
        if mode != other.mode { words.append(.mode) }
        if owner != other.owner || group != other.group { words.append(.owner) }
        if seconds != other.seconds || nanoseconds != other.nanoseconds { words.append(.time) }
        if attributes != other.attributes { words.append(.attributes) }
        return words
    }

    // MARK: - In a file

    func append(to bytes: inout [UInt8]) {
        Self.append(UInt64(path.count), to: &bytes)
        Self.append(UInt64(link.count), to: &bytes)
        bytes.append(contentsOf: path)
        bytes.append(contentsOf: link)
        bytes.append(kind.rawValue)
        let numbers: [UInt64] = [
            UInt64(mode), owner, group, UInt64(bitPattern: seconds),
            UInt64(bitPattern: nanoseconds), UInt64(bitPattern: size), major, minor,
        ]
        for number in numbers { Self.append(number, to: &bytes) }
        for digest in [content, attributes, names] { bytes.append(contentsOf: digest.bytes) }
        bytes.append(isUnnamed ? 1 : 0)
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place))) }
    }

    static func all(in bytes: [UInt8]) throws(Failure) -> [MemberNote] {
        var notes: [MemberNote] = []
        var rest = bytes[...]
        while !rest.isEmpty { notes.append(try MemberNote(taking: &rest)) }
        return notes
    }

    private init(taking rest: inout ArraySlice<UInt8>) throws(Failure) {
        let pathCount = try Self.number(&rest)
        let linkCount = try Self.number(&rest)
        path = try Self.portion(pathCount, &rest)
        link = try Self.portion(linkCount, &rest)
        guard let kind = try TarMember.Kind(rawValue: Self.portion(1, &rest)[0]) else {
            throw Self.damaged
        }
        self.kind = kind
        guard let mode = UInt32(exactly: try Self.number(&rest)) else { throw Self.damaged }
        self.mode = mode
        owner = try Self.number(&rest)
        group = try Self.number(&rest)
        seconds = Int64(bitPattern: try Self.number(&rest))
        nanoseconds = Int64(bitPattern: try Self.number(&rest))
        size = Int64(bitPattern: try Self.number(&rest))
        major = try Self.number(&rest)
        minor = try Self.number(&rest)
        content = try Self.digest(&rest)
        attributes = try Self.digest(&rest)
        names = try Self.digest(&rest)
        isUnnamed = try Self.portion(1, &rest)[0] == 1
    }

    private static var damaged: Failure {
        Failure(.inputOutput, "a note of what a container holds is damaged")
    }

    private static func portion(
        _ count: UInt64, _ rest: inout ArraySlice<UInt8>
    ) throws(Failure) -> [UInt8] {
        guard count <= UInt64(rest.count) else { throw damaged }
        defer { rest = rest.dropFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) throws(Failure) -> UInt64 {
        try portion(8, &rest).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func digest(_ rest: inout ArraySlice<UInt8>) throws(Failure) -> Digest256 {
        guard let digest = Digest256(bytes: try portion(32, &rest)) else { throw damaged }
        return digest
    }
}
