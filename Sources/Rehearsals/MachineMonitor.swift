import Basics
import Streams

/// Asks QEMU about a machine, over QMP ("QEMU Machine Protocol Specification").
enum MachineMonitor {
    /// Whether the guest itself has taken a connection that came to a port of this machine.
    ///
    /// QEMU accepts for the guest, before it has asked it: that a port connects says nothing.
    static func hasTaken(
        port: UInt16, at path: String, progress: Progress
    ) throws(Failure) -> Bool {
        var lines = JSONLines(try Port.connect(unix: path))
        let end = monotonicNanoseconds() + 3_000_000_000
        try lines.send("qmp_capabilities", nil)
        _ = try answer(&lines, until: end, progress)
        try lines.send("human-monitor-command", ["command-line": "info usernet"])
        let table = try answer(&lines, until: end, progress)
        return hasTaken(port: port, in: table.string ?? "")
    }

    /// `TCP[ESTABLISHED]  23  127.0.0.1 40001  10.0.2.15 80  0 0`: state, descriptor, from, to, queues.
    static func hasTaken(port: UInt16, in table: String) -> Bool {
        table.split(whereSeparator: \.isNewline).contains { line in
            let words = line.split(separator: " ")
            return words.count >= 6 && words[0] == "TCP[ESTABLISHED]" && words[3] == String(port)
        }
    }

    private static func answer(
        _ lines: inout JSONLines, until end: UInt64, _ progress: Progress
    ) throws(Failure) -> JSON {
        // Between the lines come events, and first a greeting.
        while let line = try lines.next(until: end, progress) {
            if let value = line["return"] { return value }
            if line["error"] != nil { break }
        }
        throw Failure(.serverAnswer, "the machine does not answer")
    }
}

/// A conversation in lines of JSON, as QEMU and its guest agent hold them.
struct JSONLines: ~Copyable {
    private let connection: Descriptor
    private var pending: [UInt8] = []

    init(_ connection: consuming Descriptor) { self.connection = connection }

    /// - Parameter mark: a byte in front of the line.
    func send(_ command: String, _ arguments: JSON?, mark: UInt8? = nil) throws(Failure) {
        var members: [JSON.Member] = [.init("execute", .string(command))]
        if let arguments { members.append(.init("arguments", arguments)) }
        let line = JSON.object(members).line + [0x0a]
        try connection.writeAll((mark.map { [$0] } ?? []) + line)
    }

    /// The next line that is JSON; nil when none comes in time, or no more will.
    mutating func next(until end: UInt64, _ progress: Progress) throws(Failure) -> JSON? {
        while true {
            if let place = pending.firstIndex(of: 0x0a) {
                let bytes = pending[..<place].filter { $0 != 0xff && $0 != 0x0d }
                pending.removeFirst(place + 1)
                if let json = try? JSON(parsing: Array(bytes)) { return json }
                continue
            }
            try progress.checkCancelled()
            guard monotonicNanoseconds() < end else { return nil }
            guard let piece = Port.read(connection.raw, milliseconds: 100) else { continue }
            guard !piece.isEmpty, pending.count < 16 << 20 else { return nil }
            pending += piece
        }
    }
}
