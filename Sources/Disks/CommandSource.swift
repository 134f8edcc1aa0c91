public import Basics
import Glibc
public import Streams

/// What a program writes to standard output; the end of the stream is its good end, and any other is
/// a failure.
public struct CommandSource: ByteSource, ~Copyable {
    private var running: RunningCommand
    private let output: Descriptor
    private let input: SharedDescriptor?
    private let explain: @Sendable (Int32) -> Failure
    private var isAtEnd = false

    /// - Parameters:
    ///   - input: what it reads from standard input, from its position on.
    ///   - package: what to install where the program is missing.
    ///   - explain: the failure that a status other than 0 means; unless given, that the input is damaged.
    public init(
        _ command: Command, input: SharedDescriptor? = nil, package: String,
        explain: (@Sendable (Int32) -> Failure)? = nil
    ) throws(Failure) {
        let program = command.program
        self.explain =
            explain ?? { status in
                Failure(
                    .truncated, "\"\(program)\" ended with status \(status)",
                    hint: "The file may be damaged: copy it again from where it came.")
            }
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw Failure(errno: errno, "cannot make a pipe")
        }
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        // Larger than by default, so that both sides are woken seldom.
        _ = fcntl(reading.raw, F_SETPIPE_SZ, 1 << 20)
        do throws(Failure) {
            running = try command.start(input: input?.descriptor.raw, output: writing.raw)
        } catch {
            guard error.code == .notFound else { throw error }
            throw Failure(
                .diskTool, "\"\(command.program)\" is needed, and is not installed",
                hint: "Install the package \(package).", cause: error)
        }
        // The program's end is to end the stream: no writing end may be left here.
        _ = consume writing
        output = reading
        self.input = input
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while !isAtEnd, chunk.count < chunk.capacity {
            let before = chunk.count
            try unsafe chunk.append { (free) throws(Failure) in try unsafe output.read(into: free) }
            if chunk.count == before { isAtEnd = true }
        }
        guard isAtEnd, chunk.isEmpty else { return }
        let outcome = try running.wait()
        guard outcome.status == 0 else {
            let text = outcome.errors.split(separator: "\n").last.map(String.init)
            let failure = explain(outcome.status)
            throw Failure(
                failure.code, failure.what, hint: failure.hint,
                mayRetry: failure.mayRetry, cause: text.map { Failure(.diskTool, $0) })
        }
    }
}
