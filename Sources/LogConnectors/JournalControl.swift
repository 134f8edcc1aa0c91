import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Streams

/// journalctl, as a reader that is not ours.
enum JournalControl {
    static let program = "journalctl"

    static func missing(_ failure: Failure) -> Failure {
        Failure(
            .logTool, "journalctl cannot be started",
            hint: "Install the package systemd.", cause: failure)
    }

    /// The chain over all entries of journal files, read by journalctl.
    static func chain(of files: [String], _ progress: Progress) throws(Failure) -> JournalChain {
        let arguments =
            ["--output=export", "--no-pager", "--all", "--quiet"] + files.map { "--file=\($0)" }
        var chain = JournalChain()
        var ends: (Int32, Int32) = (-1, -1)
        let failed = unsafe withUnsafeMutableBytes(of: &ends) {
            unsafe pipe2($0.bindMemory(to: Int32.self).baseAddress, O_CLOEXEC)
        }
        guard failed == 0 else { throw Failure(errno: errno, "cannot make a pipe") }
        let output = SharedDescriptor(Descriptor(owning: ends.0), name: "what journalctl says")
        let input = Descriptor(owning: ends.1)
        var running: RunningCommand
        do throws(Failure) {
            running = try Command(program, arguments, environment: ["SYSTEMD_LOG_LEVEL": "warning"])
                .start(output: input.raw)
        } catch { throw missing(error) }
        _ = consume input
        var reader = JournalExportReader(PipeSource(output))
        while let entry = try reader.next() {
            chain.add(entry.digest, realtime: entry.realtime)
            if chain.entries & 0x3ff == 0 { try progress.checkCancelled() }
        }
        let outcome = try running.wait { progress.isCancelled }
        guard outcome.status == 0 else {
            throw Failure(
                .logTool, "journalctl cannot read \(files.joined(separator: ", "))",
                hint: outcome.errors.isEmpty ? nil : "It says: \(outcome.errors)")
        }
        return chain
    }
}

/// What comes out of a pipe, to its end.
struct PipeSource: ByteSource, ~Copyable {
    private let file: SharedDescriptor

    init(_ file: SharedDescriptor) { self.file = file }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let file = file
        try unsafe chunk.append { (free) throws(Failure) in
            try unsafe file.descriptor.read(into: free)
        }
    }
}
