import Archives
import Basics
import Connectors
import Glibc
import Logs
import Primitives
import Streams

/// Finds the files of text logs, groups them to streams, puts these in order, and selects by time.
struct TextInventory: ~Copyable {
    let settings: TextSettings
    let progress: Progress
    let holder: TextHolder
    var layout = TextLayout()
    var findings: [Finding] = []
    var found: [Candidate] = []
    private var seen: [Identity: Int] = [:]
    private var excluded: Set<[UInt8]> = []
    /// What patterns lead to and is no file, until it is known what lies below the directories.
    private var others: [(path: [UInt8], reason: LogOmission, detail: String)] = []
    private var otherNames: Set<[UInt8]> = []
    private var reader = EntryReader(names: OwnerNames())

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// A file before its stream is known.
    struct Candidate {
        /// As the pattern leads to it.
        let name: [UInt8]
        var member: TextMember
        var rotation: TextRotation
        let group: Int
        /// The first time in it, as far as its beginning tells.
        var first: Timestamp?
        var isYearless = false
        /// For the order where nothing else tells.
        let modified: Timestamp
    }

    init(_ settings: TextSettings, holder: TextHolder, progress: Progress) {
        self.settings = settings
        self.holder = holder
        self.progress = progress
    }

    /// - Parameter selecting: read what a range of time needs; without it, sizes are of whole files.
    mutating func take(selecting: Bool) throws(Failure) -> (TextLayout, [Finding]) {
        for number in settings.groups.indices { try gather(number) }
        settleOthers()
        noteUntimed()
        try makeStreams(selecting: selecting)
        try finish()
        return (layout, findings)
    }

    // MARK: - Files

    private mutating func gather(_ number: Int) throws(Failure) {
        let group = settings.groups[number]
        for pattern in group.patterns {
            var paths: [[UInt8]] = []
            var denied: [([UInt8], String)] = []
            TextGlob(pattern).expand(denied: { denied.append(($0, $1)) }) { paths.append($0) }
            for (path, what) in denied {
                layout.omitted.append(.init(reason: .unreadable, path: path, detail: what))
            }
            var count = 0
            for path in paths {
                try progress.checkCancelled()
                if try add(path, number) { count += 1 }
            }
            if count == 0, denied.isEmpty, others.isEmpty {
                findings.append(
                    Finding(
                        "log-none", .warning, "no file is named \"\(pattern)\"",
                        decision: "Correct the pattern, or take it out."))
            }
        }
    }

    /// Whether it is a file.
    private mutating func add(_ name: [UInt8], _ number: Int) throws(Failure) -> Bool {
        guard let kind = TextGlob.kind(name, follows: true), kind == S_IFREG else {
            set(aside: name)
            return false
        }
        guard let path = Files.resolved(name) else { return false }
        if let pattern = settings.excludes.excludingAnywhere(
            Array(name.dropFirst()), isDirectory: false)
        {
            if excluded.insert(name).inserted {
                layout.excluded.append(
                    .init(path: name, reason: settings.excludeReasons[pattern]))
            }
            return true
        }
        let file: SharedDescriptor
        do throws(Failure) { file = try TextHolder.open(path) } catch {
            if error.code == .sourceVanished { return false }
            layout.omitted.append(
                .init(
                    reason: .unreadable, path: name, detail: error.cause?.what ?? error.what))
            return true
        }
        let status = try file.descriptor.status()
        let identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        if let place = seen[identity] {
            if found[place].name != name { found[place].member.others.append(name) }
            layout.links += 1
            return true
        }
        let group = settings.groups[number]
        let text = TextName.text(name[((name.lastIndex(of: 0x2f) ?? -1) + 1)...])
        let rotation = TextRotation(text)
        var entry = try metadata(path, .file, Array(name.dropFirst()))
        entry.size = Int64(status.st_size)
        let modified = Timestamp(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int32(status.st_mtim.tv_nsec))
        let member = TextMember(
            entry: entry, path: path, device: identity.device, inode: identity.inode,
            size: Int64(status.st_size), packing: TextInventory.packing(rotation.packing),
            format: group.format,
            clock: TextClockSetting(
                zone: group.zone, latest: Self.latest(modified, group.year)))
        var candidate = Candidate(
            name: name, member: member, rotation: rotation, group: number, modified: modified)
        if candidate.member.packing == nil, let packing = rotation.packing {
            findings.append(
                Finding(
                    "log-packing", .note,
                    "\(TextHolder.quoted(name)) is packed as .\(packing): it is kept as it is, and "
                        + "its lines are not looked at"))
        }
        try peek(&candidate, file)
        seen[identity] = found.count
        found.append(candidate)
        holder.hold(member, file)
        return true
    }

