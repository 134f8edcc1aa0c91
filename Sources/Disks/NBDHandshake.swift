import Basics

/// What a server offers, agreed upon before the first request (doc/proto.md of the NBD project:
/// "fixed newstyle negotiation").
struct NBDHandshake: Sendable {
    private(set) var size: Int64 = 0
    /// NBD_FLAG_ bits of the export.
    private(set) var flags: UInt16 = 0
    private(set) var hasStructuredReplies = false
    /// The number under which the server tells what is allocated; nil where it does not.
    private(set) var allocation: UInt32?

    private static let optionMagic: UInt64 = 0x4948_4156_454f_5054
    private static let replyMagic: UInt64 = 0x0003_e889_0455_65a9
    private static let allocationName = "base:allocation"

    private enum Option: UInt32 {
        case go = 7
        case structuredReply = 8
        case setMetaContext = 10
    }

    private enum Reply {
        static let acknowledged: UInt32 = 1
        static let info: UInt32 = 3
        static let metaContext: UInt32 = 4
        static let errorBit: UInt32 = 1 << 31
        /// No server has more to say in one reply.
        static let largest: UInt32 = 1 << 16
    }

    init(_ socket: borrowing NBDSocket, export name: String) throws(Failure) {
        guard try socket.receive(UInt64.self) == 0x4e42_444d_4147_4943,
            try socket.receive(UInt64.self) == Self.optionMagic
        else { throw socket.broken("it does not greet as a server of block devices (NBD)") }
        let offered = try socket.receive(UInt16.self)
        guard offered & 1 != 0 else { throw socket.broken("it is too old for options") }
        // Fixed newstyle, and no padding where it can be left out.
        var answer: [UInt8] = []
        answer.append(bigEndian: UInt32(offered & 3))
        try socket.send(answer)
        hasStructuredReplies =
            try Self.ask(socket, .structuredReply, []) { (_, _) throws(Failure) in } == nil
        if hasStructuredReplies { allocation = try Self.askForAllocation(socket, name) }
        try go(socket, name)
    }

    /// Sends an option and takes its replies; a refusal is returned as its text.
    private static func ask(
        _ socket: borrowing NBDSocket, _ option: Option, _ data: [UInt8],
        _ note: (UInt32, [UInt8]) throws(Failure) -> Void
    ) throws(Failure) -> String? {
        var message: [UInt8] = []
        message.append(bigEndian: optionMagic)
        message.append(bigEndian: option.rawValue)
        message.append(bigEndian: UInt32(data.count))
        try socket.send(message + data)
        while true {
            guard try socket.receive(UInt64.self) == replyMagic,
                try socket.receive(UInt32.self) == option.rawValue
            else { throw socket.broken("an answer that belongs to no option") }
            let type = try socket.receive(UInt32.self)
            let length = try socket.receive(UInt32.self)
            guard length <= Reply.largest else {
                throw socket.broken("an answer of \(length) bytes")
            }
            let bytes = try socket.receive(Int(length))
            if type == Reply.acknowledged { return nil }
            if type & Reply.errorBit != 0 {
                let text = String(decoding: bytes, as: UTF8.self)
                return text.isEmpty ? "error \(type & ~Reply.errorBit)" : text
            }
            try note(type, bytes)
        }
    }

    private static func named(_ name: String) -> [UInt8] {
        var data: [UInt8] = []
        data.append(bigEndian: UInt32(name.utf8.count))
        return data + name.utf8
    }

    private static func askForAllocation(
        _ socket: borrowing NBDSocket, _ name: String
    ) throws(Failure) -> UInt32? {
        var data = named(name)
        data.append(bigEndian: UInt32(1))
        data += named(allocationName)
        var found: UInt32?
        _ = try ask(socket, .setMetaContext, data) { (type, bytes) throws(Failure) in
            guard type == Reply.metaContext, bytes.count >= 4 else { return }
            if bytes[4...].elementsEqual(allocationName.utf8) {
                found = bytes.bigEndian(at: 0, as: UInt32.self)
            }
        }
        return found
    }

    private mutating func go(_ socket: borrowing NBDSocket, _ name: String) throws(Failure) {
        var data = Self.named(name)
        data.append(bigEndian: UInt16(0))
        var size: UInt64?
        var flags: UInt16 = 0
        let refusal = try Self.ask(socket, .go, data) { (type, bytes) throws(Failure) in
            // NBD_INFO_EXPORT; other kinds are of no interest.
            guard type == Reply.info, bytes.bigEndian(at: 0, as: UInt16.self) == 0 else { return }
            size = bytes.bigEndian(at: 2, as: UInt64.self)
            flags = bytes.bigEndian(at: 10, as: UInt16.self) ?? 0
        }
        if let refusal {
            throw Failure(
                .diskProtocol, "the disk at \(socket.name) is refused",
                cause: Failure(.diskProtocol, refusal))
        }
        guard let size, size <= UInt64(Int64.max) else {
            throw socket.broken("it does not say its size")
        }
        self.size = Int64(size)
        self.flags = flags
    }
}
