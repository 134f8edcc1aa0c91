import Archives
import Basics
import Connectors
import Glibc
import Primitives
import Streams

/// Writes one segment of entries: headers and data of the objects as they are now, and a note of
/// each. Lives for one attempt, on one lane.
struct TreeSegment: ~Copyable {
    let exporter: TreeExport
    let number: Int
    private var cursor: TreeCursor
    private var reader: EntryReader
    var notes: RecordWriter
    let broken: Set<[UInt8]>
    /// A file of the standard size, and what fills up its last block.
    private var chunk = Chunk(capacity: Chunk.standardSize + PaxWriter.blockSize)
    var pax = PaxWriter()
    var leaf = TreeLeaf()
    var header: [UInt8] = []
    var line: [UInt8] = []
    /// What the filter has noted about the objects of this segment.
    var filterNotes: [JSON] = []
    /// Bytes of the segment so far: where the next header begins.
    var offset: Int64 = 0
    var result = SegmentResult(exported: 0, omitted: 0)

    /// How often a file that changes while it is read is read again.
    static let attempts = 3

    init(_ exporter: TreeExport, number: Int) throws(Failure) {
        self.exporter = exporter
        self.number = number
        broken = exporter.broken(in: number)
        cursor = TreeCursor(exporter.root)
        reader = EntryReader(names: exporter.names)
        notes = try RecordWriter(exporter.layout.notesPath(number))
    }

    mutating func write(
        records range: Range<Int64>, isLast: Bool, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        var records = try RecordReader(exporter.layout.recordsPath, from: range.lowerBound)
        while records.position < range.upperBound {
            try exporter.room.progress.checkCancelled()
            let record = try records.record()
            do throws(Failure) {
                try write(record, into: &sink)
            } catch {
                // What concerns the object alone is an omission, as long as nothing of it is in the
                // stream; everything else ends the attempt.
                guard offsetIsClean, let (reason, detail) = Self.omission(error) else {
                    throw error
                }
                try omit(record.path, reason, detail)
            }
            exporter.room.progress.add(objects: 1)
        }
        if isLast { try sink.write(PaxWriter.end) }
        try keepFilterNotes()
        try notes.finish()
        return result
    }

    static func omission(_ failure: Failure) -> (FileOmission, String)? {
        switch failure.code {
        case .sourceVanished: (.vanished, "")
        case .sourceUnreadable: (.unreadable, failure.what)
        case .sourceChanged: (.changed, failure.what)
        default: nil
        }
    }

    private mutating func write(
        _ record: LayoutRecord, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        switch record {
        case .omission(let path, let type, let reason, let detail, let accepted):
            try note(
                omitted: path, type: WalkedKind(rawValue: type), reason, detail, accepted)
        case .large(let file): try writeHeader(of: file, into: &sink)
        case .link(let path, let target, let group):
            let status = try status(of: path)
            guard InodeIdentity(status) == group, try leads(target, to: group) else {
                return try writeObject(path, nil, .file, into: &sink)
            }
            var entry = Entry(path: path, kind: .hardlink)
            entry.target = target
            // Some tars apply the metadata of every name.
            entry.mode = UInt32(status.st_mode & 0o7777)
            (entry.uid, entry.gid) = (status.st_uid, status.st_gid)
            entry.owner = try exporter.names.user(entry.uid)
            entry.group = try exporter.names.group(entry.gid)
            entry.modified = FileTime(status.st_mtim)
            try emit(entry, nil, .link, into: &sink)
        case .entry(let path, .directory, _, _): try writeDirectory(path, into: &sink)
        case .entry(let path, let kind, let group, _):
            try writeObject(path, group, kind, into: &sink)
        }
    }

    /// False when the first name of an inode has gone since the inventory: then a further name is
    /// all that is left of the file, and is exported with its data.
    private mutating func leads(_ first: [UInt8], to group: InodeIdentity) throws(Failure) -> Bool {
        do throws(Failure) { return InodeIdentity(try status(of: first)) == group } catch {
            if error.code == .sourceVanished || error.code == .sourceChanged { return false }
            throw error
        }
    }

