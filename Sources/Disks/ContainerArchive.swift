public import Basics
import Glibc
public import Streams

/// What Proxmox VE puts at the start of a container's backup, which is a tar stream by GNU tar.
///
/// The rest is left to tar: it holds sparse members, ACLs and capabilities that only a verbatim copy
/// keeps.
public struct ContainerArchive: Sendable {
    /// `pct.conf`.
    public let configuration: [UInt8]
    /// `pct.fw`; empty where the container has no rules, nil where the member is missing.
    public let firewall: [UInt8]?

    private static let configurationPath = "./etc/vzdump/pct.conf"
    private static let firewallPath = "./etc/vzdump/pct.fw"
    /// More than any configuration has.
    private static let largestMember = 1 << 20

    /// Reads the members at the start of the stream, and no more than it must.
    public init(readingStartOf source: consuming some ByteSource & ~Copyable) throws(Failure) {
        var input = StreamInput(source)
        var configuration: [UInt8]?
        var firewall: [UInt8]?
        // A member may be preceded by records of its extended attributes.
        for _ in 0..<8 {
            let header = try Self.portion(512, of: &input)
            guard let member = try TarMember(header) else { break }
            if member.isRecord {
                _ = try Self.portion(member.storedSize, of: &input)
                continue
            }
            guard member.isFile else { break }
            if member.path == Self.configurationPath, configuration == nil {
                let bytes = try Self.portion(member.storedSize, of: &input)
                configuration = Array(bytes[..<member.size])
            } else if member.path == Self.firewallPath, configuration != nil {
                let bytes = try Self.portion(member.storedSize, of: &input)
                firewall = Array(bytes[..<member.size])
                break
            } else {
                break
            }
        }
        guard let configuration else {
            throw Failure(
                .diskUnsuitable,
                "the tar stream does not begin with \"\(Self.configurationPath)\"",
                hint: "Name a file that vzdump made of a container.")
        }
        self.configuration = configuration
        self.firewall = firewall
    }

    private static func portion(
        _ count: Int, of input: inout StreamInput<some ByteSource & ~Copyable>
    ) throws(Failure) -> [UInt8] {
        if count == 0 { return [] }
        guard count <= largestMember else {
            throw Failure(
                .diskUnsuitable, "the tar stream begins with a member of \(count) bytes")
        }
        var chunk = Chunk(capacity: count)
        try input.fill(&chunk, to: count)
        guard chunk.count == count else {
            throw Failure(.truncated, "the tar stream ends after \(input.offset) bytes")
        }
        return try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe Array(bytes) }
    }
}

/// The header of a tar member, as much of it as the first members need (POSIX ustar, and GNU's form).
private struct TarMember {
    let path: String
    let size: Int
    private let kind: UInt8

    /// nil for the block of zeros that ends a tar stream.
    init?(_ block: [UInt8]) throws(Failure) {
        if block.allSatisfy({ $0 == 0 }) { return nil }
        let sum = block.enumerated().reduce(0) { sum, byte in
            sum + ((148..<156).contains(byte.offset) ? 0x20 : Int(byte.element))
        }
        guard let size = Self.octal(block[124..<136]), Self.octal(block[148..<156]) == sum else {
            throw Failure(.tarHeader, "this is no tar stream, or its start is damaged")
        }
        path = String(decoding: block[..<100].prefix { $0 != 0 }, as: UTF8.self)
        self.size = size
        kind = block[156]
    }

    var isFile: Bool { kind == 0x30 || kind == 0 }
    /// Records of pax (x, g), long names of GNU (L, K).
    var isRecord: Bool { [0x78, 0x67, 0x4c, 0x4b].contains(kind) }
    /// Rounded up to whole blocks.
    var storedSize: Int { (size + 511) / 512 * 512 }

    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        guard !digits.isEmpty else { return nil }
        return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }
}
