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

    private static let configurationPath = "etc/vzdump/pct.conf"
    private static let firewallPath = "etc/vzdump/pct.fw"
    /// More than any configuration has.
    private static let largestMember = 1 << 20

    /// Reads the members at the start of the stream, and no more than it must.
    public init(readingStartOf source: consuming some ByteSource & ~Copyable) throws(Failure) {
        var reader = TarReader(source)
        var configuration: [UInt8]?
        var firewall: [UInt8]?
        while firewall == nil, let member = try reader.next(), member.kind == .file {
            if member.path.elementsEqual(Self.configurationPath.utf8), configuration == nil {
                configuration = try Self.content(of: member, &reader)
            } else if member.path.elementsEqual(Self.firewallPath.utf8), configuration != nil {
                firewall = try Self.content(of: member, &reader)
            } else {
                break
            }
        }
        guard let configuration else {
            throw Failure(
                .diskUnsuitable,
                "the tar stream does not begin with \"./\(Self.configurationPath)\"",
                hint: "Name a file that vzdump made of a container.")
        }
        self.configuration = configuration
        self.firewall = firewall
    }

    private static func content(
        of member: TarMember, _ reader: inout TarReader<some ByteSource & ~Copyable>
    ) throws(Failure) -> [UInt8] {
        guard member.size <= largestMember else {
            throw Failure(
                .diskUnsuitable, "the tar stream begins with a member of \(member.size) bytes")
        }
        var content = [UInt8](repeating: 0, count: Int(member.size))
        try unsafe reader.readData { (bytes, place) throws(Failure) in
            unsafe content.replaceSubrange(Int(place)..<Int(place) + bytes.count, with: bytes)
        }
        return content
    }
}
