import Primitives

/// Writes the lines of a tree's index: JSON without white space, members in a fixed order, those
/// that do not apply absent. Bytes that are not UTF-8 go into members with "64" in their name, as
/// base64. Appends to a buffer that is used again and allocates nothing else.
public enum IndexLine {
    /// Longer values of extended attributes stand there as their digest.
    public static let longestValue = 64

    /// Appends the line of an entry, newline included.
    ///
    /// - Parameters:
    ///   - digest: of a file's visible bytes.
    ///   - hasChanged: the file changed while it was read, every time it was tried.
    ///   - segment: the segment in which the entry's header begins, and `offset` in its plaintext.
    public static func append(
        _ entry: Entry, digest: ContentDigest?, hasChanged: Bool = false, segment: Int,
        offset: Int64, to buffer: inout [UInt8]
    ) {
        buffer.append(0x7b)
        bytes(entry.path, "\"path\":", "\"path64\":", &buffer)
        ByteText.append(",\"type\":", to: &buffer)
        type(entry.kind, &buffer)
        if entry.kind == .hardlink {
            ByteText.append(",", to: &buffer)
            bytes(entry.target, "\"link\":", "\"link64\":", &buffer)
        } else {
            metadata(entry, digest, &buffer)
        }
        if hasChanged { ByteText.append(",\"changed\":true", to: &buffer) }
        ByteText.append(",\"segment\":", to: &buffer)
        ByteText.decimal(Int64(segment), to: &buffer)
        ByteText.append(",\"offset\":", to: &buffer)
        ByteText.decimal(offset, to: &buffer)
        ByteText.append("}\n", to: &buffer)
    }

    /// Appends the line of an object that is not in the archive, newline included.
    ///
    /// - Parameters:
    ///   - reason: a word of the format, such as "excluded" or "mount-point".
    ///   - accepted: whether the plan covers it.
    public static func append(
        omitted path: [UInt8], _ kind: WalkedKind?, reason: StaticString, detail: String? = nil,
        accepted: Bool, to buffer: inout [UInt8]
    ) {
        buffer.append(0x7b)
        bytes(path, "\"path\":", "\"path64\":", &buffer)
        if let kind {
            ByteText.append(",\"type\":", to: &buffer)
            ByteText.quote(Array(kind.rawValue.utf8), to: &buffer)
        }
        ByteText.append(",\"omitted\":\"", to: &buffer)
        ByteText.append(reason, to: &buffer)
        ByteText.append("\"", to: &buffer)
        if let detail {
            ByteText.append(",\"detail\":", to: &buffer)
            ByteText.quote(Array(detail.utf8), to: &buffer)
        }
        ByteText.append(",\"accepted\":", to: &buffer)
        ByteText.append(accepted ? "true" : "false", to: &buffer)
        ByteText.append("}\n", to: &buffer)
    }

    private static func metadata(
        _ entry: Entry, _ digest: ContentDigest?, _ buffer: inout [UInt8]
    ) {
        ByteText.append(",\"mode\":\"", to: &buffer)
        ByteText.octal(UInt64(entry.mode), width: 4, to: &buffer)
        ByteText.append("\",\"uid\":", to: &buffer)
        ByteText.decimal(UInt64(entry.uid), to: &buffer)
        ByteText.append(",\"gid\":", to: &buffer)
        ByteText.decimal(UInt64(entry.gid), to: &buffer)
        if !entry.owner.isEmpty { bytes(entry.owner, ",\"owner\":", ",\"owner64\":", &buffer) }
        if !entry.group.isEmpty { bytes(entry.group, ",\"group\":", ",\"group64\":", &buffer) }
        ByteText.append(",\"mtime\":[", to: &buffer)
        ByteText.decimal(entry.modified.seconds, to: &buffer)
        buffer.append(0x2c)
        ByteText.decimal(Int64(entry.modified.nanoseconds), to: &buffer)
        buffer.append(0x5d)
        if entry.kind == .file {
            ByteText.append(",\"size\":", to: &buffer)
            ByteText.decimal(entry.size, to: &buffer)
            if entry.extents != nil { ByteText.append(",\"holes\":true", to: &buffer) }
            if let digest { content(digest, &buffer) }
        }
        if entry.kind == .symlink { bytes(entry.target, ",\"link\":", ",\"link64\":", &buffer) }
        if entry.kind == .character || entry.kind == .block {
            ByteText.append(",\"device\":[", to: &buffer)
            ByteText.decimal(UInt64(entry.device.major), to: &buffer)
            buffer.append(0x2c)
            ByteText.decimal(UInt64(entry.device.minor), to: &buffer)
            buffer.append(0x5d)
        }
        attributes(entry.attributes, &buffer)
        acl(entry.accessACL, ",\"acl\":\"", &buffer)
        acl(entry.defaultACL, ",\"default-acl\":\"", &buffer)
    }

    private static func attributes(_ attributes: [ExtendedAttribute], _ buffer: inout [UInt8]) {
        if attributes.isEmpty { return }
        ByteText.append(",\"xattrs\":[", to: &buffer)
        for (index, attribute) in attributes.enumerated() {
            ByteText.append(index > 0 ? ",{" : "{", to: &buffer)
            bytes(attribute.name, "\"name\":", "\"name64\":", &buffer)
            if attribute.value.count <= longestValue {
                ByteText.append(",\"value\":\"", to: &buffer)
                ByteText.base64(attribute.value, to: &buffer)
            } else {
                ByteText.append(",\"sha256\":\"", to: &buffer)
                ByteText.hex(words: SHA256.hash(attribute.value).words, to: &buffer)
            }
            ByteText.append("\"}", to: &buffer)
        }
        buffer.append(0x5d)
    }

    private static func acl(
        _ acl: AccessControlList?, _ member: StaticString, _ buffer: inout [UInt8]
    ) {
        guard let acl else { return }
        ByteText.append(member, to: &buffer)
        acl.appendText(to: &buffer)
        buffer.append(0x22)
    }

    private static func content(_ digest: ContentDigest, _ buffer: inout [UInt8]) {
        switch digest {
        case .sha256(let digest):
            ByteText.append(",\"sha256\":\"", to: &buffer)
            ByteText.hex(words: digest.words, to: &buffer)
        case .tree(let digest):
            ByteText.append(",\"sha256-tree-1m\":\"", to: &buffer)
            ByteText.hex(words: digest.words, to: &buffer)
        }
        buffer.append(0x22)
    }

    private static func type(_ kind: Entry.Kind, _ buffer: inout [UInt8]) {
        buffer.append(0x22)
        ByteText.append(kind.word, to: &buffer)
        buffer.append(0x22)
    }

    private static func bytes(
        _ bytes: [UInt8], _ member: StaticString, _ member64: StaticString,
        _ buffer: inout [UInt8]
    ) {
        if ByteText.isUTF8(bytes) {
            ByteText.append(member, to: &buffer)
            ByteText.quote(bytes, to: &buffer)
        } else {
            ByteText.append(member64, to: &buffer)
            buffer.append(0x22)
            ByteText.base64(bytes, to: &buffer)
            buffer.append(0x22)
        }
    }
}

extension Entry.Kind {
    /// The word of the index and of the leaves.
    var word: StaticString {
        switch self {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .hardlink: "hardlink"
        case .fifo: "fifo"
        case .character: "character"
        case .block: "block"
        }
    }
}
