import Glibc

/// What a thread of its own does, once.
protocol ThreadBody: AnyObject, Sendable {
    func work()
}

/// Starts a detached thread that keeps the body alive as long as it works.
func startThread(for body: any ThreadBody) {
    let owner = unsafe Unmanaged.passRetained(ThreadStart(body))
    var thread: pthread_t = 0
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    unsafe pthread_attr_init(attributes)
    unsafe pthread_attr_setstacksize(attributes, 4 << 20)
    unsafe pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
    let status = unsafe pthread_create(
        &thread, attributes,
        { pointer in
            guard let pointer = unsafe pointer else { return nil }
            unsafe Unmanaged<ThreadStart>.fromOpaque(pointer).takeRetainedValue().body.work()
            return nil
        }, owner.toOpaque())
    unsafe pthread_attr_destroy(attributes)
    unsafe attributes.deallocate()
    precondition(status == 0, "no thread could be started")
}

private final class ThreadStart: Sendable {
    let body: any ThreadBody
    init(_ body: any ThreadBody) { self.body = body }
}

/// A counting semaphore of POSIX, at an address that does not move.
@safe final class Semaphore: @unchecked Sendable {
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
