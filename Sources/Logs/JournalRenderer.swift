public import Basics
import Glibc
public import Primitives
public import Streams

/// Writes entries of journal files in the journal export format, and takes their digests on the way.
///
/// One for each lane; nothing is allocated per entry. What is written is what `journalctl -o export`
/// of systemd 252 writes, but for fields above 1 MiB, which always have the binary form.
public final class JournalRenderer {
    /// What could not be given of an entry as it should be.
    public struct Flaws: Sendable, Equatable {
        /// Fields that are left out: neither they nor their decompressed form can be had.
        public var unreadable = 0
        /// Fields that are given, but do not have the hash that the file says.
        public var damaged = 0

        public init() {}
        public var isEmpty: Bool { unreadable == 0 && damaged == 0 }
    }

    private let fields = JournalFieldSet()
    private let loader: JournalFieldLoader
    private let output = ByteArena(capacity: 2 << 20)

    /// As much is gathered before it is passed on.
    private static let pieceSize = 1 << 20

    public init() throws(Failure) { loader = try JournalFieldLoader() }

    /// Writes one entry; its digest, and what was wrong with it.
    public func render(
        _ entry: JournalEntry, of file: JournalFile, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> (Digest256, Flaws) {
        fields.removeAll()
        fields.add(realtime: entry.realtime, monotonic: entry.monotonic, boot: entry.boot)
        writeHead(entry, of: file)
        var flaws = Flaws()
        for number in 0..<entry.items {
            guard let (offset, hash) = try file.item(number, of: entry),
                let field = try file.field(offset)
            else {
                flaws.unreadable += 1
                continue
            }
            try write(field, of: file, &flaws, into: &sink)
            if !file.header.isCompact, hash != field.hash { flaws.damaged += 1 }
        }
        output.append(0x0a)
        if output.count >= Self.pieceSize { try flush(into: &sink) }
        return (fields.digest(), flaws)
    }

    /// Passes on what is still held; to be called behind the last entry.
    public func flush(into sink: inout some ByteSink & ~Copyable) throws(Failure) {
        if output.count == 0 { return }
        try unsafe sink.write(buffer: output.all)
        output.removeAll()
    }

    /// Forgets what was gathered of a segment that has failed.
    public func reset() { output.removeAll() }

    private func writeHead(_ entry: JournalEntry, of file: JournalFile) {
        output.append("__CURSOR=s=")
        output.append(file.header.sequenceID)
        output.append(";i=")
        output.append(hex: entry.sequence)
        output.append(";b=")
        output.append(entry.boot)
        output.append(";m=")
        output.append(hex: entry.monotonic)
        output.append(";t=")
        output.append(hex: entry.realtime)
        output.append(";x=")
        output.append(hex: entry.hash)
        output.append("\n__REALTIME_TIMESTAMP=")
        output.append(decimal: entry.realtime)
        output.append("\n__MONOTONIC_TIMESTAMP=")
        output.append(decimal: entry.monotonic)
        output.append("\n_BOOT_ID=")
        output.append(entry.boot)
        output.append(0x0a)
    }

    private func write(
        _ field: JournalField, of file: JournalFile, _ flaws: inout Flaws,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        let start = fields.arena.count
        switch try loader.load(field, of: file, into: fields.arena) {
        case .unreadable: flaws.unreadable += 1
        case .large: try writeLarge(field, of: file, &flaws, into: &sink)
        case .damaged:
            flaws.damaged += 1
            writeLoaded(start, &flaws)
        case .loaded: writeLoaded(start, &flaws)
        }
    }

    private func writeLoaded(_ start: Int, _ flaws: inout Flaws) {
        let range = start..<fields.arena.count
        let bytes = unsafe fields.arena.bytes(range)
        guard let name = unsafe JournalText.nameLength(bytes) else {
            flaws.unreadable += 1
            fields.arena.remove(from: start)
            return
        }
        // The head has said it already.
        if unsafe JournalText.begins(bytes, with: "_BOOT_ID=") {
            fields.arena.remove(from: start)
            return
        }
        if unsafe JournalText.isPrintable(bytes) {
            unsafe output.append(bytes)
        } else {
            unsafe output.append(UnsafeRawBufferPointer(rebasing: bytes[..<name]))
            output.append(0x0a)
            output.append(littleEndian: UInt64(bytes.count - name - 1))
            unsafe output.append(UnsafeRawBufferPointer(rebasing: bytes[(name + 1)...]))
        }
        output.append(0x0a)
        if bytes.count > JournalFieldSet.longest {
            let value = unsafe SHA256.hash(UnsafeRawBufferPointer(rebasing: bytes[(name + 1)...]))
            let length = bytes.count
            fields.arena.remove(from: start + name + 1)
            fields.arena.append(value)
            fields.add(start..<fields.arena.count, length: length)
        } else {
            fields.add(range)
        }
    }

    /// A field of any length, in two passes: the first tells whether it can be read to its end, for
    /// its length stands before it.
    private func writeLarge(
        _ field: JournalField, of file: JournalFile, _ flaws: inout Flaws,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var name: [UInt8]?
        var isFirst = true
        var hasher = SHA256()
        var hash = SipHash(file.header.fileID)
        let isWhole = try unsafe loader.stream(field, of: file) { (bytes) throws(Failure) in
            unsafe hash.update(bytes)
            var rest = unsafe bytes
            if isFirst {
                isFirst = false
                if let length = unsafe JournalText.nameLength(bytes) {
                    name = unsafe Array(bytes[..<length])
                    unsafe rest = UnsafeRawBufferPointer(rebasing: bytes[(length + 1)...])
                }
            }
            unsafe hasher.update(rest)
        }
        guard isWhole, let name, let length = field.length else {
            flaws.unreadable += 1
            return
        }
        // lookup3 wants the whole at once: large fields of old files go without that check.
        if file.header.isKeyed, hash.finish() != field.hash { flaws.damaged += 1 }
        let start = fields.arena.count
        fields.arena.append(name)
        fields.arena.append(0x3d)
        fields.arena.append(hasher.finish())
        fields.add(start..<fields.arena.count, length: Int(length))
        output.append(name)
        output.append(0x0a)
        output.append(littleEndian: UInt64(length) - UInt64(name.count) - 1)
        try flush(into: &sink)
        var skipped = name.count + 1
        var written = Int64(name.count + 1)
        let isSame = try unsafe loader.stream(field, of: file) { (bytes) throws(Failure) in
            written += Int64(bytes.count - skipped)
            try unsafe sink.write(buffer: UnsafeRawBufferPointer(rebasing: bytes[skipped...]))
            skipped = 0
        }
        guard isSame, written == length else {
            throw Failure(
                .sourceChanged, "\"\(file.path)\" changed while a large field of it was read",
                mayRetry: true)
        }
        output.append(0x0a)
    }
}

extension ByteArena {
    func append(_ digest: Digest256) {
        append(bigEndian: digest.words.0)
        append(bigEndian: digest.words.1)
        append(bigEndian: digest.words.2)
        append(bigEndian: digest.words.3)
    }
}