    mutating func status(of path: [UInt8]) throws(Failure) -> stat {
        do throws(Failure) {
            return try unsafe cursor.withParent(of: path) { (directory, name) throws(Failure) in
                var status = stat()
                guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                    throw Failure(errno: errno, "cannot look at it")
                }
                return status
            }
        } catch { throw error.ofSource(path) }
    }

    mutating func openFile(
        _ path: [UInt8]
    ) throws(Failure) -> EntryReader.OpenedFile {
        do throws(Failure) { return try reader.open(path, through: &cursor) } catch {
            throw error.ofSource(path)
        }
    }

    mutating func readObject(
        _ path: [UInt8], _ kind: WalkedKind
    ) throws(Failure) -> EntryReader.Reading {
        do throws(Failure) { return try reader.read(path, kind, through: &cursor) } catch {
            throw error.ofSource(path)
        }
    }

    /// Writes an object that is expected to be of a kind, or else of the kind that it is now.
    private mutating func writeObject(
        _ path: [UInt8], _ group: InodeIdentity?, _ expected: WalkedKind,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var kind = expected
        for attempt in 1...Self.attempts {
            do throws(Failure) {
                if kind == .file { return try writeFile(path, group, into: &sink) }
                if kind == .directory { return try writeNewDirectory(path, group, into: &sink) }
                let isDevice = kind == .character || kind == .block
                if isDevice, !exporter.selection.devices { return try omit(path, .devices, "") }
                let reading = try readObject(path, kind)
                return try emit(
                    filtered(reading.entry), nil, flags(of: reading, group), into: &sink)
            } catch {
                guard error.code == .sourceChanged, attempt < Self.attempts, offsetIsClean else {
                    throw error
                }
                guard let now = WalkedKind(mode: try status(of: path).st_mode), now != .socket
                else {
                    return try omit(path, .sockets, "")
                }
                kind = now
            }
        }
    }

    func flags(
        of reading: EntryReader.Reading, _ group: InodeIdentity?
    ) -> SegmentNote.Flags {
        var flags: SegmentNote.Flags = []
        if !reading.unreadableAttributes.isEmpty { flags.insert(.attributesLost) }
        let status = reading.status
        if let group, InodeIdentity(device: status.device, inode: status.inode) != group {
            flags.insert(.detached)
        }
        return flags
    }

    /// True while nothing of the current object has reached the sink.
    private var offsetIsClean = true

    private mutating func writeFile(
        _ path: [UInt8], _ group: InodeIdentity?, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        if broken.contains(path) {
            throw Failure(.sourceUnreadable, "read error")
        }
        if let filter = exporter.filter {
            return try writeFiltered(path, group, filter, into: &sink)
        }
        var attempt = 1
        while true {
            let opened = try openFile(path)
            var flags = flags(of: opened.reading, group)
            let size = opened.reading.entry.size
            guard opened.reading.entry.extents == nil, size <= Chunk.standardSize else {
                return try writeLong(opened, flags, into: &sink)
            }
            let complete = try fill(from: opened.descriptor, Int(size), path)
            let differs = try hasChanged(opened.descriptor, since: opened.reading.identity)
            let changed = !complete || differs
            if changed, attempt < Self.attempts {
                attempt += 1
                usleep(20_000)
                continue
            }
            if changed { flags.insert(.changed) }
            let digest = try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe SHA256.hash(bytes)
            }
            let padding = PaxWriter.padding(after: size)
            try emit(opened.reading.entry, .sha256(digest), flags, into: &sink)
            try unsafe chunk.append { (free) throws(Failure) in
                if let start = free.baseAddress { unsafe memset(start, 0, padding) }
                return padding
            }
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
            }
            offset += Int64(padding)
            exporter.room.progress.add(bytes: size)
            return
        }
    }

    /// Fills the chunk with a whole small file; zeros stand for what is no longer there. False when
    /// the file was shorter or is longer now.
    private mutating func fill(
        from file: borrowing Descriptor, _ size: Int, _ path: [UInt8]
    ) throws(Failure) -> Bool {
        chunk.removeAll()
        let raw = file.raw
        var missing = 0
        var isLonger = false
        do throws(Failure) {
            try unsafe chunk.append { (free) throws(Failure) in
                // One byte more than there should be: files of /proc say 0 and are not empty.
                let most = min(size + 1, free.count)
                var done = 0
                while done < size || done == 0 {
                    let count = retrying {
                        unsafe read(raw, free.baseAddress.map { unsafe $0 + done }, most - done)
                    }
                    guard count >= 0 else {
                        throw Failure(errno: errno, "cannot read")
                    }
                    if count == 0 { break }
                    done += count
                }
                missing = size - done
                isLonger = done > size
                if missing > 0, let start = free.baseAddress {
                    unsafe memset(start + done, 0, missing)
                }
                return size
            }
        } catch { throw Failure(.sourceUnreadable, "read error", cause: error) }
        return missing == 0 && !isLonger
    }

    func hasChanged(
        _ file: borrowing Descriptor, since before: FileIdentity
    ) throws(Failure) -> Bool {
        FileIdentity(try file.status()).hasChanged(since: before)
    }

    /// Writes a file that is too long for the buffer, or has holes. Its header is out before its
    /// end is known, so that a change means a new attempt at the whole segment.
    mutating func writeLong(
        _ opened: borrowing EntryReader.OpenedFile, _ flags: SegmentNote.Flags,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        let entry = opened.reading.entry
        let extents = entry.extents ?? [Extent(offset: 0, length: entry.size)]
        guard extents.reduce(0, { $0 + $1.length }) <= TreeLayout.inlineLimit else {
            throw Failure(.sourceChanged, "grew beyond one segment since the inventory")
        }
        let start = offset
        try writeHeader(entry, into: &sink)
        offsetIsClean = false
        var data = FileData(opened.descriptor, entry.path, progress: exporter.room.progress)
        do throws(Failure) {
            try data.copy(
                extents, visible: 0..<entry.size, plain: entry.extents == nil, &chunk, into: &sink)
        } catch {
            if error.code == .sourceUnreadable { exporter.noteBroken(entry.path, in: number) }
            throw error
        }
        offset += data.stored
        try pad(PaxWriter.contentLength(of: entry), into: &sink)
        var flags = flags
        let differs = try hasChanged(opened.descriptor, since: opened.reading.identity)
        if data.wasShort || differs || data.hasMore(behind: entry.size) {
            if exporter.mayTryAgain(number, most: Self.attempts) {
                throw Failure(
                    .sourceChanged,
                    "\"\(String(decoding: entry.path, as: UTF8.self))\" changed "
                        + "while it was read", mayRetry: true)
            }
            flags.insert(.changed)
        }
        let digest: ContentDigest =
            entry.extents == nil ? .sha256(data.plainDigest()) : .tree(data.leaves().root)
        try note(entry, digest, flags, at: start)
        offsetIsClean = true
    }

    /// The header of a file whose data lies in segments of its own. It is written whatever happens
    /// to the file now, since those segments cannot know.
    private mutating func writeHeader(
        of file: LargeFile, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var entry = Entry(path: file.path, kind: .file)
        var flags: SegmentNote.Flags = .large
        do throws(Failure) {
            let opened = try openFile(file.path)
            entry = opened.reading.entry
            if opened.reading.identity.hasChanged(since: file.identity) { flags.insert(.changed) }
            flags.formUnion(self.flags(of: opened.reading, file.group))
        } catch {
            guard
                error.code == .sourceVanished || error.code == .sourceUnreadable
                    || error.code == .sourceChanged
            else { throw error }
            flags.insert(.changed)
        }
        entry.size = file.size
        entry.modified = file.identity.modified
        entry.extents = file.hasHoles ? file.extents : nil
        let start = offset
        try writeHeader(entry, into: &sink)
        try note(entry, .tree(Digest256()), flags, at: start)
    }
}
