/// Names of log files as text and back, without loss: two that are not UTF-8 never become one log.
///
/// In a name that is not UTF-8 each byte beyond ASCII stands as U+10FF00 and the byte, of a private plane; so do
/// they in a name that holds such a character itself.
enum TextName {
    private static let base: UInt32 = 0x10ff00
    private static let escapes = (base + 0x80)...(base + 0xff)

    static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self),
            !text.unicodeScalars.contains(where: { escapes.contains($0.value) })
        {
            return text
        }
        var text = String.UnicodeScalarView()
        for byte in bytes {
            let value = byte < 0x80 ? UInt32(byte) : base + UInt32(byte)
            if let scalar = Unicode.Scalar(value) { text.append(scalar) }
        }
        return String(text)
    }

    static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if escapes.contains(scalar.value) {
                bytes.append(UInt8(scalar.value - base))
            } else {
                bytes += Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return bytes
    }
}
