import Basics
import Glibc
import Streams

/// What a call that starts a task has answered.
enum StartedTask: Sendable, Equatable {
    case running(UPID)
    /// "OK" instead of a task: there was nothing to do on that node, because the guest is elsewhere.
    case nothing

    init(_ answer: JSON) throws(Failure) {
        if answer.string == "OK" {
            self = .nothing
        } else if let upid = answer.string.flatMap({ UPID($0) }) {
            self = .running(upid)
        } else {
            throw Failure(.serverAnswer, "the server started no task that can be followed")
        }
    }
}

/// How a task ended that did what it should.
struct TaskResult: Sendable, Equatable {
    let upid: UPID
    /// How many warnings its log has.
    let warnings: Int
}

/// What the log of a backup says of the lock that lets one at a time run on a node.
///
/// Source: `PVE::VZDump`, `getlock`.
struct QueueWatch {
    let upid: UPID
    /// Whether there may be something to tell yet.
    private(set) var isOpen: Bool
    private var waits = false

    init(_ upid: UPID) {
        self.upid = upid
        isOpen = upid.type == "vzdump"
    }

    mutating func close() { isOpen = false }

    /// A line for people when something has changed.
    ///
    /// - Parameter begins: how the log begins.
    mutating func notice(of begins: [String]) -> String? {
        let guest = upid.object.isEmpty ? "a backup" : "the backup of guest \(upid.object)"
        let waited = waits
        waits = waits || begins.contains { $0.contains("trying to get global lock") }
        if begins.contains(where: {
            $0.contains("got global lock") || $0.contains("starting new backup job")
        }) {
            close()
            return waited ? "\(guest) begins" : nil
        }
        guard waits, !waited else { return nil }
        return "\(guest) waits for another one on node \"\(upid.node)\", which makes one at a time"
    }
}

/// Waits for tasks of Proxmox VE.
struct TaskFollower: Sendable {
    let client: ProxmoxClient
    /// Waits that many milliseconds; a test has no time for it.
    var pause: @Sendable (Int) -> Void = { usleep(UInt32($0) * 1000) }
    /// How many lines of a log a failure shows.
    var shownLines = 15
    /// How many questions may fail in a row before the task counts as lost from sight.
    var patience = 20

    init(_ client: ProxmoxClient) { self.client = client }

    private func path(_ upid: UPID, _ rest: String...) -> [String] {
        ["nodes", upid.node, "tasks", upid.text] + rest
    }

    /// Waits until a task has ended. Asks after 1 s, and then less and less often, up to every 5 s.
    ///
    /// Throws `.serverTaskFailed` with the end of the log when it failed. An interruption of the run
    /// stops the task on the server, and throws `.cancelled` when it has ended.
    func follow(_ upid: UPID) throws(Failure) -> TaskResult {
        var delay = 1000
        var misses = 0
        var queue = QueueWatch(upid)
        while true {
            do throws(Failure) {
                try wait(delay)
                let status = try client.get(path(upid, "status"))
                misses = 0
                if status["status"]?.string == "stopped" {
                    return try result(upid, status["exitstatus"]?.string)
                }
                look(at: &queue)
            } catch {
                if error.code == .cancelled {
                    stop(upid)
                    throw error
                }
                // The task goes on without us: a question that got no answer is asked again.
                misses += 1
                guard error.mayRetry, misses < patience else { throw error }
            }
            delay = min(delay + delay / 2, 5000)
        }
    }

    /// A backup may wait for hours behind another one of its node, and only its log says so.
    private func look(at queue: inout QueueWatch) {
        guard queue.isOpen else { return }
        // What cannot be had is not worth a second question.
        guard let begins = try? lines(queue.upid, from: 0, 20) else { return queue.close() }
        if let notice = queue.notice(of: begins) { client.progress.tell(notice) }
    }

