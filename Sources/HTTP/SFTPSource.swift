public import Basics
import CCurl
import Glibc
public import Streams

/// A file on a server as a stream that goes on where it was when the connection is lost.
///
/// Belongs to one lane at a time. Ends only where all bytes have come; throws `.sourceChanged` when the
/// file is another one after a reconnection.
public struct SFTPSource: ByteSource, ~Copyable {
    private let client: SFTPClient
    private let path: String
    private let start: Int64
    private let wanted: Int64?
    private var position: Int64
    private let facts: Facts
    private var transfer: Transfer?
    private var failures = 0
    private var hasOpened = false

    /// What is known of the file; filled in while a transfer begins.
    private final class Facts {
        var size: Int64?
        var modified: Int64?
    }

    init(
        _ client: SFTPClient, _ path: String, from offset: Int64, size: Int64?,
        expected: SFTPStatus?
    ) {
        self.client = client
        self.path = path
        start = offset
        wanted = size
        position = offset
        facts = Facts()
        facts.size = expected?.size
        facts.modified = expected?.modified
    }

    private var what: String { "cannot read \"\(path)\" on \(client.settings.server)" }

    /// Where the stream ends, as far as that is known.
    private var end: Int64? { wanted.map { start + $0 } ?? facts.size }

    /// Size and time of the file, which is opened for it.
    ///
    /// Call it before the first `read`, which begins anew; of a part of a file the size is not known.
    mutating func status() throws(Failure) -> SFTPStatus {
        var chunk = Chunk(capacity: 1 << 12)
        try read(into: &chunk)
        transfer = nil
        position = start
        return SFTPStatus(size: facts.size ?? 0, modified: facts.modified)
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while chunk.isEmpty {
            if hasOpened, let end, position >= end { return }
            do throws(Failure) {
                if try step(&chunk) { return }
            } catch {
                transfer = nil
                guard error.mayRetry, failures < client.settings.retries else { throw error }
                failures += 1
                try pause(1000 << min(failures - 1, 5))
                continue
            }
        }
        position += Int64(chunk.count)
        failures = 0
    }

    /// Takes what comes next; true when all has come.
    private mutating func step(_ chunk: inout Chunk) throws(Failure) -> Bool {
        let current: Transfer
        if let transfer { current = transfer } else { current = try begin() }
        transfer = current
        let ended: CURLcode?
        do throws(Failure) { ended = try current.fill(&chunk) } catch {
            if error.code == .cancelled || error.code == .sourceChanged { throw error }
            throw error.during(what)
        }
        if !chunk.isEmpty {
            hasOpened = true
            if let end, position + Int64(chunk.count) > end {
                throw Failure(.sourceChanged, "\(what): it has become longer")
            }
            // How the transfer ended is looked at once what it brought is taken.
            return false
        }
        guard let ended else { return false }
        guard ended == CURLE_OK else {
            chunk.removeAll()
            throw lost(ended, current)
        }
        try Self.look(current.handle, facts, from: position, isPart: wanted != nil, what)
        hasOpened = true
        guard let end else { return true }
        guard position >= end else {
            throw Failure(
                .truncated, what, mayRetry: wanted == nil,
                cause: Failure(.truncated, "it ends \(end - position) bytes too early"))
        }
        return true
    }

    private func begin() throws(Failure) -> Transfer {
        let exchange = Exchange(client.progress, limit: nil)
        let (position, wanted, start) = (self.position, self.wanted, self.start)
        let transfer = try client.start(path, exchange) { (handle) throws(Failure) in
            try handle.set(CURLOPT_FILETIME, 1)
            if let wanted {
                try handle.set(CURLOPT_RANGE, "\(position)-\(start + wanted - 1)")
            } else {
                try handle.set(CURLOPT_RESUME_FROM_LARGE, size: position)
            }
        }
        let (handle, facts, what) = (transfer.handle, self.facts, self.what)
        exchange.beforeFirstByte = { () throws(Failure) in
            try Self.look(handle, facts, from: position, isPart: wanted != nil, what)
        }
        return transfer
    }

    /// Holds what the server says of the file against what is known of it.
    private static func look(
        _ handle: Handle, _ facts: Facts, from offset: Int64, isPart: Bool, _ what: String
    ) throws(Failure) {
        let modified = handle.size(CURLINFO_FILETIME_T)
        if modified >= 0 {
            if let known = facts.modified, known != modified { throw changed(what) }
            facts.modified = modified
        }
        let length = handle.size(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
        if !isPart, length >= 0 {
            if let known = facts.size, known != offset + length { throw changed(what) }
            facts.size = offset + length
        }
    }

    private static func changed(_ what: String) -> Failure {
        Failure(
            .sourceChanged, what, cause: Failure(.sourceChanged, "the file has changed meanwhile"))
    }

    private func lost(_ code: CURLcode, _ transfer: Transfer) -> Failure {
        let failure = client.failed(code, transfer.handle, what)
        // Once it was open, what ends a transfer is the connection; libssh2 does not say more. Nor is
        // the login wrong then, where the connection ends while it is made again.
        let isCut = [.serverRefused, .serverRights].contains(failure.code)
        guard hasOpened, isCut || code == CURLE_BAD_DOWNLOAD_RESUME else { return failure }
        if code == CURLE_BAD_DOWNLOAD_RESUME { return Self.changed(what) }
        return Failure(
            .serverUnreachable, what, mayRetry: true, cause: failure.cause)
    }

    private func pause(_ milliseconds: Int) throws(Failure) {
        if let pause = client.settings.pause { return pause(milliseconds) }
        for _ in 0..<milliseconds / 100 {
            try client.progress.checkCancelled()
            usleep(100_000)
        }
    }
}
