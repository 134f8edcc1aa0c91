import Basics
import Synchronization

/// Sessions that lanes share: one takes a session, works, and puts it back.
final class ConnectionPool: Sendable {
    private let idle = Mutex<[Connection]>([])
    private let open: @Sendable () throws(Failure) -> Connection

    /// - Parameter open: makes another session when all are taken.
    init(_ open: @escaping @Sendable () throws(Failure) -> Connection) { self.open = open }

    /// A session in which something failed is closed.
    func with<Result>(_ body: (Connection) throws(Failure) -> Result) throws(Failure) -> Result {
        let pooled = idle.withLock { $0.popLast() }
        let connection = if let pooled { pooled } else { try open() }
        let result = try body(connection)
        idle.withLock { $0.append(connection) }
        return result
    }

    /// Closes the sessions that nobody uses.
    func close() { idle.withLock { $0.removeAll() } }
}
