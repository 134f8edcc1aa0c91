import Basics
import CCurl
import Streams

/// One transfer from its first byte to its last, run as a whole or pulled piece by piece.
///
/// Blocks, and looks for interruptions five times a second. Dropping it before its end drops its
/// connection.
final class Transfer {
    let handle: Handle
    let exchange: Exchange
    private let pool: HandlePool
    private let patience: Patience
    /// How it ended, once it has.
    private(set) var ended: CURLcode?
    private var lastActivity: Int64 = -1
    private var standsSince: UInt64 = 0

    /// - Parameter handle: set up completely but for the callbacks; goes back to the pool.
    init(
        _ handle: Handle, _ exchange: Exchange, _ patience: Patience, pool: HandlePool
    ) throws(Failure) {
        self.handle = handle
        self.exchange = exchange
        self.pool = pool
        self.patience = patience
        try exchange.attach(to: handle)
        try handle.set(CURLOPT_NOSIGNAL, 1)
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, patience.connect)
        if let whole = patience.whole { try handle.set(CURLOPT_TIMEOUT_MS, whole) }
        try handle.set(CURLOPT_TCP_KEEPALIVE, 1)
        try handle.begin()
    }

    deinit {
        handle.end()
        pool.put(handle)
    }

    /// Runs to the end. What libcurl reports is given back, what a callback threw is thrown.
    func run() throws(Failure) -> CURLcode {
        while true { if let code = try step({ false }) { return code } }
    }

    /// Runs until the chunk is well filled or the transfer ends; nil as long as there may be more.
    func fill(_ chunk: inout Chunk) throws(Failure) -> CURLcode? {
        chunk.removeAll()
        try unsafe chunk.append { (memory) throws(Failure) in
            try unsafe exchange.receive(into: memory) { () throws(Failure) in
                guard ended == nil else { return }
                if exchange.unpause() { handle.resume() }
                let enough = memory.count / 2
                // What passed since the last call was the caller's time, not the server's.
                standsSince = 0
                _ = try step { exchange.isPaused || exchange.filled > enough }
            }
        }
        return exchange.bodyIsEmpty ? ended : nil
    }

    /// Goes on until the transfer ends or `isEnough`.
    private func step(_ isEnough: () -> Bool) throws(Failure) -> CURLcode? {
        while true {
            let code = try handle.advance()
            if let code {
                ended = code
                if let failure = exchange.failure { throw failure }
                try exchange.progress.checkCancelled()
                return code
            }
            if isEnough() { return nil }
            try exchange.progress.checkCancelled()
            try checkMoving()
            handle.wait(milliseconds: 200)
        }
    }

    private func checkMoving() throws(Failure) {
        let now = monotonicNanoseconds()
        if exchange.activity != lastActivity || standsSince == 0 {
            lastActivity = exchange.activity
            standsSince = now
        } else if now - standsSince > UInt64(patience.stall) * 1_000_000 {
            throw Failure(
                .serverUnreachable, "nothing moved for \(patience.stall / 1000) seconds",
                hint: "Check the network and the server's load.",
                mayRetry: true)
        }
    }
}
