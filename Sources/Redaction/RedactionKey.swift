import Basics
import Primitives

/// The key under which placeholders of mode `reference` are made.
///
/// Most secrets of a configuration are weak: whoever has a plain digest of `hunter2` finds it in a
/// word list within a second. A digest under a key says nothing to those who lack the key, and lets those
/// who hold it check a value they know: the placeholder ends with the first 32 hexadecimal digits of
/// `printf %s VALUE | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY`. So the key is as secret as the values:
/// it is drawn for a run from the system's random source, or agreed between two parties who want to compare
/// two exports; it is kept with what is private of a run, and never stands in an archive in clear.
public struct RedactionKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// How long a key is, in bytes.
    public static let size = 32

    private let bytes: [UInt8]

    /// Takes exactly 32 bytes. Throws `.invalidValue`, without the bytes, for any other count.
    public init(bytes: [UInt8]) throws(Failure) {
        guard bytes.count == RedactionKey.size else {
            throw Failure(
                .invalidValue,
                "a key for references has \(bytes.count) bytes, not \(RedactionKey.size)",
                hint: "Make one with: openssl rand -hex 32")
        }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits, as `openssl rand -hex 32` prints them.
    public init(hex text: String) throws(Failure) {
        guard let bytes = Hex.decode(text.lowercased()) else {
            throw Failure(
                .invalidValue, "a key for references is not written in hexadecimal digits",
                hint: "Make one with: openssl rand -hex 32")
        }
        try self.init(bytes: bytes)
    }

    /// A key nobody has seen.
    public init(drawnIn world: World) {
        bytes = world.random(RedactionKey.size)
    }

    /// The key in hexadecimal digits, for the private room of a run.
    public func revealed() -> String { Hex.encode(bytes) }

    /// The first 16 bytes of the keyed digest, in hexadecimal digits.
    func reference(to value: [UInt8]) -> String {
        Hex.encode(HMACSHA256.code(value, key: bytes).bytes.prefix(16))
    }

    public var description: String { "•••" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
