public import Basics
import Synchronization

/// Counters that lanes add to and a reporter samples; also the flag that asks a run to stop.
public final class Progress: Sendable {
    private let read = Atomic<Int64>(0)
    private let stored = Atomic<Int64>(0)
    private let finished = Atomic<Int64>(0)
    private let stopping = Atomic<Bool>(false)
    private let notices = Mutex<[String]>([])

    public init() {}

    /// Bytes of plaintext that have passed.
    public var bytes: Int64 { read.load(ordering: .relaxed) }
    /// Bytes stored, or written to the target.
    public var bytesStored: Int64 { stored.load(ordering: .relaxed) }
    /// Objects (files, rows, entries) done.
    public var objects: Int64 { finished.load(ordering: .relaxed) }

    public func add(bytes: Int64 = 0, stored more: Int64 = 0, objects: Int64 = 0) {
        if bytes != 0 { read.add(bytes, ordering: .relaxed) }
        if more != 0 { stored.add(more, ordering: .relaxed) }
        if objects != 0 { finished.add(objects, ordering: .relaxed) }
    }

    /// Leaves a line for the display: what a run waits for, or what may go wrong later. It decides nothing.
    public func tell(_ line: String) { notices.withLock { $0.append(line) } }

    /// The lines since the last call.
    public func takeNotices() -> [String] {
        notices.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    /// Asks every lane to stop at its next chunk.
    public func cancel() { stopping.store(true, ordering: .relaxed) }

    public var isCancelled: Bool { stopping.load(ordering: .relaxed) }

    /// Throws `.cancelled` once `cancel` was called; stages look at it once per chunk.
    public func checkCancelled() throws(Failure) {
        if isCancelled { throw Failure(.cancelled, "interrupted") }
    }
}
