public import Basics
public import Connectors
import Streams
import Synchronization

/// The parts of a rehearsal whose times are told apart.
public enum RehearsalPhase: String, Sendable, CaseIterable {
    /// The whole archive examined before.
    case verify
    /// The throw-away target made; no restore in earnest has it.
    case prepare
    /// Stored bytes read from the archive for the replay, and digested once more.
    case fetch
    case decode = "decrypt-and-decompress"
    case load
    case index
    case analyse
    case compare
    case boot
    case probe

    public init(_ phase: ImportPhase) {
        self =
            switch phase {
            case .load: .load
            case .index: .index
            case .analyse: .analyse
            case .compare: .compare
            }
    }
}

/// When the phases of one source began and ended, and what they waited for.
///
/// Every lane adds to it; times are nanoseconds of the monotonic clock since `origin`.
public final class PhaseClock: Sendable {
    public struct Span: Sendable {
        public let phase: RehearsalPhase
        /// From the first beginning to the last end.
        public internal(set) var start: UInt64
        public internal(set) var end: UInt64
        /// What all lanes together spent in it.
        public internal(set) var busy: UInt64
        /// How much of that was waiting for plaintext of the archive.
        public internal(set) var reading: UInt64
    }

    private struct State {
        var spans: [Span] = []
        var reading: UInt64 = 0
    }

    public let origin: UInt64
    private let state = Mutex(State())
    private let fetched = Atomic<UInt64>(0)
    private let decoded = Atomic<UInt64>(0)
    private let throttled = Atomic<UInt64>(0)
    private let storedBytes = Atomic<UInt64>(0)
    private let plainBytes = Atomic<UInt64>(0)

    public init(origin: UInt64) { self.origin = origin }

    /// In the order of their beginning.
    public var spans: [Span] { state.withLock { $0.spans.sorted { $0.start < $1.start } } }

    /// Nanoseconds that reading stored bytes took, all lanes together; then decrypting and
    /// decompressing them; then waiting because the plan limits the bandwidth.
    public var reading: (fetch: UInt64, decode: UInt64, limit: UInt64) {
        let all = decoded.load(ordering: .relaxed)
        let fetch = fetched.load(ordering: .relaxed)
        return (fetch, all > fetch ? all - fetch : 0, throttled.load(ordering: .relaxed))
    }

    public var bytes: (stored: Int64, plain: Int64) {
        (
            Int64(storedBytes.load(ordering: .relaxed)), Int64(plainBytes.load(ordering: .relaxed))
        )
    }

    public func now() -> UInt64 { monotonicNanoseconds() - origin }

    public func measure<Value>(
        _ phase: RehearsalPhase, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let start = now()
        let before = self.reading
        defer {
            let after = self.reading
            add(
                phase, from: start, to: now(),
                reading: after.fetch + after.decode + after.limit - before.fetch - before.decode
                    - before.limit)
        }
        return try body()
    }

    public func add(
        _ phase: RehearsalPhase, from start: UInt64, to end: UInt64, reading: UInt64 = 0
    ) {
        state.withLock { state in
            let busy = end > start ? end - start : 0
            guard let place = state.spans.firstIndex(where: { $0.phase == phase }) else {
                state.spans.append(
                    Span(phase: phase, start: start, end: end, busy: busy, reading: reading))
                return
            }
            state.spans[place].start = min(state.spans[place].start, start)
            state.spans[place].end = max(state.spans[place].end, end)
            state.spans[place].busy += busy
            state.spans[place].reading += reading
        }
    }

    enum Reading { case fetch, decode, limit }

    func add(_ reading: Reading, nanoseconds: UInt64, bytes: Int) {
        let end = now()
        switch reading {
        case .fetch: add(.fetch, from: end > nanoseconds ? end - nanoseconds : 0, to: end)
        case .decode: add(.decode, from: end > nanoseconds ? end - nanoseconds : 0, to: end)
        case .limit: break
        }
        switch reading {
        case .fetch:
            fetched.add(nanoseconds, ordering: .relaxed)
            storedBytes.add(UInt64(bytes), ordering: .relaxed)
        case .decode:
            decoded.add(nanoseconds, ordering: .relaxed)
            plainBytes.add(UInt64(bytes), ordering: .relaxed)
        case .limit: throttled.add(nanoseconds, ordering: .relaxed)
        }
    }
}

/// A stage that tells a clock how long the one behind it takes; without a clock it only passes on.
struct TimedSource<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var source: Source
    private let clock: PhaseClock?
    private let reading: PhaseClock.Reading

    init(_ source: consuming Source, _ clock: PhaseClock?, _ reading: PhaseClock.Reading) {
        self.source = source
        self.clock = clock
        self.reading = reading
    }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        guard let clock else { return try source.read(into: &chunk) }
        let start = clock.now()
        try source.read(into: &chunk)
        clock.add(reading, nanoseconds: clock.now() - start, bytes: chunk.count)
    }
}
