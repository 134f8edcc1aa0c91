import Basics
import Glibc
import Synchronization

/// A server or machine of a rehearsal, ended with its owner at the latest.
///
/// It sees nothing of our environment but the path. Before the program begins, its process writes its own number and time of beginning to a record, so
/// that there is no moment at which it runs and nobody knows.
final class OwnedProcess: Sendable {
    private let running: Mutex<RunningCommand?>
    private let record: String
    let program: String

    /// Processes that `--keep` leaves running; here they are never ended.
    private static let kept = Mutex<[OwnedProcess]>([])

    private static let script = """
        record=$1 owner=$2; shift 2
        started() { shift 19; echo "$1"; }
        parent() { echo "$2"; }
        read -r line <"/proc/$$/stat"
        echo "$$ $(started ${line##*) })" >"$record" || exit 1
        # Whoever cleans up after an owner that was killed before this has not seen the record.
        read -r line <"/proc/$$/stat"
        [ "$(parent ${line##*) })" = "$owner" ] || exit 1
        # What a restored program may read of its environment is nothing of ours.
        exec env -i PATH="$PATH" HOME="$HOME" LC_ALL=C "$@"
        """

    /// - Parameters:
    ///   - errors: a file for what it says.
    ///   - cage: what keeps it from the network.
    init(
        _ program: String, _ arguments: [String], record: String, errors: String, cage: Cage,
        environment: [String: String] = [:]
    ) throws(Failure) {
        self.record = record
        self.program = program
        let words = cage.wrapped([program] + arguments)
        let complaints = try Descriptor(
            opening: errors, O_RDWR | O_CREAT | O_APPEND, mode: 0o600)
        let output = dup(complaints.raw)
        defer { close(output) }
        let started = try Command(
            "sh", ["-c", Self.script, "sh", record, String(getpid())] + words,
            environment: environment
        ).start(output: output, errors: complaints)
        running = Mutex(consume started)
    }

    var number: Int32 { running.withLock { $0?.identifier ?? 0 } }

    /// How it ended, nil while it runs.
    func outcome() throws(Failure) -> Command.Outcome? {
        try running.withLock { (running) throws(Failure) in try running?.poll() }
    }

    var isRunning: Bool {
        running.withLock { running in
            guard running != nil else { return false }
            do throws(Failure) { return try running?.poll() == nil } catch { return false }
        }
    }

    /// Ends it at once: nothing of it is worth keeping.
    func end() {
        ProcessRecord(reading: record)?.end()
        running.withLock { $0 = nil }
        try? Files.remove(record)
    }

    func keep() { Self.kept.withLock { $0.append(self) } }

    deinit { running.withLock { $0 = nil } }
}

extension Command.Outcome {
    /// A few words of what a program complained about.
    var complaint: String {
        let lines = errors.split(separator: "\n").suffix(3).joined(separator: "; ")
        return lines.isEmpty ? "it ended with status \(status)" : lines
    }
}
