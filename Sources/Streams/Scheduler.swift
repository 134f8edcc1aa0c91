public import Basics
import Glibc
import Synchronization

/// Runs jobs on a fixed set of lanes.
///
/// The first failure stops the handing out of further jobs; those under way end by themselves.
public struct Scheduler: Sendable {
    public let lanes: [Lane]

    public init(workers: Int) { lanes = (0..<max(1, workers)).map { _ in Lane() } }

    public func close() { lanes.forEach { $0.close() } }

    /// Calls `body` once for each job, in order of beginning. Throws the first failure.
    public func run<Job: Sendable>(
        _ jobs: [Job], _ body: @escaping @Sendable (Job) throws(Failure) -> Void
    ) async throws(Failure) {
        let queue = JobQueue(jobs)
        await withTaskGroup(of: Void.self) { group in
            for lane in lanes.prefix(max(1, jobs.count)) {
                group.addTask(executorPreference: lane) { @concurrent () async -> Void in
                    while let job = queue.next() {
                        do throws(Failure) { try body(job) } catch { queue.stop(error) }
                    }
                }
            }
        }
        if let failure = queue.failure { throw failure }
    }

    /// One call on a lane.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withTaskExecutorPreference(lanes[0]) {
            @concurrent () async -> Result<Value, Failure> in
            do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

private final class JobQueue<Job: Sendable>: Sendable {
    private struct State {
        var next = 0
        var failure: Failure?
    }

    private let jobs: [Job]
    private let state = Mutex(State())

    init(_ jobs: [Job]) { self.jobs = jobs }

    func next() -> Job? {
        state.withLock { state in
            guard state.failure == nil, state.next < jobs.count else { return nil }
            state.next += 1
            return jobs[state.next - 1]
        }
    }

    /// A real failure is worth more than the interruption that it may cause elsewhere.
    func stop(_ failure: Failure) {
        state.withLock { state in
            if let known = state.failure, known.code != .cancelled { return }
            state.failure = failure
        }
    }

    var failure: Failure? { state.withLock { $0.failure } }
}

extension Scheduler {
    /// One lane for each processor that this process may use, and two more, because a lane that
    /// waits for the disk (fsync at a commit) does not compute.
    public static var standardWorkers: Int { max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) + 2 }
}
