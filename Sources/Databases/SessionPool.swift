public import Basics
import Glibc
import Synchronization

/// Sessions that lanes share: one takes a session, works, and puts it back.
///
/// A pool that may open sessions makes another when all are taken. One that may not, because its
/// sessions were opened in one moment, lets the taker wait for the next that is put back.
public final class SessionPool<Session: AnyObject & Sendable>: Sendable {
    private struct State {
        var idle: [Session]
        /// Sessions in the pool or taken from it; those in which something failed are gone.
        var count: Int
    }

    private let state: Mutex<State>
    private let open: (@Sendable () throws(Failure) -> Session)?

    /// - Parameter open: makes another session when all are taken.
    public init(_ open: @escaping @Sendable () throws(Failure) -> Session) {
        state = Mutex(State(idle: [], count: 0))
        self.open = open
    }

    /// - Parameter sessions: all there will ever be.
    public init(_ sessions: [Session]) {
        state = Mutex(State(idle: sessions, count: sessions.count))
        open = nil
    }

    /// A session in which something failed is closed.
    ///
    /// - Parameter isStopping: looked at while a session is waited for.
    public func with<Result>(
        isStopping: () -> Bool = { false }, _ body: (Session) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let session = try take(isStopping)
        do throws(Failure) {
            let result = try body(session)
            state.withLock { $0.idle.append(session) }
            return result
        } catch {
            state.withLock { $0.count -= 1 }
            throw error
        }
    }

    private func take(_ isStopping: () -> Bool) throws(Failure) -> Session {
        while true {
            let (session, isEmpty) = state.withLock { ($0.idle.popLast(), $0.count == 0) }
            if let session { return session }
            if let open {
                let session = try open()
                state.withLock { $0.count += 1 }
                return session
            }
            guard !isEmpty else {
                throw Failure(.databaseMomentLost, "all sessions of the moment are gone")
            }
            if isStopping() { throw Failure(.cancelled, "interrupted") }
            usleep(2000)
        }
    }

    /// Closes the sessions that nobody uses.
    public func close() {
        state.withLock {
            $0.count -= $0.idle.count
            $0.idle.removeAll()
        }
    }
}
