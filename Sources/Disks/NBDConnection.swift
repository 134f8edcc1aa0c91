public import Basics
import Glibc
public import Streams

/// A disk behind a server of block devices (NBD), one request at a time; open several for more.
///
/// Calls block: make them on a `Lane`. After a failure with the code `.diskProtocol` the connection is
/// only good for dropping.
public struct NBDConnection: ReadableDisk, WritableDisk, ~Copyable {
    private let socket: NBDSocket
    private let handshake: NBDHandshake
    private var cookie: UInt64 = 0
    /// What the server has told of allocation, for the extents behind `statusStart`.
    private var runs: [Run] = []
    private var statusStart: Int64 = 0

    private struct Run {
        var end: Int64
        let isHole: Bool
    }

    /// Requests are no longer than what every server takes.
    private static let largestRequest = 32 << 20
    /// How far one question about allocation reaches.
    private static let statusReach: Int64 = 1 << 30

    /// Connects to the socket of a server, by default to its only export.
    public init(socket path: String, export: String = "") throws(Failure) {
        let socket = try NBDSocket(connecting: path)
        handshake = try NBDHandshake(socket, export: export)
        self.socket = socket
    }

    public var size: Int64 { handshake.size }
    public var isReadOnly: Bool { handshake.flags & 2 != 0 }
    /// Whether a flush on one connection covers what was written through others.
    public var flushesForAll: Bool { handshake.flags & 256 != 0 }
    /// Whether holes are told; all is data where not.
    public var tellsHoles: Bool { handshake.allocation != nil }

    private enum Request: UInt16 {
        case read = 0
        case write = 1
        case disconnect = 2
        case flush = 3
        case writeZeros = 6
        case blockStatus = 7
    }

    /// Tells the server that this connection ends, which dropping it does less politely.
    public mutating func disconnect() throws(Failure) { try send(.disconnect, 0, 0) }

    // MARK: Reading

