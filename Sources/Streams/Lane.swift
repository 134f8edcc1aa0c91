import Glibc
import Synchronization

/// One thread that runs tasks, where calls into C may block without holding up anybody else.
///
/// The cooperative pool is as wide as the machine has cores, so a blocking read on it would freeze
/// progress and signals; tasks prefer a lane instead (`withTaskExecutorPreference`). The thread
/// ends when the lane is closed.
public final class Lane: TaskExecutor, Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var closed = false
    }

    private let state = Mutex(State())
    private let wake: Semaphore

    public init() {
        wake = Semaphore()
        let owner = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 4 << 20)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let status = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<Lane>.fromOpaque(pointer).takeRetainedValue().work()
                return nil
            }, owner.toOpaque())
        unsafe pthread_attr_destroy(&attributes)
        precondition(status == 0, "no thread could be started")
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        wake.signal()
    }

    /// Ends the thread once the jobs given so far are done.
    public func close() {
        state.withLock { $0.closed = true }
        wake.signal()
    }

    private func work() {
        while true {
            wake.wait()
            while let job = state.withLock({
                $0.jobs.isEmpty ? nil : $0.jobs.removeFirst()
            }) {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
            if state.withLock({ $0.closed && $0.jobs.isEmpty }) { return }
        }
    }
}

/// A counting semaphore of POSIX, at an address that does not move.
@safe private final class Semaphore: @unchecked Sendable {
    // Sendable: sem_post and sem_wait are made for several threads.
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { unsafe sem_init(raw, 0, 0) }

    deinit {
        unsafe sem_destroy(raw)
        unsafe raw.deallocate()
    }

    func signal() { unsafe sem_post(raw) }

    func wait() {
        while unsafe sem_wait(raw) != 0 {}
    }
}
