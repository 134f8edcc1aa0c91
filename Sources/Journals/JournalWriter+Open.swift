public import Basics
import Glibc
import Primitives
import Streams

extension JournalWriter {
    /// Creates a journal whose first line, `run.opened`, carries these fields.
    ///
    /// The file appears under its name with that line in it, or not at all; an existing one is
    /// `.exists`.
    public convenience init(
        creating path: String, first fields: [JSON.Member], world: World
    ) throws(Failure) {
        guard !Files.exists(path) else {
            throw Failure(
                .exists, "cannot create the journal \"\(path)\": it exists",
                hint: "Resume the run, or choose another output.")
        }
        var summary = JournalSummary()
        let line = try JournalLine.make(after: summary, at: world.now(), .runOpened, fields)
        summary.append(line: line)
        try Files.write(line + [0x0a], to: path)
        let file = try Descriptor(opening: path, O_RDWR | O_NOFOLLOW)
        self.init(SharedDescriptor(file, name: "\"\(path)\""), summary, world: world)
    }

    /// Goes on with a journal after an interruption.
    ///
    /// The whole chain is checked and every entry handed to `each`, in order. A torn end – bytes
    /// that no LF follows, or a last stretch into which a power cut has put zeros – was never
    /// acknowledged and is cut off; any other defect is `.journalBroken`, and leaves the file as
    /// it is. The caller sees to it that nobody else writes.
    public convenience init(
        resuming path: String, world: World,
        each: (Journal.Entry) throws(Failure) -> Void = { _ in }
    ) throws(Failure) {
        let file = SharedDescriptor(
            try Descriptor(opening: path, O_RDWR | O_NOFOLLOW), name: "\"\(path)\"")
        let size = Int64(try file.descriptor.status().st_size)
        let summary = try Self.recovered(file, size: size, each: each)
        do throws(Failure) {
            if summary.bytes < size { try file.descriptor.truncate(to: summary.bytes) }
            // Entries that the last writer had not synced count from now on.
            try file.descriptor.sync()
        } catch { throw error.during("cannot resume the journal \(file.name)") }
        self.init(file, summary, world: world)
    }

    /// A torn end can be as long as what several threads append at once, and no longer.
    private static let longestTear: Int64 = 1 << 20

    private static func recovered(
        _ file: SharedDescriptor, size: Int64, each: (Journal.Entry) throws(Failure) -> Void
    ) throws(Failure) -> JournalSummary {
        var summary = JournalSummary()
        var source = FileSource(file, from: 0, size: size)
        let limit = Int(longestTear)
        do throws(Failure) {
            _ = try JournalReader.lines(of: &source, longest: limit) { (line) throws(Failure) in
                // No line holds a zero byte: a file system puts it where data did not arrive.
                guard !line.contains(0) else { return false }
                try each(try JournalLine.check(line, after: summary))
                summary.append(line: line)
                return true
            }
        } catch {
            throw error.code == .journalMalformed ? broken(file, cause: error) : error
        }
        guard summary.entries > 0, size - summary.bytes <= longestTear else {
            throw broken(file)
        }
        return summary
    }

    private static func broken(_ file: SharedDescriptor, cause: Failure? = nil) -> Failure {
        Failure(
            .journalBroken, "cannot resume from the journal \(file.name)",
            hint: "It was damaged or changed after it was written; export to another output.",
            cause: cause)
    }
}
