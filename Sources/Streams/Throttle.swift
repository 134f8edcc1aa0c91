public import Basics
import Glibc
import Synchronization

/// A bandwidth limit that any number of lanes share.
public final class Throttle: Sendable {
    private let bytesPerSecond: Double
    private let free = Mutex(0.0)

    public init(bytesPerSecond: Int64) { self.bytesPerSecond = Double(bytesPerSecond) }

    /// Blocks the calling thread until `count` more bytes are within the limit.
    public func admit(_ count: Int) {
        let wait = free.withLock { free in
            let now = Double(monotonicNanoseconds()) / 1e9
            let start = max(free, now)
            free = start + Double(count) / bytesPerSecond
            return start - now
        }
        if wait > 0 { usleep(UInt32(min(wait, 60) * 1_000_000)) }
    }
}

/// Lets bytes pass no faster than its throttles allow.
public struct Throttled<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private let throttles: [Throttle]
    private var next: Next

    public init(_ throttles: [Throttle], into next: consuming Next) {
        self.throttles = throttles
        self.next = next
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        for throttle in throttles { throttle.admit(bytes.byteCount) }
        try next.write(bytes)
    }

    public mutating func finish() throws(Failure) { try next.finish() }
}
