import Basics
import CCurl
import Streams

/// What the callbacks of one transfer read and write.
///
/// A failure that happens in a callback is kept here, ends the transfer, and is what its caller gets.
@safe final class Exchange {
    let progress: Progress
    var failure: Failure?
    /// Changes whenever something moves; what does not change for too long stands still.
    private(set) var activity: Int64 = 0

    // Head of the answer
    private(set) var status = 0
    private(set) var reason = ""
    private(set) var headers: [HTTPHeader] = []

    // Body of the answer: kept up to a limit, or handed to whoever pulls
    private(set) var body: [UInt8] = []
    private let limit: Int
    private let isPulled: Bool
    private var room: UnsafeMutableRawBufferPointer?
    private(set) var filled = 0
    private(set) var isPaused = false
    /// Looks at the transfer right before its first byte is taken.
    var beforeFirstByte: (() throws(Failure) -> Void)?

    /// What is sent.
    let feed: BodyFeed?

    /// - Parameter limit: how many bytes a body may have; nil where the caller pulls.
    init(_ progress: Progress, limit: Int?, feed: BodyFeed? = nil) {
        self.progress = progress
        self.limit = limit ?? 0
        self.isPulled = limit == nil
        self.feed = feed
    }

    private static func of(_ user: UnsafeMutableRawPointer) -> Exchange {
        unsafe Unmanaged<Exchange>.fromOpaque(user).takeUnretainedValue()
    }

    /// Registers the callbacks; the exchange must live until the handle is reset.
    func attach(to handle: Handle) throws(Failure) {
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe handle.configure { raw in
            unsafe exeat_curl_on_bytes(raw, CURLOPT_HEADERFUNCTION) { bytes, size, count, user in
                guard let bytes = unsafe bytes, let user = unsafe user else { return 0 }
                let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                unsafe Exchange.of(user).take(header: line)
                return size * count
            }
        }
        try unsafe handle.set(CURLOPT_HEADERDATA, pointer: user)
        try unsafe handle.configure { raw in
            unsafe exeat_curl_on_bytes(raw, CURLOPT_WRITEFUNCTION) { bytes, size, count, user in
                guard let bytes = unsafe bytes, let user = unsafe user else { return 0 }
                return unsafe Exchange.of(user).take(
                    UnsafeRawBufferPointer(start: bytes, count: size * count))
            }
        }
        try unsafe handle.set(CURLOPT_WRITEDATA, pointer: user)
        try unsafe handle.configure { raw in
            unsafe exeat_curl_on_bytes(raw, CURLOPT_READFUNCTION) { bytes, size, count, user in
                guard let bytes = unsafe bytes, let user = unsafe user else {
                    return Int(CURL_READFUNC_ABORT)
                }
                return unsafe Exchange.of(user).give(
                    UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
            }
        }
        try unsafe handle.set(CURLOPT_READDATA, pointer: user)
        try unsafe handle.configure { raw in
            unsafe exeat_curl_on_progress(raw) { user, _, received, _, sent in
                guard let user = unsafe user else { return 1 }
                let exchange = unsafe Exchange.of(user)
                exchange.activity = max(exchange.activity, Int64(received &+ sent))
                return exchange.progress.isCancelled ? 1 : 0
            }
        }
        try unsafe handle.set(CURLOPT_XFERINFODATA, pointer: user)
        try handle.set(CURLOPT_NOPROGRESS, 0)
    }

    // MARK: - Receiving

    private func take(header bytes: UnsafeRawBufferPointer) {
        activity += 1
        var line = unsafe String(decoding: bytes, as: UTF8.self)
        while line.utf8.last == 0x0a || line.utf8.last == 0x0d || line.last == "\r\n" {
            line.removeLast()
        }
        if line.hasPrefix("HTTP/") {
            // "HTTP/1.1 500 Configuration file … does not exist": the text may be all the server says.
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
            reason = parts.count > 2 ? String(parts[2]) : ""
            headers = []
        } else if let colon = line.firstIndex(of: ":"), headers.count < 200 {
            let value = line[line.index(after: colon)...]
            headers.append(
                HTTPHeader(String(line[..<colon]), value.trimmingSpaces))
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let look = beforeFirstByte {
            beforeFirstByte = nil
            do throws(Failure) { try look() } catch {
                failure = error
                return 0
            }
        }
        if isPulled { return unsafe hand(bytes) }
        guard body.count + bytes.count <= limit else {
            failure = Failure(
                .serverAnswer, "the answer is longer than \(limit) bytes",
                hint: "Check that the address is that of the server that is meant.")
            return 0
        }
        unsafe body.append(contentsOf: bytes)
        activity += Int64(bytes.count)
        return bytes.count
    }

    private func hand(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let room = unsafe room, filled + bytes.count <= room.count else {
            // Nothing is lost: libcurl hands the same bytes out again after the pause. More than
            // fits into an empty chunk waits in `body`.
            if let room = unsafe room, filled == 0, body.isEmpty {
                unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<room.count]))
                filled = room.count
                unsafe body.append(contentsOf: bytes[room.count...])
                activity += Int64(bytes.count)
                return bytes.count
            }
            isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(from: bytes)
        filled += bytes.count
        activity += Int64(bytes.count)
        return bytes.count
    }

    /// Whether nothing waits for the next chunk.
    var bodyIsEmpty: Bool { body.isEmpty }

    /// Whether the transfer has been stopped for want of room.
    func unpause() -> Bool {
        defer { isPaused = false }
        return isPaused
    }

    /// Runs `body` with memory that received bytes go to; how many came.
    func receive(
        into memory: UnsafeMutableRawBufferPointer, _ run: () throws(Failure) -> Void
    ) throws(Failure) -> Int {
        filled = min(memory.count, body.count)
        if filled > 0 {
            unsafe body.withUnsafeBytes {
                unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<filled]))
            }
            body.removeFirst(filled)
            return filled
        }
        unsafe room = unsafe memory
        defer { unsafe room = nil }
        try run()
        return filled
    }

    // MARK: - Sending

    private func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let feed else { return 0 }
        do throws(Failure) {
            let count = try unsafe feed.read(into: buffer)
            activity += Int64(count)
            return count
        } catch {
            failure = error
            return Int(CURL_READFUNC_ABORT)
        }
    }
}

extension Substring {
    /// Without spaces and tabs at both ends.
    var trimmingSpaces: String {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
