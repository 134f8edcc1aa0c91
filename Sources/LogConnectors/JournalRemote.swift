import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Streams

/// systemd-journal-remote, which makes journal files of the journal export format.
final class JournalRemote {
    private var running: RunningCommand
    /// nil once all has been fed.
    private var input: SharedDescriptor?
    private let path: String

    private static let places = [
        "/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote",
    ]

    /// Where it lies; it is in no directory that is searched for programs.
    static func program() throws(Failure) -> String {
        guard let place = places.first(where: { Files.exists($0) }) else {
            throw Failure(
                .logTool, "systemd-journal-remote is not installed",
                hint: "Install the package systemd-journal-remote on the machine that imports.")
        }
        return place
    }

    init(writing path: String) throws(Failure) {
        self.path = path
        var ends: (Int32, Int32) = (-1, -1)
        let failed = unsafe withUnsafeMutableBytes(of: &ends) {
            unsafe pipe2($0.bindMemory(to: Int32.self).baseAddress, O_CLOEXEC)
        }
        guard failed == 0 else { throw Failure(errno: errno, "cannot make a pipe") }
        let output = Descriptor(owning: ends.0)
        input = SharedDescriptor(Descriptor(owning: ends.1), name: "systemd-journal-remote")
        running = try Command(
            Self.program(), ["--split-mode=none", "--output=\(path)", "-"],
            environment: ["SYSTEMD_LOG_LEVEL": "notice"]
        ).start(input: output.raw)
    }

    /// Gives it the entries of one segment.
    func feed(_ stream: SegmentStream, _ progress: Progress) throws(Failure) {
        guard let input else { return }
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            do throws(Failure) {
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    try unsafe input.descriptor.writeAll(bytes)
                    progress.add(bytes: Int64(bytes.count))
                }
            } catch {
                throw ended(error)
            }
        } while !chunk.isEmpty
    }

    func finish(_ progress: Progress) throws(Failure) {
        input = nil
        let outcome = try running.wait { progress.isCancelled }
        guard outcome.status == 0 else { throw failed(outcome) }
    }

    /// It has closed its end: what it said tells why.
    private func ended(_ failure: Failure) -> Failure {
        input = nil
        guard failure.code != .cancelled, let outcome = try? running.wait() else { return failure }
        return failed(outcome)
    }

    private func failed(_ outcome: Command.Outcome) -> Failure {
        Failure(
            .logTool,
            "systemd-journal-remote cannot write \"\(path)\" (status \(outcome.status))",
            hint: outcome.errors.isEmpty ? nil : "It says: \(outcome.errors)")
    }
}
