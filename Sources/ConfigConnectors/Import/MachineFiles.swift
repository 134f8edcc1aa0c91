import Archives
import Basics
import Glibc
import Redaction
import Streams
import Trees

/// Holds the staged tree against the files of a machine.
struct MachineFiles: ~Copyable {
    private let staged: TreeRoot
    private let machine: TreeRoot
    /// Takes the same secrets out of the machine's files as the export took out of its own; nil where the
    /// archive has them.
    private let redactor: Redactor?
    /// For texts that people see: no secret of either side may be in them.
    private let shown: Redactor
    /// The plan had no key for references, or gives none here: they are compared as omitted ones.
    private let dropsReferences: Bool
    /// Owners are compared by name on this machine; another one's names nobody knows.
    private let comparesNames: Bool
    private let progress: Progress
    private var reader: EntryReader
    private var stagedReader: EntryReader
    /// Paths of the index, omissions among them.
    private var known: Set<[UInt8]> = []
    /// Omissions among them: what lies below is not of the archive either, and no difference.
    private var closed: Set<[UInt8]> = []
    var result = MachineDifferences()

    static let largest: Int64 = SecretFilter.largest
    /// Longer texts are said to differ, without their lines.
    private static let largestShown = 256 << 10

    init(
        staged: String, machine: String, redactor: Redactor?, dropsReferences: Bool,
        progress: Progress
    ) throws(Failure) {
        let (stagedRoot, machineRoot) = (try TreeRoot(staged), try TreeRoot(machine))
        shown = try Redactor(mode: .omit)
        self.staged = stagedRoot
        self.machine = machineRoot
        reader = EntryReader(names: OwnerNames())
        stagedReader = EntryReader(names: OwnerNames())
        self.redactor = redactor
        self.dropsReferences = dropsReferences
        comparesNames = machine == "/"
        self.progress = progress
    }

    // MARK: - One object

    /// Compares one line of the index.
    ///
    /// - Parameter isWithin: the path is in one of the exported directories, not only on the way there.
    mutating func add(_ item: IndexItem, isWithin: Bool) throws(Failure) {
        try progress.checkCancelled()
        known.insert(item.path)
        guard case .entry(let indexed) = item else {
            closed.insert(item.path)
            if isWithin { result.uncompared.append((item.path, "not in the archive")) }
            return
        }
        let entry = indexed.entry
        guard isWithin else { return }
        do throws(Failure) { try compare(entry, indexed.attributeDigests) } catch {
            switch error.code {
            case .sourceVanished, .notFound: result.onlyHere.append(entry.path)
            case .sourceUnreadable, .denied:
                result.uncompared.append((entry.path, "cannot be read there"))
            case .treePathUnsafe:
                result.uncompared.append((entry.path, "a directory above it is a link there"))
            default: throw error
            }
        }
    }

    private mutating func compare(
        _ entry: Entry, _ extended: [TreeLeaf.AttributeDigest]
    ) throws(Failure) {
        guard let kind = try kind(of: entry.path) else {
            result.onlyHere.append(entry.path)
            return
        }
        let expected: WalkedKind =
            entry.kind == .hardlink ? .file : WalkedKind(rawValue: entry.kind.rawValue) ?? .file
        guard kind == expected else {
            result.differing.append(
                .init(path: entry.path, attributes: ["type"], lines: []))
            return
        }
        var cursor = TreeCursor(machine)
        let there = try reader.read(entry.path, kind, through: &cursor).entry
        var stagedCursor = TreeCursor(staged)
        // What the archive says of a further name, its first name has in the index.
        let here =
            entry.kind == .hardlink
            ? try stagedReader.read(entry.path, .file, through: &stagedCursor).entry : entry
        var attributes = differences(here, there)
        if entry.kind != .hardlink, Self.kept(extended) != Self.kept(masked(there)) {
            attributes.append("xattrs")
        }
        var lines: [String] = []
        var isRedacted = false
        if kind == .file {
            switch try compareContent(entry.path, there.size) {
            case .same: break
            case .sameButSecrets: isRedacted = true
            case .different(let shown):
                attributes.insert("content", at: 0)
                lines = shown
            }
        }
        if attributes.isEmpty {
            if isRedacted { result.sameButSecrets.append(entry.path) } else { result.same += 1 }
        } else {
            result.differing.append(.init(path: entry.path, attributes: attributes, lines: lines))
        }
    }

