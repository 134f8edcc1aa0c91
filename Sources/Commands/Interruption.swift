import Glibc
import Streams
import Synchronization

/// SIGINT and SIGTERM: the first asks the run to stop, which drops the segments in flight, the second ends the
/// process at once; either way the same command resumes.
///
/// SIGHUP, which the end of a terminal sends, asks too, unless the caller ignores it (nohup). It may come more than
/// once, from the shell and the kernel, so it never ends the process by itself.
enum Interruption {
    /// The run in progress; signal handlers may only touch atomics, so the flag is sampled.
    private static let caught = Atomic<Int32>(0)

    static func watch(_ progress: Progress) {
        let handler: @convention(c) (Int32) -> Void = { _ in
            if Interruption.caught.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
        let ask: @convention(c) (Int32) -> Void = { _ in
            Interruption.caught.max(1, ordering: .relaxed)
        }
        var former = sigaction()
        unsafe sigaction(SIGHUP, nil, &former)
        let isIgnored =
            unsafe unsafeBitCast(former.__sigaction_handler.sa_handler, to: Int.self) == 1
        if !isIgnored { signal(SIGHUP, ask) }
        Task.detached {
            while Interruption.caught.load(ordering: .relaxed) == 0 {
                try? await Task.sleep(nanoseconds: 50_000_000)
            }
            progress.cancel()
        }
    }
}