    /// A pattern leads to something that is no regular file: never passed over without a word.
    private mutating func set(aside name: [UInt8]) {
        guard otherNames.insert(name).inserted else { return }
        let kind = TextGlob.kind(name, follows: true)
        if let pattern = settings.excludes.excludingAnywhere(
            Array(name.dropFirst()), isDirectory: kind == S_IFDIR)
        {
            if excluded.insert(name).inserted {
                layout.excluded.append(
                    .init(path: name, reason: settings.excludeReasons[pattern]))
            }
            return
        }
        let words: [mode_t: String] = [
            S_IFIFO: "a FIFO", S_IFSOCK: "a socket", S_IFCHR: "a device", S_IFBLK: "a device",
        ]
        switch kind {
        case S_IFDIR:
            others.append(
                (name, .directories, "a directory, of which no file is exported"))
        case nil:
            // A file that was there when its directory was listed has been rotated away: no link.
            guard TextGlob.kind(name, follows: false) == S_IFLNK else { return }
            others.append((name, .specialFiles, "a link that leads nowhere"))
        case let kind?:
            others.append((name, .specialFiles, words[kind] ?? "no regular file"))
        }
    }

    /// A directory is left out where it holds something, and no pattern leads to any of that.
    private mutating func settleOthers() {
        var covered: Set<[UInt8]> = []
        for name in found.map(\.name) + Array(excluded) {
            var path = name[...]
            while let slash = path.lastIndex(of: 0x2f) {
                path = path[..<slash]
                guard covered.insert(Array(path)).inserted else { break }
            }
        }
        for other in others {
            if other.reason == .directories {
                guard !covered.contains(other.path),
                    (try? Files.byteNames(in: other.path))?.isEmpty != true
                else { continue }
            }
            layout.omitted.append(
                .init(reason: other.reason, path: other.path, detail: other.detail))
        }
    }

    /// A range of time selects nothing where no time is understood: such files are kept whole, and the plan says so.
    private mutating func noteUntimed() {
        let untimed = found.filter {
            !settings.groups[$0.group].range.isAll && $0.first == nil && $0.member.size > 0
        }
        guard let first = untimed.first else { return }
        findings.append(
            Finding(
                "log-undated", .note,
                "no time is understood at the beginning of \(counted(untimed.count, "file")) (the first of them: "
                    + "\(TextHolder.quoted(first.name))): where none follows either, they are exported "
                    + "whole, whatever the range of time",
                decision: "Say their `format`, or exclude those that are not to be exported."))
    }

    private static func packing(_ suffix: String?) -> Packing? {
        suffix.flatMap { Packing(rawValue: $0 == "zstd" ? "zst" : $0) }
    }

    private static func latest(_ modified: Timestamp, _ year: Int64?) -> Timestamp {
        guard let year, let end = Timestamp("\(year)-12-31T12:00:00Z") else { return modified }
        return end
    }

    private mutating func metadata(
        _ path: [UInt8], _ kind: WalkedKind, _ name: [UInt8]
    ) throws(Failure) -> Entry {
        let reading = try reader.read(atPath: path, kind)
        var entry = reading.entry
        entry.path = name
        entry.extents = nil
        return entry
    }

