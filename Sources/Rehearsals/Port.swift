import Basics
import Glibc
import Streams

/// Connections to what a rehearsal has started, and to what a plan names.
enum Port {
    /// Whether a server takes connections at a socket of the file system.
    static func takes(unix path: String) -> Bool { (try? connect(unix: path)) != nil }

    /// Whether a process listens at a socket of the file system, without a connection that it would take for
    /// its only one. Asked of the kernel, in the network of that process: /proc/PID/net/unix, proc(5).
    static func isListening(at path: String, for process: Int32) -> Bool {
        guard Files.exists(path) else { return false }
        guard let table = try? Files.readText("/proc/\(process)/net/unix") else { return true }
        return table.split(separator: "\n").contains { line in
            // Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON.
            let fields = line.split(separator: " ", maxSplits: 7)
            return fields.count == 8 && fields[3] == "00010000" && fields[7] == path
        }
    }

    static func connect(unix path: String) throws(Failure) -> Descriptor {
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o2_000_000, 0)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot make a socket") }
        let descriptor = Descriptor(owning: raw)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < 108 else {
            throw Failure(.invalidValue, "the path of the socket \"\(path)\" is too long")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(
                    raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0),
                    socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw Failure(errno: errno, "cannot connect to \"\(path)\"") }
        return descriptor
    }

    /// Connects to a host and port within some milliseconds.
    static func connect(
        host: String, port: UInt16, milliseconds: Int32 = 5000
    ) throws(Failure) -> Descriptor {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else {
            throw Failure(.serverUnreachable, "no address is known of \"\(host)\"")
        }
        defer { unsafe freeaddrinfo(list) }
        var number: Int32 = 0
        var entry = unsafe list
        while let address = unsafe entry {
            let raw = unsafe socket(
                address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | 0o2_000_000 | O_NONBLOCK,
                0)
            if raw >= 0 {
                let descriptor = Descriptor(owning: raw)
                let status = unsafe Glibc.connect(
                    raw, __CONST_SOCKADDR_ARG(__sockaddr__: address.pointee.ai_addr),
                    address.pointee.ai_addrlen)
                number = status == 0 ? 0 : errno
                if number == EINPROGRESS { number = waited(raw, milliseconds) }
                if number == 0 {
                    _ = fcntl(raw, F_SETFL, fcntl(raw, F_GETFL) & ~O_NONBLOCK)
                    return descriptor
                }
            }
            unsafe entry = address.pointee.ai_next
        }
        throw Failure(
            .serverUnreachable,
            "cannot connect to port \(port) of \"\(host)\": \(describeErrno(number))")
    }

    /// The error of a connection that was begun, 0 when it stands.
    private static func waited(_ raw: Int32, _ milliseconds: Int32) -> Int32 {
        var waiting = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&waiting, 1, milliseconds) == 1 else { return ETIMEDOUT }
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(raw, SOL_SOCKET, SO_ERROR, &number, &length)
        return number
    }

    /// Reads what comes within some milliseconds; nil when nothing did, empty at the end.
    static func read(_ raw: Int32, milliseconds: Int32) -> [UInt8]? {
        var waiting = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waiting, 1, milliseconds) == 1 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            retrying { unsafe recv(raw, bytes.baseAddress, bytes.count, 0) }
        }
        return count > 0 ? Array(buffer[..<count]) : []
    }

    /// A port of this machine that nobody uses at the moment.
    static func free() throws(Failure) -> UInt16 {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2_000_000, 0)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot make a socket") }
        let descriptor = Descriptor(owning: raw)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let wanted = unsafe __CONST_SOCKADDR_ARG(__sockaddr__: address)
                guard unsafe bind(descriptor.raw, wanted, length) == 0 else { return Int32(-1) }
                let found = unsafe __SOCKADDR_ARG(__sockaddr__: address)
                return unsafe getsockname(descriptor.raw, found, &length)
            }
        }
        guard status == 0 else { throw Failure(errno: errno, "no port is free") }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// An answer to a GET, as far as a probe needs it.
struct WebAnswer: Sendable {
    let status: Int64
    let body: [UInt8]

    /// Asks once, HTTP/1.1 (RFC 9112) without keeping the connection; throws what may be otherwise a
    /// moment later.
    static func get(
        host: String, port: UInt16, target: String, named name: String, seconds: Int64
    ) throws(Failure) -> WebAnswer {
        let connection = try Port.connect(host: host, port: port)
        let request =
            "GET \(target) HTTP/1.1\r\nHost: \(name)\r\nUser-Agent: exeat\r\n"
            + "Accept: */*\r\nConnection: close\r\n\r\n"
        try connection.writeAll(Array(request.utf8))
        var bytes: [UInt8] = []
        let end = monotonicNanoseconds() + UInt64(max(1, seconds)) * 1_000_000_000
        while monotonicNanoseconds() < end, bytes.count < 16 << 20 {
            guard let piece = Port.read(connection.raw, milliseconds: 200) else {
                if let answer = WebAnswer(bytes), answer.isWhole(bytes) { return answer }
                continue
            }
            if piece.isEmpty { break }
            bytes += piece
        }
        guard let answer = WebAnswer(bytes) else {
            throw Failure(.serverAnswer, "\(host):\(port) gave no answer of HTTP")
        }
        return answer
    }

    init?(_ bytes: [UInt8]) {
        guard let end = Self.headEnd(bytes) else { return nil }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int64(words[1]) else {
            return nil
        }
        self.status = status
        let rest = Array(bytes[(end + 4)...])
        let isChunked = lines.contains {
            $0.lowercased().hasPrefix("transfer-encoding:") && $0.lowercased().contains("chunked")
        }
        body = isChunked ? Self.joined(rest) : rest
    }

    /// Whether all that the head announces has come.
    private func isWhole(_ bytes: [UInt8]) -> Bool {
        guard let end = Self.headEnd(bytes) else { return false }
        let head = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
        for line in head.split(separator: "\r\n") where line.hasPrefix("content-length:") {
            let length = line.dropFirst(15).trimmed
            return Int(length).map { body.count >= $0 } ?? false
        }
        return false
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4) where bytes[index..<(index + 4)].elementsEqual(mark) {
            return index
        }
        return nil
    }

    /// Chunks put together; what is cut off is left out.
    static func joined(_ bytes: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16), size > 0 else { break }
            rest = rest[(end + 1)...]
            guard rest.count >= size else { break }
            body += rest.prefix(size)
            rest = rest.dropFirst(size).drop { $0 == 0x0d || $0 == 0x0a }
        }
        return body
    }
}

extension StringProtocol {
    /// Without blanks and line ends at both ends.
    var trimmed: String {
        var text = Substring(self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text.drop(while: \.isWhitespace))
    }
}