    /// Times stay out: two machines set up alike have other ones.
    private func differences(_ here: Entry, _ there: Entry) -> [String] {
        var attributes: [String] = []
        if here.target != there.target { attributes.append("target") }
        if here.kind != .symlink, here.mode != there.mode { attributes.append("mode") }
        let byName = comparesNames && !here.owner.isEmpty && !there.owner.isEmpty
        if byName ? here.owner != there.owner : here.uid != there.uid { attributes.append("owner") }
        let groupByName = comparesNames && !here.group.isEmpty && !there.group.isEmpty
        if groupByName ? here.group != there.group : here.gid != there.gid {
            attributes.append("group")
        }
        if here.accessACL != there.accessACL || here.defaultACL != there.defaultACL {
            attributes.append("acl")
        }
        return attributes
    }

    /// Digests of a machine's attributes as the archive would have them.
    private func masked(_ there: Entry) -> [TreeLeaf.AttributeDigest] {
        there.attributes.map { attribute in
            guard let redactor, attribute.name.starts(with: "user.".utf8) else {
                return TreeLeaf.AttributeDigest(attribute)
            }
            let value = redactor.redact(
                attribute: attribute.name, value: attribute.value, path: [0x2f] + there.path
            ).content
            return TreeLeaf.AttributeDigest(ExtendedAttribute(name: attribute.name, value: value))
        }
    }

    /// Without the labels that a security module gives by itself.
    private static func kept(
        _ attributes: [TreeLeaf.AttributeDigest]
    ) -> [TreeLeaf.AttributeDigest] {
        attributes.filter { attribute in
            !attribute.name.starts(with: "security.".utf8)
                || attribute.name.elementsEqual("security.capability".utf8)
        }
    }

