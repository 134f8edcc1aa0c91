import Basics
import Connectors
import Glibc
import Synchronization

/// What an import has done so far, kept in its work directory: one line for each replayed segment.
///
/// A line that a crash cut off is ignored; the segment is then replayed again. So is every segment once
/// the machine was started anew: after a power cut a line may be on the disk although what it tells of is
/// not.
final class ImportLedger: Sendable {
    private let file: Descriptor
    private let directory: String
    private let path: String
    private let lock: Descriptor
    private let done: Mutex<Set<String>>
    /// An earlier import in this directory has begun to write.
    let isResuming: Bool

    init(directory: String, archive: String, plan: String) throws(Failure) {
        try Files.makeDirectory(directory, mode: 0o700)
        lock = try Descriptor(opening: directory + "/lock", O_RDWR | O_CREAT)
        guard try lock.lock() else {
            throw Failure(
                .locked, "another import is working in \"\(directory)\"",
                hint: "Wait for it to end, or name another directory with --work.")
        }
        self.directory = directory
        path = directory + "/state"
        let opening = "archive \(archive) plan \(plan)"
        var lines: [Substring] = []
        if Files.exists(path) {
            let text = try Files.readText(path)
            // Only lines that end are whole.
            lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            if lines.first.map(String.init) != opening, try Self.hasNothing(directory) {
                lines = []
            }
            guard lines.isEmpty || lines[0] == opening else {
                throw Failure(
                    .planChanged, "\"\(directory)\" belongs to another import",
                    hint: "Resume with the same archive and plan, or name another --work directory."
                )
            }
        }
        isResuming = !lines.isEmpty
        let boot = "boot \(Boot.identity)"
        let kept =
            lines.dropFirst().first == Substring(boot) ? lines.dropFirst(2).map(String.init) : []
        done = Mutex(Set(kept))
        // Written anew without what a crash cut off, and never not there in between.
        let whole = [opening, boot] + kept
        try Files.write(
            Array((whole.joined(separator: "\n") + "\n").utf8), to: path, mode: 0o600)
        file = try Descriptor(opening: path, O_WRONLY | O_APPEND)
    }

    /// Whether an import has come to its end here before it began: its plan may be corrected, and this one
    /// takes its place.
    private static func hasNothing(_ directory: String) throws(Failure) -> Bool {
        if Files.exists(begunPath(directory)) { return false }
        for room in try Files.names(in: directory) where room.hasPrefix("source-") {
            // Of a release that kept no note for all sources.
            for name in ["begun", "staging-begun", "finished"]
            where Files.exists("\(directory)/\(room)/\(name)") { return false }
        }
        return true
    }

    private static func begunPath(_ directory: String) -> String { directory + "/begun" }

    /// To be called when no source was refused, before the first connector notes that it has begun.
    func begin() throws(Failure) {
        try Files.write([], to: Self.begunPath(directory), mode: 0o600)
    }

    private func key(_ source: Int, _ number: SegmentNumber) -> String {
        "\(source) \(number.artifact) \(number.segment)"
    }

    func isDone(_ source: Int, _ number: SegmentNumber) -> Bool {
        done.withLock { $0.contains(key(source, number)) }
    }

    func note(_ source: Int, _ number: SegmentNumber) throws(Failure) {
        let line = key(source, number)
        try done.withLock { (done) throws(Failure) in
            do throws(Failure) { try file.writeAll(Array((line + "\n").utf8)) } catch {
                throw error.during("cannot write \"\(path)\"")
            }
            done.insert(line)
        }
    }
}
