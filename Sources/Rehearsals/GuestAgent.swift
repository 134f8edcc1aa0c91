import Basics
import Glibc
import Streams

/// Speaks with the QEMU guest agent of a machine, over the socket that stands for its virtio port.
///
/// Source: "QEMU Guest Agent Protocol Reference". One JSON text a line, each way.
struct GuestAgent: ~Copyable {
    private var lines: JSONLines

    private init(_ connection: consuming Descriptor) { lines = JSONLines(connection) }

    /// Connects, and waits until an agent answers.
    static func reached(
        _ path: String, until end: UInt64, progress: Progress
    ) throws(Failure) -> GuestAgent {
        var agent = GuestAgent(try Port.connect(unix: path))
        var number: Int64 = 4711
        while monotonicNanoseconds() < end {
            try progress.checkCancelled()
            number += 1
            if try agent.answers(number, until: end, progress) { return agent }
        }
        throw Failure(.serverUnreachable, "no guest agent answers")
    }

    private mutating func answers(
        _ number: Int64, until end: UInt64, _ progress: Progress
    ) throws(Failure) -> Bool {
        // 0xff makes the agent forget what it may have half read.
        try lines.send("guest-sync-delimited", ["id": .integer(number)], mark: 0xff)
        let soon = min(end, monotonicNanoseconds() + 2_000_000_000)
        while let answer = try lines.next(until: soon, progress) {
            if answer["return"]?.integer == number { return true }
        }
        return false
    }

    private mutating func ask(
        _ command: String, _ arguments: JSON?, until end: UInt64, _ progress: Progress
    ) throws(Failure) -> JSON {
        try lines.send(command, arguments)
        guard let answer = try lines.next(until: end, progress), let value = answer["return"] else {
            throw Failure(.serverAnswer, "the guest agent does not answer to \(command)")
        }
        return value
    }

    /// What a command in the guest wrote to standard output.
    mutating func run(
        _ words: [String], until end: UInt64, progress: Progress
    ) throws(Failure) -> String {
        let started = try ask(
            "guest-exec",
            [
                "path": .string(words[0]),
                "arg": .array(words.dropFirst().map { .string($0) }), "capture-output": true,
            ], until: end, progress)
        guard let process = started["pid"]?.integer else {
            throw Failure(.serverAnswer, "the guest agent did not start \"\(words[0])\"")
        }
        while monotonicNanoseconds() < end {
            try progress.checkCancelled()
            let status = try ask(
                "guest-exec-status", ["pid": .integer(process)], until: end, progress)
            guard status["exited"]?.bool == true else {
                usleep(200_000)
                continue
            }
            guard status["exitcode"]?.integer == 0 else {
                throw Failure(
                    .serverAnswer,
                    "\"\(words[0])\" ended with status \(status["exitcode"]?.integer ?? -1)")
            }
            let data = status["out-data"]?.string.flatMap { Base64.decode($0) } ?? []
            return String(decoding: data, as: UTF8.self)
        }
        throw Failure(.serverAnswer, "\"\(words[0])\" did not end in time")
    }
}
