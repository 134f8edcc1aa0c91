/// What may be said of content that is not text.
enum BinaryContent {
    /// Whether bytes are something else than text: NUL bytes, or many other control characters.
    static func isBinary(_ bytes: [UInt8]) -> Bool {
        let head = bytes.prefix(65536)
        if head.contains(0) || bytes.position(of: 0, from: 0) != nil { return true }
        let odd = head.lazy.filter {
            $0 < 0x20 && !$0.isSpaceOrBreak && $0 != 0x0c && $0 != 0x1b || $0 == 0x7f
        }.count
        return odd * 20 > head.count
    }

    /// What holds keys: the beginning of the file, and how the format is called.
    private static let stores: [(head: [UInt8], name: String)] = [
        ([0xfe, 0xed, 0xfe, 0xed], "jks"), ([0xce, 0xce, 0xce, 0xce], "jceks"),
        ([0x05, 0x02], "keytab"), ([0x05, 0x01], "keytab"),
        ([0x03, 0xd9, 0xa2, 0x9a], "keepass"), ([0x95], "openpgp"), ([0x94], "openpgp"),
        ([0xc5], "openpgp"), ([0xc7], "openpgp"),
        (Array("TDB file".utf8), "tdb"), (Array("LUKS".utf8), "luks"),
        ([0xa1, 0xf8, 0x4e], "oracle-wallet"),
        (Array("PuTTY-User-Key".utf8), "putty"), (Array("openssh-key-v1".utf8), "openssh"),
        (Array("age-encryption.org".utf8), "age"),
    ]

    /// What is known to hold no settings: pictures, fonts, programs, caches, catalogues of translations, public keys.
    private static let harmless: [[UInt8]] =
        [
            [0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff], [0x47, 0x49, 0x46, 0x38],
            [0x7f, 0x45, 0x4c, 0x46], [0x00, 0x01, 0x00, 0x00],
            [0x4f, 0x54, 0x54, 0x4f], [0x77, 0x4f, 0x46], [0xde, 0x12, 0x04, 0x95],
            [0x95, 0x04, 0x12, 0xde], [0x99, 0x01], [0x99, 0x02],
            [0x98], [0xc6], [0x1a, 0x01], [0x1e, 0x02], [0x00, 0x00, 0x01, 0x00],
            [0x00, 0x01, 0x0f],
        ]
        + Redaction.bytes(of: [
            "glibc-ld.so.cache", "KSLPHHRH", "RIFF", "TZif", "PK\u{1}\u{2}none", "ld.so-1",
            "SE Linux", "OggS", "%PDF-", "mimecache",
        ])

    enum Verdict: Equatable {
        /// Holds keys: the class says which.
        case store(String)
        case harmless
        case unknown
    }

    static func verdict(on bytes: [UInt8]) -> Verdict {
        if let name = der(bytes) { return name == "certificate" ? .harmless : .store(name) }
        // 0x95 begins a secret key of OpenPGP and a catalogue of translations: the longer one is asked first.
        if harmless.contains(where: { $0.count > 2 && bytes.has($0, at: 0) }) { return .harmless }
        if let store = stores.first(where: { bytes.has($0.head, at: 0) }) {
            return .store(store.name)
        }
        return harmless.contains { bytes.has($0, at: 0) } ? .harmless : .unknown
    }

    /// What a DER structure is by its first elements (X.690; RFC 5958, 8017, 5915, 7292, 5280).
    static func der(_ bytes: [UInt8]) -> String? {
        guard bytes.count > 16, bytes[0] == 0x30, let outer = content(bytes, 0) else { return nil }
        guard outer < bytes.count else { return nil }
        if bytes[outer] == 0x30 {
            // A certificate, a request, a list: the first element of the first element is [0], a number, or an algorithm.
            guard let inner = content(bytes, outer), inner < bytes.count else { return nil }
            return [0xa0, 0x02, 0x30, 0x06].contains(bytes[inner]) ? "certificate" : nil
        }
        guard bytes[outer] == 0x02, let number = content(bytes, outer), outer + 2 < bytes.count
        else {
            // PKCS#7: an object identifier.
            return bytes[outer] == 0x06 ? "certificate" : nil
        }
        let length = Int(bytes[outer + 1])
        guard length < 5, number + length < bytes.count else {
            return length > 16 ? "certificate" : nil
        }
        let version = bytes[number..<(number + length)].reduce(0) { $0 << 8 | Int($1) }
        switch (version, bytes[number + length]) {
        case (3, 0x30): return "pkcs12"
        case (0, 0x02), (1, 0x04), (0, 0x30), (1, 0x30): return "private-key"
        default: return nil
        }
    }

    /// Where the content of an element begins.
    private static func content(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard start + 1 < bytes.count else { return nil }
        let length = bytes[start + 1]
        if length < 0x80 { return start + 2 }
        let octets = Int(length & 0x7f)
        return octets > 0 && octets <= 4 ? start + 2 + octets : nil
    }
}