    private func kind(of path: [UInt8]) throws(Failure) -> WalkedKind? {
        var cursor = TreeCursor(machine)
        return try unsafe cursor.withParent(of: path) { (directory, name) throws(Failure) in
            var status = stat()
            if unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
                return WalkedKind(mode: status.st_mode)
            }
            guard errno == ENOENT || errno == ENOTDIR else {
                throw Failure(errno: errno, "cannot look at it")
            }
            return nil
        }
    }

    // MARK: - Content

    enum Content {
        case same, sameButSecrets
        /// With the lines to show.
        case different([String])
    }

    private mutating func compareContent(
        _ path: [UInt8], _ size: Int64
    ) throws(Failure) -> Content {
        guard size <= Self.largest, let here = try Self.read(path, below: staged),
            let there = try Self.read(path, below: machine)
        else { return try haveSameBytes(path) ? .same : .different([]) }
        return try Self.compare(
            here, there, path, redactor: redactor, dropsReferences: dropsReferences, shown: shown)
    }

    /// - Parameters:
    ///   - here: as the archive has it.
    ///   - there: as the machine has it, with its secrets.
    static func compare(
        _ here: [UInt8], _ there: [UInt8], _ path: [UInt8], redactor: Redactor?,
        dropsReferences: Bool, shown: Redactor
    ) throws(Failure) -> Content {
        if here == there { return .same }
        let whole = [0x2f] + path
        if let redactor, Placeholder.isContained(in: here) {
            let masked = redactor.redact(path: whole, content: there).content
            let expected = dropsReferences ? Placeholders.withoutReferences(here) : here
            if masked == expected { return .sameButSecrets }
        }
        guard here.count <= largestShown, there.count <= largestShown,
            !here.contains(0), !there.contains(0)
        else { return .different([]) }
        let left = Placeholders.withoutReferences(shown.redact(path: whole, content: here).content)
        let right = shown.redact(path: whole, content: there).content
        return .different(LineDifference.lines(left, right))
    }

    /// Of files that are too large to be looked into, which therefore have no placeholders.
    private func haveSameBytes(_ path: [UInt8]) throws(Failure) -> Bool {
        let here = try Self.open(path, below: staged)
        let there = try Self.open(path, below: machine)
        guard try here.status().st_size == there.status().st_size else { return false }
        var left = Chunk()
        var right = Chunk()
        var offset: Int64 = 0
        while true {
            try progress.checkCancelled()
            try Self.fill(&left, from: here, at: offset)
            try Self.fill(&right, from: there, at: offset)
            let isSame = try unsafe left.withBytes { (one) throws(Failure) in
                try unsafe right.withBytes { (other) throws(Failure) in
                    unsafe one.elementsEqual(other)
                }
            }
            if !isSame || left.isEmpty { return isSame }
            offset += Int64(left.count)
        }
    }

    private static func fill(
        _ chunk: inout Chunk, from file: borrowing Descriptor, at offset: Int64
    ) throws(Failure) {
        chunk.removeAll()
        let raw = file.raw
        try unsafe chunk.append { (free) throws(Failure) in
            var done = 0
            while done < free.count {
                let count = retrying {
                    unsafe pread(
                        raw, free.baseAddress.map { unsafe $0 + done }, free.count - done,
                        Int(offset) + done)
                }
                guard count >= 0 else { throw Failure(errno: errno, "cannot read the file") }
                if count == 0 { break }
                done += count
            }
            return done
        }
    }

    private static func open(_ path: [UInt8], below root: TreeRoot) throws(Failure) -> Descriptor {
        var cursor = TreeCursor(root)
        let raw = try unsafe cursor.withParent(of: path) { (directory, name) throws(Failure) in
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
            let raw = retrying { unsafe openat(directory, name, flags) }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot open the file") }
            return raw
        }
        return Descriptor(owning: raw)
    }

    /// A whole file; nil for one that is too large.
    static func read(_ path: [UInt8], below root: TreeRoot) throws(Failure) -> [UInt8]? {
        let file = try open(path, below: root)
        let size = try file.status().st_size
        guard size <= Self.largest else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        var done = 0
        while done < bytes.count {
            let from = done
            let count = try Failure.catching {
                try unsafe bytes.withUnsafeMutableBytes { buffer in
                    try unsafe file.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[from...]))
                }
            }
            if count == 0 { break }
            done += count
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }

    // MARK: - What is there alone

    /// Looks for what the machine has in the exported directories and the archive does not know; of a
    /// directory that is there alone, only its own name is told.
    ///
    /// - Parameter paths: the exported directories, as paths of the machine.
    mutating func findOthers(_ paths: [String]) throws(Failure) {
        let top = machine.path == "/" ? "" : machine.path
        let present = paths.filter { Files.isDirectory(top + $0) }
        guard !present.isEmpty else { return }
        var walker = try TreeWalker(TreeScope(paths: present, below: machine.path))
        while let event = try walker.next() {
            try progress.checkCancelled()
            let path = walker.path
            if known.contains(path) { continue }
            let parent = Array(path[..<(path.lastIndex(of: 0x2f) ?? 0)])
            if closed.contains(parent) || !known.contains(parent), !parent.isEmpty {
                closed.insert(path)
                continue
            }
            switch event {
            case .entry, .mountPoint: result.onlyThere.append(path)
            case .unreadable: result.uncompared.append((path, "cannot be listed there"))
            case .excluded, .vanished: continue
            }
        }
    }
}

/// The lines in which two texts differ, without those around them.
enum LineDifference {
    /// Longer lists end with a line that says how long they are.
    private static let most = 200

    static func lines(_ here: [UInt8], _ there: [UInt8]) -> [String] {
        let here = here.split(separator: 0x0a, omittingEmptySubsequences: false)
        let there = there.split(separator: 0x0a, omittingEmptySubsequences: false)
        // What is the same at both ends would only cost time.
        var start = 0
        while start < min(here.count, there.count), here[start] == there[start] { start += 1 }
        var end = 0
        while end < min(here.count, there.count) - start,
            here[here.count - 1 - end] == there[there.count - 1 - end]
        { end += 1 }
        let left = Array(here[start..<here.count - end])
        let right = Array(there[start..<there.count - end])
        guard left.count * right.count <= 4_000_000 else {
            return ["\(counted(left.count, "line")) here and \(right.count) there"]
        }
        var lines = left.difference(from: right).map { change in
            switch change {
            case .insert(let offset, let line, _): (offset + start, "+", line)
            case .remove(let offset, let line, _): (offset + start, "-", line)
            }
        }
        lines.sort { ($0.0, $0.1) < ($1.0, $1.1) }
        let texts = lines.map { "\($0.1)\($0.0 + 1): \(String(decoding: $0.2, as: UTF8.self))" }
        return texts.count <= most ? texts : texts.prefix(most) + ["… \(texts.count) lines in all"]
    }
}
