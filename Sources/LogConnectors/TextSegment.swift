import Archives
import Basics
import Glibc
import Logs
import Primitives
import Streams

/// Writes one segment of the tar of text logs, and reads on the way what the text adds up to.
struct TextSegment {
    let layout: TextLayout
    let number: Int
    let holder: TextHolder
    let progress: Progress
    private var pax = PaxWriter()
    private var header: [UInt8] = []
    /// Bytes of plaintext written.
    private var position: Int64 = 0
    private var notes: [TextNote] = []

    init(_ layout: TextLayout, _ number: Int, holder: TextHolder, progress: Progress) {
        self.layout = layout
        self.number = number
        self.holder = holder
        self.progress = progress
    }

    /// What was learnt, in the order of the items.
    mutating func write(
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> [TextNote] {
        switch layout.segments[number] {
        case .items(let range):
            for place in range {
                switch layout.items[place] {
                case .directory(let entry):
                    var note = TextNote(item: place)
                    note.offset = position
                    try put(entry, &sink)
                    notes.append(note)
                    progress.add(objects: 1)
                case .member(let member): try write(member, place, &sink)
                }
            }
        case .part(let place, let range): try write(part: range, of: place, &sink)
        }
        if number == layout.segments.count - 1 { try sink.write(PaxWriter.end) }
        return notes
    }

    private mutating func put(
        _ entry: Entry, _ sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        header.removeAll(keepingCapacity: true)
        pax.appendHeader(of: entry, to: &header)
        try sink.write(header)
        position += Int64(header.count)
    }

    // MARK: - Whole members

    private mutating func write(
        _ member: TextMember, _ place: Int, _ sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var note = TextNote(item: place)
        note.offset = position
        let file: SharedDescriptor
        let before: stat
        var entry = member.entry
        do throws(Failure) {
            file = try holder.open(member)
            before = try file.descriptor.status()
            let there = Int64(before.st_size)
            if there < member.size, member.runs == nil {
                note.lacks = .shortened
                note.detail = "\(member.size - there) of \(member.size) bytes are gone"
                entry.size = there
            }
        } catch {
            switch error.code {
            case .sourceVanished: note.omitted = .vanished
            case .sourceUnreadable: note.omitted = .unreadable
            default: throw error
            }
            note.detail = error.cause?.what ?? error.what
            notes.append(note)
            return
        }
        note.size = entry.size
        try compare(TextContent(member: member, file: file, progress: progress), &note)
        try put(entry, &sink)
        var content = TextContent(member: member, file: file, progress: progress)
        if member.runs == nil {
            var shorter = member
            shorter.size = entry.size
            content = TextContent(member: shorter, file: file, progress: progress)
            try writeStored(content, &note, &sink)
        } else {
            try writeSelected(content, &note, &sink)
        }
        Self.note(content.losses, &note)
        try Self.compare(before, file, &note)
        try sink.write(zeros: Int64(PaxWriter.padding(after: entry.size)))
        position += entry.size + Int64(PaxWriter.padding(after: entry.size))
        notes.append(note)
        progress.add(objects: 1)
    }

    /// Notes that a file is not the one that the inventory saw, below the end of that: emptied and filled again (its lines
    /// of then are where the rotation has copied them), or written anew in its place.
    private func compare(_ content: TextContent, _ note: inout TextNote) throws(Failure) {
        guard let head = content.member.head, note.lacks == nil else { return }
        var start = content.member
        start.runs = nil
        start.packing = nil
        start.size = min(start.size, TextMember.headSize)
        var hasher = SHA256()
        let outcome = try unsafe TextContent(member: start, file: content.file, progress: progress)
            .read(stored: { (bytes) throws(Failure) in unsafe hasher.update(bytes) }) {
                (_) throws(Failure) in
            }
        guard outcome.stored < start.size || hasher.finish() != head else { return }
        note.lacks = .changed
        note.detail = "its beginning is another one than at the inventory: it was written anew"
    }

    /// Notes that a file was written to in its place while it was read; what grows at its end is none of that.
    private static func compare(
        _ before: stat, _ file: SharedDescriptor, _ note: inout TextNote
    ) throws(Failure) {
        let after = try file.descriptor.status()
        guard note.lacks == nil, after.st_size == before.st_size,
            after.st_mtim.tv_sec != before.st_mtim.tv_sec
                || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec
        else { return }
        note.lacks = .changed
        note.detail = "it was written to in its place while it was read"
    }

    private static func note(_ losses: TextContent.Losses, _ note: inout TextNote) {
        guard losses.bytes > 0, note.lacks == nil || note.lacks == .damaged else { return }
        note.lacks = .unreadable
        note.detail =
            "\(losses.bytes) bytes gave read errors, the first of them byte \(losses.first): zeros "
            + "stand for them"
    }

    /// The file as it is stored; read as text beside that, unpacked where it is packed.
    private func writeStored(
        _ content: TextContent, _ note: inout TextNote, _ sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var hasher = SHA256()
        var reading = TextReading(content.member)
        let isPacked = content.member.packing != nil
        let outcome = try unsafe content.read(
            stored: { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
                unsafe hasher.update(bytes)
            },
            text: { (bytes) throws(Failure) in unsafe reading.feed(bytes, hashing: isPacked) })
        guard outcome.stored == content.member.size else { throw Self.shortenedMeanwhile(content) }
        let digest = hasher.finish()
        note.sha256 = digest
        let (facts, text) = reading.finish()
        note.facts = facts
        note.text = isPacked ? text : digest
        if let damage = outcome.damage {
            note.lacks = note.lacks ?? .damaged
            note.detail = note.detail.isEmpty ? damage : note.detail
        }
    }

    private func writeSelected(
        _ content: TextContent, _ note: inout TextNote, _ sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var hasher = SHA256()
        var reading = TextReading(content.member)
        let size = content.member.entry.size
        let count = try unsafe content.exported(0..<size) { (bytes) throws(Failure) in
            try unsafe sink.write(buffer: bytes)
            unsafe hasher.update(bytes)
            unsafe reading.feed(bytes, hashing: false)
        }
        if count < size {
            note.lacks = .shortened
            note.detail = "\(size - count) of \(size) selected bytes are gone: zeros stand for them"
            try fill(size - count, &sink) { hasher.update($0) }
        }
        let digest = hasher.finish()
        note.sha256 = digest
        if count == size {
            note.facts = reading.finish().facts
            note.text = digest
        }
    }

    private func fill(
        _ count: Int64, _ sink: inout some ByteSink & ~Copyable, _ hash: ([UInt8]) -> Void
    ) throws(Failure) {
        var left = count
        while left > 0 {
            let zeros = [UInt8](repeating: 0, count: Int(min(left, 64 << 10)))
            try sink.write(zeros)
            hash(zeros)
            left -= Int64(zeros.count)
        }
    }

    private static func shortenedMeanwhile(_ content: TextContent) -> Failure {
        Failure(
            .sourceChanged, "\(content.file.name) was cut short while it was read", mayRetry: true)
    }

    // MARK: - Large members

    private mutating func write(
        part range: Range<Int64>, of place: Int, _ sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        guard let member = layout.member(place) else {
            throw Failure(.failed, "a part of what is no file")
        }
        var note = TextNote(item: place)
        note.size = member.entry.size
        var file: SharedDescriptor?
        do throws(Failure) { file = try holder.open(member) } catch {
            switch error.code {
            // Its header may be stored already: zeros stand for what is gone.
            case .sourceVanished: note.lacks = .vanished
            case .sourceUnreadable: note.lacks = .unreadable
            default: throw error
            }
            note.detail = error.cause?.what ?? error.what
        }
        if range.lowerBound == 0 {
            if let file {
                try compare(TextContent(member: member, file: file, progress: progress), &note)
            }
            try put(member.entry, &sink)
        }
        var hasher = TreeHasher(from: range.lowerBound)
        let size = range.upperBound - range.lowerBound
        var count: Int64 = 0
        if let file {
            let content = TextContent(member: member, file: file, progress: progress)
            count = try unsafe content.exported(range) { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
                unsafe hasher.update(bytes)
            }
            Self.note(content.losses, &note)
        }
        if count < size {
            try sink.write(zeros: size - count)
            hasher.update(zeros: size - count)
            note.lacks = note.lacks ?? .shortened
            if note.detail.isEmpty {
                note.detail =
                    "\(size - count) bytes from byte \(range.lowerBound + count) on are "
                    + "gone: zeros stand for them"
            }
        }
        note.leaves = hasher.finish()
        if range.upperBound == member.entry.size {
            try sink.write(zeros: Int64(PaxWriter.padding(after: member.entry.size)))
        }
        if range.lowerBound == 0, let file,
            [nil, .changed, .unreadable].contains(note.lacks)
        {
            try readWhole(TextContent(member: member, file: file, progress: progress), &note)
        }
        notes.append(note)
        if range.lowerBound == 0 { progress.add(objects: 1) }
    }

    /// Reads a large member from its beginning to its end, since lines know nothing of parts.
    ///
    /// Its digest as a tree is taken once more: if it is not that of the parts, the file was changed between the two.
    private func readWhole(_ content: TextContent, _ note: inout TextNote) throws(Failure) {
        var reading = TextReading(content.member)
        var hasher = TreeHasher(from: 0)
        guard content.member.runs == nil else {
            let size = content.member.entry.size
            let count = try unsafe content.exported(0..<size) { (bytes) throws(Failure) in
                unsafe reading.feed(bytes, hashing: true)
                unsafe hasher.update(bytes)
            }
            if count == size { (note.facts, note.text) = reading.finish() }
            note.whole = hasher.finish().root
            return
        }
        let outcome = try unsafe content.read(
            stored: { (bytes) throws(Failure) in unsafe hasher.update(bytes) }
        ) {
            (bytes) throws(Failure) in
            unsafe reading.feed(bytes, hashing: true)
        }
        note.whole = hasher.finish().root
        if let damage = outcome.damage, note.lacks == nil {
            note.lacks = .damaged
            note.detail = damage
        }
        if outcome.stored == content.member.size { (note.facts, note.text) = reading.finish() }
    }
}

/// Reads the text of a member: what it adds up to, and its digest.
struct TextReading: ~Copyable {
    private var scanner: TextScanner
    private var unseen = TextLinesUnseen()
    private var hasher = SHA256()

    init(_ member: TextMember) {
        scanner = TextScanner(format: member.format, clock: member.seeded())
    }

    init(format: TextFormat?, clock: TextClock) {
        scanner = TextScanner(format: format, clock: clock)
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer, hashing: Bool) {
        if hashing { unsafe hasher.update(bytes) }
        unsafe scanner.feed(bytes, &unseen)
    }

    mutating func finish() -> (facts: TextFacts, text: Digest256) {
        scanner.finish(&unseen)
        return (scanner.facts, hasher.finish())
    }
}
