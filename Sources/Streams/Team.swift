public import Basics
import Glibc
import Synchronization

/// Threads for one piece of blocking work that falls into parts, called from a lane.
public enum Team {
    /// Calls `body` once with each of the numbers below `count`, in the order of beginning, on at
    /// most that many threads, the caller's among them. Returns when all have ended.
    ///
    /// Throws the first failure; after it, nothing more is begun.
    public static func run(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws(Failure) -> Void
    ) throws(Failure) {
        let work = Work(count, body)
        var helpers: [pthread_t] = []
        for _ in 1..<max(1, min(threads, count)) {
            var helper = pthread_t()
            let owner = unsafe Unmanaged.passRetained(work)
            let status = unsafe pthread_create(
                &helper, nil,
                { pointer in
                    guard let pointer = unsafe pointer else { return nil }
                    unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
                    return nil
                }, owner.toOpaque())
            if status == 0 {
                helpers.append(helper)
            } else {
                // Fewer threads do the same work.
                unsafe owner.release()
            }
        }
        work.run()
        for helper in helpers { pthread_join(helper, nil) }
        if let failure = work.failure { throw failure }
    }
}

private final class Work: Sendable {
    private struct State {
        var next = 0
        var failure: Failure?
    }

    private let count: Int
    private let body: @Sendable (Int) throws(Failure) -> Void
    private let state = Mutex(State())

    init(_ count: Int, _ body: @escaping @Sendable (Int) throws(Failure) -> Void) {
        self.count = count
        self.body = body
    }

    var failure: Failure? { state.withLock { $0.failure } }

    func run() {
        while let number = next() {
            do throws(Failure) { try body(number) } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
    }

    private func next() -> Int? {
        state.withLock { state in
            guard state.failure == nil, state.next < count else { return nil }
            state.next += 1
            return state.next - 1
        }
    }
}
