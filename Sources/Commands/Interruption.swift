import Glibc
import Streams
import Synchronization

/// SIGINT and SIGTERM: the first asks the run to stop, which drops the segments in flight, the second ends the
/// process at once; either way the same command resumes.
enum Interruption {
    /// The run in progress; signal handlers may only touch atomics, so the flag is sampled.
    private static let caught = Atomic<Int32>(0)

    static func watch(_ progress: Progress) {
        let handler: @convention(c) (Int32) -> Void = { _ in
            if Interruption.caught.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
        Task.detached {
            while Interruption.caught.load(ordering: .relaxed) == 0 {
                try? await Task.sleep(nanoseconds: 50_000_000)
            }
            progress.cancel()
        }
    }
}