    /// In pieces of 200 ms, so that an interruption is seen.
    private func wait(_ milliseconds: Int) throws(Failure) {
        var left = milliseconds
        while left > 0 {
            try client.progress.checkCancelled()
            pause(min(left, 200))
            left -= 200
        }
        try client.progress.checkCancelled()
    }

    private func result(_ upid: UPID, _ status: String?) throws(Failure) -> TaskResult {
        let status = status ?? "no exit status"
        if status == "OK" { return TaskResult(upid: upid, warnings: 0) }
        if status.hasPrefix("WARNINGS: "), let count = Int(status.dropFirst("WARNINGS: ".count)) {
            return TaskResult(upid: upid, warnings: count)
        }
        let redact = Redaction(client.session.secrets)
        let isKilled = status == "unexpected status"
        let object = upid.object.isEmpty ? "" : " of \"\(upid.object)\""
        var cause: Failure?
        var advice: String?
        if let tail = try? log(upid, last: shownLines), !tail.isEmpty {
            advice = Self.advice(on: tail)
            cause = Failure(
                .serverTaskFailed,
                "its log ends with:\n" + tail.map { "   " + redact($0) }.joined(separator: "\n"))
        }
        throw Failure(
            .serverTaskFailed,
            "the task \(upid.type)\(object) on node \"\(upid.node)\" failed: \(redact(status))",
            hint: isKilled
                ? "It was killed, or the node restarted: check the node, and the guest for a lock that was left."
                : advice,
            cause: cause)
    }

    /// What to do about what tools of a node say.
    private static func advice(on log: [String]) -> String? {
        log.compactMap { line in
            advices.first { advice in advice.signs.contains { line.contains($0) } }?.text
        }.first
    }

    private static let advices: [(signs: [String], text: String)] = [
        (
            [
                "No space left on device", "out of space", "Disk quota exceeded",
                "not enough free space",
            ], "Free space on the storage, then run the same command again."
        ),
        // Its lock is no rest of a task: the memory on the disk belongs to it.
        (
            ["VM is locked (suspended)"],
            "The guest is suspended to disk, and no server backs up such a one: resume it, or leave it "
                + "out of the plan, then run the same command again."
        ),
        (
            ["VM is locked (", "CT is locked ("],
            "Wait for the task that holds the lock, then run the same command again; `qm unlock` or "
                + "`pct unlock` on the node removes a lock that was left behind."
        ),
        (
            ["There is a max backup limit"],
            "Use a storage of its own with keep-all=1 for the transport, or free a place on this one."
        ),
    ]

    /// Asks the server to stop a task, and waits a while until it has. A task that does not stop stays.
    func stop(_ upid: UPID) {
        guard (try? client.deleteAnyway(path(upid))) != nil else { return }
        for _ in 0..<60 {
            let status = try? client.getAnyway(path(upid, "status"))
            if status?["status"]?.string != "running" { return }
            pause(500)
        }
    }

    // MARK: - Log

    /// The last lines of a log.
    func log(_ upid: UPID, last count: Int) throws(Failure) -> [String] {
        let first = try client.envelope(path(upid, "log"), ["start": "0", "limit": "1"])
        let total = Int(clamping: first["total"]?.number ?? 0)
        return try lines(upid, from: max(0, total - count), count)
    }

    /// All of a log, at most `limit` lines from its beginning.
    func log(_ upid: UPID, limit: Int = 20_000) throws(Failure) -> [String] {
        var all: [String] = []
        while all.count < limit {
            let wanted = min(500, limit - all.count)
            let some = try lines(upid, from: all.count, wanted)
            all += some
            if some.count < wanted { break }
        }
        return all
    }

    private func lines(_ upid: UPID, from start: Int, _ count: Int) throws(Failure) -> [String] {
        let answer = try client.get(
            path(upid, "log"), ["start": String(start), "limit": String(count)])
        return (answer.array ?? []).prefix(count).compactMap { line in
            line["t"]?.string.map { $0.count > 500 ? $0.prefix(500) + "…" : $0 }
        }
    }
}
