import Basics
import Glibc
import Primitives
import TestKit

@testable import Archives

/// Everything about a tree, read with the walker and the reader; and the same as a pax stream.
struct TreeSnapshot {
    struct Item {
        var entry: Entry
        var digest: ContentDigest?
    }

    private(set) var items: [Item] = []

    init(_ path: String, writing output: String? = nil) throws {
        var walker = try TreeWalker(try TreeScope(paths: [path]))
        var reader = EntryReader(names: OwnerNames())
        var writer = PaxWriter()
        var buffer: [UInt8] = []
        var first: [FileIdentity: [UInt8]] = [:]
        let file = try Descriptor(opening: output ?? "/dev/null", O_WRONLY | O_CREAT)
        while let event = try walker.next() {
            guard case .entry(let status) = event else {
                throw Failure(.failed, "unexpected \(event) of \(walker.path)")
            }
            if status.kind == .socket { continue }
            var opened: EntryReader.OpenedFile?
            var reading: EntryReader.Reading?
            try walker.withObject { directory, name throws(Failure) in
                if status.kind == .file {
                    opened = try reader.open(walker.path, in: directory, name)
                } else {
                    reading = try reader.read(walker.path, status.kind, in: directory, name)
                }
            }
            let raw = opened?.descriptor.raw
            guard var entry = opened?.reading.entry ?? reading?.entry else { continue }
            let identity = FileIdentity(status)
            var digest: ContentDigest?
            if status.links > 1, status.kind != .directory, let target = first[identity] {
                entry.kind = .hardlink
                entry.target = target
            } else {
                first[identity] = walker.path
                if let raw = raw { digest = try Self.digest(raw, entry) }
            }
            items.append(Item(entry: entry, digest: digest))

            buffer.removeAll(keepingCapacity: true)
            writer.appendHeader(of: entry, to: &buffer)
            if let raw = raw, entry.kind == .file {
                for extent in entry.extents ?? [Extent(offset: 0, length: entry.size)] {
                    buffer += try Self.bytes(raw, extent.offset, Int(extent.length))
                }
            }
            let length = PaxWriter.contentLength(of: entry)
            buffer += [UInt8](repeating: 0, count: PaxWriter.padding(after: length))
            try Self.write(buffer, to: file.raw)
        }
        try Self.write(PaxWriter.end, to: file.raw)
    }

    static func write(_ bytes: [UInt8], to file: Int32) throws {
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw Failure(errno: errno, "cannot write")
        }
    }

    static func bytes(_ file: Int32, _ offset: Int64, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(file, &bytes, count, Int(offset)) == count else {
            throw Failure(errno: errno, "cannot read")
        }
        return bytes
    }

    /// The tree digest of a file's visible bytes, whatever its layout.
    static func digest(_ file: Int32, _ entry: Entry) throws -> ContentDigest {
        var range = MerkleRange()
        let leaf = TreeDigest.leafSize
        for extent in entry.extents ?? [Extent(offset: 0, length: entry.size)] {
            var position = max(range.end * leaf, extent.offset / leaf * leaf)
            TreeDigest.append(zeroLeaves: position / leaf - range.end, to: &range)
            while position < extent.offset + extent.length {
                let count = Int(min(leaf, entry.size - position))
                range.append(leaf: MerkleRange.leaf(try bytes(file, position, count)))
                position += leaf
            }
        }
        TreeDigest.append(zeroLeaves: entry.size / leaf - range.end, to: &range)
        if range.end * leaf < entry.size {
            let rest = Int(entry.size - range.end * leaf)
            range.append(leaf: MerkleRange.leaf([UInt8](repeating: 0, count: rest)))
        }
        return .tree(range.root)
    }

    /// What the index would say, one line for each path; numeric owners only, so that trees can be
    /// compared whose owners have no name.
    var lines: [[UInt8]: String] {
        var lines: [[UInt8]: String] = [:]
        for item in items {
            var line: [UInt8] = []
            IndexLine.append(item.entry, digest: item.digest, segment: 0, offset: 0, to: &line)
            lines[item.entry.path] = String(decoding: line, as: UTF8.self)
        }
        return lines
    }
}