    /// Reads the beginning: the first time, for the order.
    func peek(
        _ candidate: inout Candidate, _ file: SharedDescriptor
    ) throws(Failure) {
        var start = candidate.member
        start.size = min(start.size, TextMember.headSize)
        var seeker = TextFirstTime(
            format: start.format, clock: start.seeded())
        var head = SHA256()
        let outcome = try unsafe TextContent(member: start, file: file, progress: progress).read(
            stored: { (bytes) throws(Failure) in unsafe head.update(bytes) }
        ) { (bytes) throws(Failure) in unsafe seeker.feed(bytes) }
        seeker.finish()
        candidate.first = seeker.first
        candidate.member.head = outcome.stored == start.size ? head.finish() : nil
        candidate.isYearless = seeker.isYearless
    }

    // MARK: - The tar

    private mutating func finish() throws(Failure) {
        try nameSelections()
        var directories: Set<[UInt8]> = []
        for item in layout.items {
            var path = item.entry.path[...]
            while let slash = path.lastIndex(of: 0x2f) {
                path = path[..<slash]
                guard directories.insert(Array(path)).inserted else { break }
            }
        }
        var items = Array(layout.items.enumerated().map { ($0.element, Optional($0.offset)) })
        for path in directories {
            let entry: Entry
            if let real = Files.resolved([0x2f] + path) {
                entry = try metadata(real, .directory, path)
            } else {
                var plain = Entry(path: path, kind: .directory)
                plain.mode = 0o755
                entry = plain
            }
            items.append((.directory(entry), nil))
        }
        items.sort { $0.0.entry.path.lexicographicallyPrecedes($1.0.entry.path) }
        var places = [Int](repeating: 0, count: layout.items.count)
        for (place, item) in items.enumerated() {
            if let old = item.1 { places[old] = place }
        }
        layout.items = items.map(\.0)
        for stream in layout.streams.indices {
            layout.streams[stream].members = layout.streams[stream].members.map { places[$0] }
        }
        layout.cut()
    }

    /// What is selected of a packed file is plain text, and named so.
    private mutating func nameSelections() throws(Failure) {
        var names = Set(layout.items.map(\.entry.path))
        for place in layout.items.indices {
            guard case .member(var member) = layout.items[place], member.runs != nil,
                member.packing != nil, let dot = member.entry.path.lastIndex(of: 0x2e)
            else { continue }
            var plain = Array(member.entry.path[..<dot])
            while names.contains(plain) { plain += Array(".selected".utf8) }
            names.insert(plain)
            member.entry.path = plain
            layout.items[place] = .member(member)
        }
    }
}

/// Looks for the first line with a time.
private struct TextFirstTime {
    private struct Seeker: TextLineVisitor {
        var first: Timestamp?
        mutating func line(at offset: Int64, _ time: Timestamp?) { first = first ?? time }
    }

    private var scanner: TextScanner
    private var seeker = Seeker()

    init(format: TextFormat?, clock: TextClock) {
        scanner = TextScanner(format: format, clock: clock)
    }

    var first: Timestamp? { seeker.first }
    var isYearless: Bool { scanner.clock.tally.yearless > 0 }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        if first == nil { unsafe scanner.feed(bytes, &seeker) }
    }

    mutating func finish() { scanner.finish(&seeker) }
}

extension Files {
    /// The path with all links resolved, as bytes; nil where it leads nowhere.
    static func resolved(_ path: [UInt8]) -> [UInt8]? {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        guard let resolved = unsafe realpath(text, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)).map { $0 }
    }
}

extension EntryReader {
    /// Reads an object by its absolute path, which no link is in.
    mutating func read(atPath path: [UInt8], _ kind: WalkedKind) throws(Failure) -> Reading {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        return try Failure.catching {
            try unsafe text.withUnsafeBufferPointer {
                guard let start = $0.baseAddress else {
                    throw Failure(.failed, "an empty path")
                }
                return try unsafe read(Array(path.dropFirst()), kind, in: AT_FDCWD, start)
            }
        }
    }
}
