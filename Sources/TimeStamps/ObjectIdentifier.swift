/// An object identifier, such as 1.3.6.1.5.5.7.3.8.
public struct ObjectIdentifier: Sendable, Hashable, CustomStringConvertible {
    /// The content octets of its encoding.
    let content: [UInt8]
    /// Numbers and dots.
    public let text: String

    public var description: String { text }

    /// From the content octets; nil unless they are the shortest form of a whole identifier.
    init?(content: [UInt8]) {
        guard !content.isEmpty, content.count <= 64, content[content.count - 1] < 0x80 else {
            return nil
        }
        var numbers: [UInt64] = []
        var number: UInt64 = 0
        var atStart = true
        for byte in content {
            if atStart, byte == 0x80 { return nil }
            guard number < 1 << 56 else { return nil }
            number = number << 7 | UInt64(byte & 0x7f)
            atStart = byte < 0x80
            guard atStart else { continue }
            if numbers.isEmpty {
                let first = min(number / 40, 2)
                numbers = [first, number - first * 40]
            } else {
                numbers.append(number)
            }
            number = 0
        }
        self.content = content
        text = numbers.map(String.init).joined(separator: ".")
    }

    /// From numbers and dots; nil for what is no identifier.
    public init?(_ text: some StringProtocol) {
        var numbers: [UInt64] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard let number = UInt64(part), String(number) == part, number < 1 << 56 else {
                return nil
            }
            numbers.append(number)
        }
        guard numbers.count >= 2, numbers[0] <= 2, numbers[0] == 2 || numbers[1] < 40 else {
            return nil
        }
        var content: [UInt8] = []
        for number in [numbers[0] * 40 + numbers[1]] + numbers.dropFirst(2) {
            var digits = [UInt8(number & 0x7f)]
            var rest = number >> 7
            while rest > 0 {
                digits.insert(0x80 | UInt8(rest & 0x7f), at: 0)
                rest >>= 7
            }
            content += digits
        }
        guard content.count <= 64 else { return nil }
        self.content = content
        self.text = numbers.map(String.init).joined(separator: ".")
    }

    /// For identifiers of ours that are known to be good.
    init(known numbers: UInt64...) {
        let text = numbers.map(String.init).joined(separator: ".")
        self = ObjectIdentifier(text) ?? ObjectIdentifier(empty: text)
    }

    private init(empty text: String) {
        content = []
        self.text = text
    }
}

extension ObjectIdentifier {
    // RFC 3161 and RFC 5652
    static let signedData = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 7, 2)
    static let timeStampInfo = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 9, 16, 1, 4)
    static let contentType = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 9, 3)
    static let messageDigest = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 9, 4)
    // RFC 2634 and RFC 5035
    static let signingCertificate = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 9, 16, 2, 12)
    static let signingCertificateV2 = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 9, 16, 2, 47)
    // RFC 5280
    static let subjectKeyIdentifier = ObjectIdentifier(known: 2, 5, 29, 14)
    static let keyUsage = ObjectIdentifier(known: 2, 5, 29, 15)
    static let basicConstraints = ObjectIdentifier(known: 2, 5, 29, 19)
    static let nameConstraints = ObjectIdentifier(known: 2, 5, 29, 30)
    static let extendedKeyUsage = ObjectIdentifier(known: 2, 5, 29, 37)
    static let timeStamping = ObjectIdentifier(known: 1, 3, 6, 1, 5, 5, 7, 3, 8)
    static let anyExtendedKeyUsage = ObjectIdentifier(known: 2, 5, 29, 37, 0)
    /// Critical extensions that change nothing for the path of a time-stamping authority: names,
    /// policies, and limits on policies that nobody here asks for.
    static let harmless: Set<ObjectIdentifier> = [
        ObjectIdentifier(known: 2, 5, 29, 17), ObjectIdentifier(known: 2, 5, 29, 18),
        ObjectIdentifier(known: 2, 5, 29, 32), ObjectIdentifier(known: 2, 5, 29, 36),
        ObjectIdentifier(known: 2, 5, 29, 54),
    ]
}
