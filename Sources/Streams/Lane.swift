import Glibc
import Synchronization

/// One thread that runs tasks, where calls into C may block without holding up anybody else.
///
/// The cooperative pool is as wide as the machine has cores, so a blocking read on it would freeze
/// progress and signals; tasks prefer a lane instead (`withTaskExecutorPreference`). The thread
/// ends when the lane is closed.
public final class Lane: TaskExecutor, ThreadBody, Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var closed = false
    }

    private let state = Mutex(State())
    private let wake: Semaphore

    public init() {
        wake = Semaphore()
        startThread(for: self)
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

    func work() {
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
