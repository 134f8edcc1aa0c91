public import Basics
import Glibc
import Synchronization

/// A bandwidth limit that any number of lanes share.
public final class Throttle: Sendable {
    private let bytesPerSecond: Double
    private let free = Mutex(0.0)

    public init(bytesPerSecond: Int64) { self.bytesPerSecond = Double(bytesPerSecond) }

    /// Blocks the calling thread until `count` more bytes are within the limit, or the run is
    /// cancelled.
    public func admit(_ count: Int, progress: Progress) throws(Failure) {
        let wait = free.withLock { free in
            let now = Double(monotonicNanoseconds()) / 1e9
            let start = max(free, now)
            free = start + Double(count) / bytesPerSecond
            return start - now
        }
        guard wait > 0 else { return }
        let end = monotonicNanoseconds() + UInt64(min(wait, 1e9) * 1e9)
        while true {
            try progress.checkCancelled()
            let now = monotonicNanoseconds()
            if now >= end { return }
            usleep(UInt32(min(end - now, 50_000_000) / 1000 + 1))
        }
    }
}

/// Lets bytes pass no faster than its throttles allow.
public struct Throttled<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private let throttles: [Throttle]
    private let progress: Progress
    private var next: Next

    public init(_ throttles: [Throttle], progress: Progress, into next: consuming Next) {
        self.throttles = throttles
        self.progress = progress
        self.next = next
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        for throttle in throttles {
            try throttle.admit(bytes.byteCount, progress: progress)
        }
        try next.write(bytes)
    }

    /// Nothing is read and next to nothing stored for them: they count for no limit.
    public mutating func write(zeros count: Int64) throws(Failure) {
        try progress.checkCancelled()
        try next.write(zeros: count)
    }

    public mutating func finish() throws(Failure) { try next.finish() }
}
