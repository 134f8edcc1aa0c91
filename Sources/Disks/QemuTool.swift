import Basics
import Glibc
import Streams

/// Programs of QEMU, run with messages in English.
enum QemuTool {
    private static let environment = ["LC_ALL": "C"]

    static func start(_ program: String, _ arguments: [String]) throws(Failure) -> RunningCommand {
        do throws(Failure) {
            return try Command(program, arguments, environment: environment).start()
        } catch { throw explained(error, program) }
    }

    /// Runs a program to its good end and gives what it wrote to standard output.
    static func run(
        _ program: String, _ arguments: [String], doing what: String, accepting: [Int32] = [0],
        isCancelled: () -> Bool = { false }
    ) throws(Failure) -> (status: Int32, output: String) {
        // Without a name: nothing is left of it when we are killed.
        let output = try Command.unnamedFile()
        let status = try finish(program, arguments, output, what, accepting, isCancelled)
        let size = min(Int(try output.status().st_size), 1 << 20)
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try Failure.catching {
            try unsafe bytes.withUnsafeMutableBytes { try unsafe output.read(into: $0, at: 0) }
        }
        return (status, String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// Runs a program to its good end, then gives its standard output line by line, however long it is.
    static func lines(
        _ program: String, _ arguments: [String], doing what: String,
        isCancelled: () -> Bool = { false }, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        let output = try Command.unnamedFile()
        _ = try finish(program, arguments, output, what, [0], isCancelled)
        let size = Int64(try output.status().st_size)
        var source = FileSource(SharedDescriptor(output, name: "its output"), from: 0, size: size)
        var chunk = Chunk(capacity: 64 << 10)
        var line: [UInt8] = []
        repeat {
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                for index in 0..<bytes.count {
                    let byte = unsafe bytes[index]
                    if byte != 0x0a {
                        line.append(byte)
                        continue
                    }
                    try body(line)
                    line.removeAll(keepingCapacity: true)
                }
            }
        } while !chunk.isEmpty
        if !line.isEmpty { try body(line) }
    }

    private static func finish(
        _ program: String, _ arguments: [String], _ output: borrowing Descriptor, _ what: String,
        _ accepting: [Int32], _ isCancelled: () -> Bool
    ) throws(Failure) -> Int32 {
        let outcome: Command.Outcome
        do throws(Failure) {
            var running = try Command(program, arguments, environment: environment)
                .start(output: output.raw)
            outcome = try running.wait(isCancelled: isCancelled)
        } catch { throw explained(error, program) }
        guard accepting.contains(outcome.status) else { throw failed(what, outcome) }
        return outcome.status
    }

    static func failed(_ what: String, _ outcome: Command.Outcome) -> Failure {
        let text = outcome.errors.split(separator: "\n").suffix(3).joined(separator: "; ")
        let isFull = text.contains("No space left on device")
        return Failure(
            isFull ? .noSpace : .diskTool, what,
            hint: isFull ? "Free space on the file system, then run the same command again." : nil,
            cause: Failure(
                .diskTool, text.isEmpty ? "it ended with status \(outcome.status)" : text))
    }

    private static func explained(_ failure: Failure, _ program: String) -> Failure {
        guard failure.code == .notFound else { return failure }
        return Failure(
            .diskTool, "\"\(program)\" is needed, and is not installed",
            hint: "Install the package qemu-utils.", cause: failure)
    }
}
