import Basics
import Glibc

/// A connected socket on which whole messages go out and come in; integers are big-endian.
struct NBDSocket: ~Copyable, Sendable {
    private let socket: Descriptor
    /// For messages.
    let name: String

    /// Connects to a socket of this machine. The corresponding C function is `connect`.
    init(connecting path: String) throws(Failure) {
        socket = try Self.connected(path)
        name = "\"\(path)\""
    }

    private static func connected(_ path: String) throws(Failure) -> Descriptor {
        let raw = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot make a socket") }
        let socket = Descriptor(owning: raw)
        // Larger than by default, so that both sides are woken seldom; the system cuts it to what it allows.
        var room: Int32 = 4 << 20
        unsafe setsockopt(
            raw, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let limit = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < limit else {
            throw Failure(.invalidValue, "the path of the socket \"\(path)\" is too long")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                retrying {
                    unsafe connect(
                        raw, __CONST_SOCKADDR_ARG(__sockaddr__: pointer),
                        socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        guard status == 0 else { throw Failure(errno: errno, "cannot connect to \"\(path)\"") }
        return socket
    }

    func send(_ bytes: UnsafeRawBufferPointer, more: Bool = false) throws(Failure) {
        var flags = Int32(MSG_NOSIGNAL)
        if more { flags |= Int32(MSG_MORE) }
        var done = 0
        while done < bytes.count {
            let count = retrying {
                unsafe Glibc.send(
                    socket.raw, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done,
                    flags)
            }
            guard count >= 0 else { throw lost(errno) }
            done += count
        }
    }

    func send(_ bytes: [UInt8]) throws(Failure) {
        try Failure.catching { try unsafe bytes.withUnsafeBytes { try unsafe send($0) } }
    }

    /// Fills the whole buffer.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
        var done = 0
        while done < buffer.count {
            let count = retrying {
                unsafe recv(
                    socket.raw, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, 0)
            }
            guard count > 0 else { throw lost(count == 0 ? ECONNRESET : errno) }
            done += count
        }
    }

    func receive(_ count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try Failure.catching {
            try unsafe bytes.withUnsafeMutableBytes { try unsafe receive(into: $0) }
        }
        return bytes
    }

    func receive<Word: FixedWidthInteger>(_: Word.Type) throws(Failure) -> Word {
        var word: Word = 0
        try Failure.catching {
            try unsafe withUnsafeMutableBytes(of: &word) { try unsafe receive(into: $0) }
        }
        return Word(bigEndian: word)
    }

    private func lost(_ number: Int32) -> Failure {
        Failure(
            .diskProtocol, "the connection to the disk at \(name) is lost",
            hint: "The program that serves the image has ended: its message says why.",
            mayRetry: true, cause: Failure(errno: number, "cannot talk to it"))
    }

    func broken(_ what: String) -> Failure {
        Failure(.diskProtocol, "the disk at \(name) does not keep to the protocol: \(what)")
    }
}

extension [UInt8] {
    mutating func append<Word: FixedWidthInteger>(bigEndian word: Word) {
        unsafe Swift.withUnsafeBytes(of: word.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// The integer at a place; what is behind the end counts as nothing.
    func bigEndian<Word: FixedWidthInteger>(at place: Int, as _: Word.Type) -> Word? {
        guard place + MemoryLayout<Word>.size <= count else { return nil }
        return self[place..<place + MemoryLayout<Word>.size].reduce(0) { $0 << 8 | Word($1) }
    }
}
