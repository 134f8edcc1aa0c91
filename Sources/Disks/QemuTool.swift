import Basics
import Glibc

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
        let outcome: Command.Outcome
        do throws(Failure) {
            var running = try Command(program, arguments, environment: environment)
                .start(output: output.raw)
            outcome = try running.wait(isCancelled: isCancelled)
        } catch { throw explained(error, program) }
        guard accepting.contains(outcome.status) else { throw failed(what, outcome) }
        let size = min(Int(try output.status().st_size), 1 << 20)
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try Failure.catching {
            try unsafe bytes.withUnsafeMutableBytes { try unsafe output.read(into: $0, at: 0) }
        }
        return (outcome.status, String(decoding: bytes[..<count], as: UTF8.self))
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