    public mutating func read(
        _ count: Int, at offset: Int64, into chunk: inout Chunk
    ) throws(Failure) {
        precondition(count <= chunk.capacity && count <= Self.largestRequest)
        chunk.removeAll()
        if count == 0 { return }
        try send(.read, offset, Int64(count))
        try unsafe chunk.append { (free) throws(Failure) in
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: free[..<count])
            var covered = 0
            try replies(to: "read") { (reply) throws(Failure) in
                let (place, length) = try part(reply, of: offset, count)
                let piece = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: target[place..<place + length])
                if reply.kind == .hole {
                    if let start = piece.baseAddress { unsafe memset(start, 0, length) }
                } else {
                    try unsafe socket.receive(into: piece)
                }
                covered += length
            }
            guard covered == count else {
                throw socket.broken("\(covered) bytes where \(count) were asked for")
            }
            return count
        }
    }

    /// Which part of what was asked for a reply brings.
    private func part(
        _ reply: NBDReply, of offset: Int64, _ count: Int
    ) throws(Failure) -> (place: Int, length: Int) {
        var start = UInt64(offset)
        var length = count
        switch reply.kind {
        case .simple: break
        case .data:
            guard reply.length >= 8 else { throw socket.broken("a part without a place") }
            start = try socket.receive(UInt64.self)
            length = reply.length - 8
        case .hole:
            guard reply.length == 12 else { throw socket.broken("a hole without a place") }
            start = try socket.receive(UInt64.self)
            length = Int(try socket.receive(UInt32.self))
        case .status: throw socket.broken("an answer to something else")
        }
        guard start >= UInt64(offset), start - UInt64(offset) <= UInt64(count),
            length <= count - Int(start - UInt64(offset))
        else { throw socket.broken("bytes that were not asked for") }
        return (Int(start - UInt64(offset)), length)
    }

    public mutating func extent(
        at offset: Int64, before end: Int64
    ) throws(Failure) -> DiskExtent {
        guard let context = handshake.allocation else {
            return DiskExtent(offset: offset, length: end - offset, isHole: false)
        }
        if offset < statusStart || offset >= runs.last?.end ?? 0 {
            try askForStatus(at: offset, context)
        }
        let run = runs[min(runs.partitioningIndex { $0.end > offset }, runs.count - 1)]
        return DiskExtent(
            offset: offset, length: min(run.end, end) - offset, isHole: run.isHole)
    }

    private mutating func askForStatus(
        at offset: Int64, _ context: UInt32
    ) throws(Failure) {
        var found: [Run] = []
        swap(&found, &runs)
        found.removeAll(keepingCapacity: true)
        try send(.blockStatus, offset, min(Self.statusReach, size - offset))
        var end = offset
        let limit = size
        try replies(to: "tell what is allocated of") { (reply) throws(Failure) in
            guard reply.kind == .status, reply.length >= 12, reply.length % 8 == 4,
                try socket.receive(UInt32.self) == context
            else { throw socket.broken("an answer to something else") }
            for _ in 0..<(reply.length / 8) where end < limit {
                let length = try socket.receive(UInt32.self)
                // NBD_STATE_ZERO: it reads as zeros, allocated or not.
                let isHole = try socket.receive(UInt32.self) & 2 != 0
                guard length > 0 else { throw socket.broken("an extent of nothing") }
                end = min(end + Int64(length), limit)
                if let last = found.last, last.isHole == isHole {
                    found[found.count - 1].end = end
                } else {
                    found.append(Run(end: end, isHole: isHole))
                }
            }
        }
        guard end > offset else { throw socket.broken("it does not tell what is allocated") }
        runs = found
        statusStart = offset
    }

    // MARK: Writing

    public mutating func write(_ bytes: RawSpan, at offset: Int64) throws(Failure) {
        try beginWriting()
        try Failure.catching {
            try unsafe bytes.withUnsafeBytes { buffer in
                var done = 0
                while done < buffer.count {
                    let count = min(Self.largestRequest, buffer.count - done)
                    try send(.write, offset + Int64(done), Int64(count))
                    try unsafe socket.send(
                        UnsafeRawBufferPointer(rebasing: buffer[done..<done + count]))
                    try expectDone("write to")
                    done += count
                }
            }
        }
    }

    /// What was known of holes is not known any more.
    private mutating func beginWriting() throws(Failure) {
        runs.removeAll(keepingCapacity: true)
        guard !isReadOnly else {
            throw Failure(.denied, "the disk at \(socket.name) can only be read")
        }
    }

    /// The server may make a hole of it, or look for the best it can do; where it knows no such request,
    /// zeros are sent.
    public mutating func writeZeros(_ count: Int64, at offset: Int64) throws(Failure) {
        try beginWriting()
        guard handshake.flags & 64 != 0 else { return try sendZeros(count, at: offset) }
        var done: Int64 = 0
        while done < count {
            let part = min(Self.statusReach, count - done)
            try send(.writeZeros, offset + done, part)
            try expectDone("write to")
            done += part
        }
    }

    private mutating func sendZeros(_ count: Int64, at offset: Int64) throws(Failure) {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 20)))
        var done: Int64 = 0
        while done < count {
            let part = Int(min(count - done, Int64(zeros.count)))
            try unsafe write(zeros.span.bytes.extracting(0..<part), at: offset + done)
            done += Int64(part)
        }
    }

    public mutating func flush() throws(Failure) {
        // A server that does not offer it keeps nothing back.
        guard handshake.flags & 4 != 0 else { return }
        try send(.flush, 0, 0)
        try expectDone("flush")
    }

    // MARK: Messages

    private mutating func send(
        _ request: Request, _ offset: Int64, _ count: Int64
    ) throws(Failure) {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw Failure(.failed, "a request beyond the end of the disk at \(socket.name)")
        }
        cookie &+= 1
        // Magic, flags and kind; cookie; offset; length.
        let words = (
            (UInt64(0x2560_9513) << 32 | UInt64(request.rawValue)).bigEndian, cookie.bigEndian,
            UInt64(offset).bigEndian, UInt32(count).bigEndian
        )
        let hasMore = request == .write
        try Failure.catching {
            try unsafe withUnsafeBytes(of: words) { bytes in
                try unsafe socket.send(
                    UnsafeRawBufferPointer(rebasing: bytes[..<28]), more: hasMore)
            }
        }
    }

    private func expectDone(_ what: String) throws(Failure) {
        try replies(to: what) { (reply) throws(Failure) in
            guard reply.kind == .simple else { throw socket.broken("an answer to something else") }
        }
    }

    /// Takes all replies to the request that was sent last; throws what the server says went wrong, once
    /// all of them are taken.
    ///
    /// - Parameter take: reads the content of one reply, all of it.
    private func replies(
        to what: String, _ take: (NBDReply) throws(Failure) -> Void
    ) throws(Failure) {
        var refusal: Failure?
        while true {
            var reply: NBDReply?
            let isLast: Bool
            switch try socket.receive(UInt32.self) {
            case 0x6744_6698:
                let error = try socket.receive(UInt32.self)
                try checkCookie()
                if error != 0 { throw refused(what, error, "") }
                reply = NBDReply(kind: .simple, length: 0)
                isLast = true
            case 0x668e_33ef:
                isLast = try socket.receive(UInt16.self) & 1 != 0
                let type = try socket.receive(UInt16.self)
                try checkCookie()
                let length = Int(try socket.receive(UInt32.self))
                if type & 0x8000 != 0 {
                    let error = try receiveError(what, length)
                    if refusal == nil { refusal = error }
                } else if type == 0 {
                    guard length == 0, isLast else { throw socket.broken("an empty reply") }
                } else {
                    guard length <= Self.largestRequest + 8, let kind = NBDReply.Kind(type: type)
                    else { throw socket.broken("a reply of an unknown kind") }
                    reply = NBDReply(kind: kind, length: length)
                }
            default: throw socket.broken("a reply that is none")
            }
            if let reply { try take(reply) }
            if isLast { break }
        }
        if let refusal { throw refusal }
    }

    private func checkCookie() throws(Failure) {
        guard try socket.receive(UInt64.self) == cookie else {
            throw socket.broken("a reply to another request")
        }
    }

    private func receiveError(_ what: String, _ length: Int) throws(Failure) -> Failure {
        guard length >= 6, length <= 1 << 16 else {
            throw socket.broken("an error without a number")
        }
        let bytes = try socket.receive(length)
        let count = Int(bytes.bigEndian(at: 4, as: UInt16.self) ?? 0)
        return refused(
            what, bytes.bigEndian(at: 0, as: UInt32.self) ?? 0,
            String(decoding: bytes[6...].prefix(count), as: UTF8.self))
    }

    /// The numbers of NBD are those of Linux.
    private func refused(_ what: String, _ number: UInt32, _ text: String) -> Failure {
        let cause = text.isEmpty ? nil : Failure(.diskProtocol, text)
        let failure = Failure(
            errno: Int32(truncatingIfNeeded: number), "cannot \(what) the disk at \(socket.name)")
        return Failure(
            failure.code, failure.what, hint: failure.hint, mayRetry: failure.mayRetry, cause: cause
        )
    }
}

/// One reply of a server: its kind, and the bytes that follow.
private struct NBDReply {
    enum Kind {
        case simple, data, hole, status

        init?(type: UInt16) {
            switch type {
            case 1: self = .data
            case 2: self = .hole
            case 5: self = .status
            default: return nil
            }
        }
    }

    let kind: Kind
    let length: Int
}
