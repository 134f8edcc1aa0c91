public import Basics
import Glibc

/// State that several threads change and wait for.
///
/// For lanes and other threads that may block; what never waits is better kept in a `Mutex`.
@safe public final class Monitor<State>: @unchecked Sendable {
    // Sendable: the state is touched under the mutex alone.
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init(_ state: sending State) {
        self.state = state
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(changed, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Changes the state, and wakes all who wait.
    public func change<Result>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(changed)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Blocks until `body` gives a value: it is asked at once and after each change.
    ///
    /// It is also asked ten times a second, so that it can look whether the run is to stop.
    public func wait<Result>(
        _ body: (inout State) throws(Failure) -> Result?
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            var end = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &end)
            end.tv_nsec += 100_000_000
            if end.tv_nsec >= 1_000_000_000 {
                end.tv_nsec -= 1_000_000_000
                end.tv_sec += 1
            }
            unsafe pthread_cond_timedwait(changed, mutex, &end)
        }
    }
}
