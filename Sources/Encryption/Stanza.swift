import Basics

/// One recipient's entry in a header, with the shape of the kinds that are known already checked, so
/// that a file is well formed or not whoever reads it.
enum Stanza {
    case x25519(share: [UInt8], body: [UInt8])
    case hybrid(encapsulated: [UInt8], body: [UInt8])
    case scrypt(salt: [UInt8], workFactor: Int, body: [UInt8])
    /// Of a kind that is not known: readers pass over it.
    case unknown

    static let x25519Name = "X25519"
    static let hybridName = "mlkem768x25519"
    static let scryptName = "scrypt"
    /// A wrapped file key with its tag.
    static let bodySize = 32

    init(_ arguments: [String], body: [UInt8]) throws(Failure) {
        switch arguments[0] {
        case Self.x25519Name:
            let share = try Self.value(arguments, count: 1, size: 32, body)
            self = .x25519(share: share, body: body)
        case Self.hybridName:
            let encapsulated = try Self.value(arguments, count: 1, size: 1120, body)
            self = .hybrid(encapsulated: encapsulated, body: body)
        case Self.scryptName:
            let salt = try Self.value(arguments, count: 2, size: 16, body)
            let digits = arguments[2].utf8
            guard digits.count <= 2, digits.first != 0x30,
                digits.allSatisfy({ (0x30...0x39).contains($0) }), let factor = Int(arguments[2])
            else { throw Header.malformed("the scrypt work factor is not a number") }
            self = .scrypt(salt: salt, workFactor: factor, body: body)
        default: self = .unknown
        }
    }

    /// The first argument after the kind, whose count, size and body must be as its kind has them.
    private static func value(
        _ arguments: [String], count: Int, size: Int, _ body: [UInt8]
    ) throws(Failure) -> [UInt8] {
        guard arguments.count == count + 1,
            let value = Base64.decode(arguments[1], padded: false), value.count == size,
            // Checked before anything is decrypted: a longer body could hold a key that opens under
            // several wrapping keys.
            body.count == bodySize
        else { throw Header.malformed("the \(arguments[0]) stanza has not the form it must have") }
        return value
    }

    var isScrypt: Bool {
        if case .scrypt = self { true } else { false }
    }

    /// The lines of a stanza with a body shorter than a full line.
    static func text(_ arguments: [String], body: [UInt8]) -> String {
        "-> " + arguments.joined(separator: " ") + "\n"
            + Base64.encode(body, padded: false) + "\n"
    }
}
