import Glibc

/// Whether the system gives this process the threads that its work takes.
public enum ThreadSupply {
    /// Starts as many threads as a run on a few processors has, and ends them: a large machine whose limit
    /// is low is not to be refused for threads that `limits.workers` may never ask for.
    ///
    /// Throws where one of them cannot be had: the concurrency runtime asks for its threads again and again,
    /// without a word, until it gets them.
    public static func check() throws(Failure) {
        let processors = max(2, min(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 8))
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw Failure(errno: errno, "cannot make a pipe")
        }
        // Each thread ends when nobody can write to the pipe any more.
        let reading = Descriptor(owning: ends[0])
        var threads: [pthread_t] = []
        var status: Int32 = 0
        for _ in 0..<(2 * processors + 4) {
            var thread = pthread_t()
            status = unsafe pthread_create(
                &thread, nil,
                { descriptor in
                    var byte: UInt8 = 0
                    while unsafe read(Int32(Int(bitPattern: descriptor)), &byte, 1) < 0,
                        errno == EINTR
                    {}
                    return nil
                }, UnsafeMutableRawPointer(bitPattern: Int(reading.raw)))
            guard status == 0 else { break }
            threads.append(thread)
        }
        close(ends[1])
        for thread in threads { pthread_join(thread, nil) }
        guard status == 0 else {
            throw Failure(
                errno: status, "cannot start the threads that the work takes",
                hint: "Raise the limit of processes (ulimit -u, pids.max of the container), "
                    + "or end other processes of this user.")
        }
    }
}
