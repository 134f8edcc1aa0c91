import Basics
import Crypto

/// An Ed25519 signature in the form of OpenSSH's PROTOCOL.sshsig, version 1, over SHA-512.
///
/// Other key types, other hash algorithms and a filled "reserved" field are not read at all: the
/// algorithm is fixed, and nothing in an archive can choose another.
struct SSHSignature: Equatable {
    static let keyType = "ssh-ed25519"
    static let hashAlgorithm = "sha512"
    private static let magic = "SSHSIG"
    private static let version: UInt32 = 1
    private static let lineLength = 70
    private static let header = "-----BEGIN SSH SIGNATURE-----"
    private static let footer = "-----END SSH SIGNATURE-----"
    /// Far above the 400 or so bytes of an Ed25519 signature with the longest namespace.
    private static let largestArmor = 4096

    /// 32 bytes: the signer's key, as the signature names it.
    let publicKey: [UInt8]
    let namespace: String
    /// 64 bytes.
    let signature: [UInt8]

    /// What Ed25519 signs for a document: its SHA-512 with the namespace around it.
    static func signedData(_ document: [UInt8], namespace: String) -> [UInt8] {
        var writer = SSHWriter()
        writer.append(raw: magic.utf8)
        writer.append(string: namespace.utf8)
        writer.append(string: [])
        writer.append(string: hashAlgorithm.utf8)
        writer.append(string: Array(SHA512.hash(data: document)))
        return writer.bytes
    }

    /// The public key as SSH writes it on the wire and in base64 (RFC 8709, section 4).
    static func keyBlob(_ publicKey: [UInt8]) -> [UInt8] {
        var writer = SSHWriter()
        writer.append(string: keyType.utf8)
        writer.append(string: publicKey)
        return writer.bytes
    }

    /// The signature as `ssh-keygen -Y sign` prints it: 70 columns, one line feed at the end.
    var armored: [UInt8] {
        var inner = SSHWriter()
        inner.append(string: Self.keyType.utf8)
        inner.append(string: signature)
        var writer = SSHWriter()
        writer.append(raw: Self.magic.utf8)
        writer.append(number: Self.version)
        writer.append(string: Self.keyBlob(publicKey))
        writer.append(string: namespace.utf8)
        writer.append(string: [])
        writer.append(string: Self.hashAlgorithm.utf8)
        writer.append(string: inner.bytes)

        var text = Array((Self.header + "\n").utf8)
        let base64 = Array(Base64.encode(writer.bytes).utf8)
        for start in stride(from: 0, to: base64.count, by: Self.lineLength) {
            text += base64[start..<min(start + Self.lineLength, base64.count)]
            text.append(0x0a)
        }
        return text + (Self.footer + "\n").utf8
    }

    init(publicKey: [UInt8], namespace: String, signature: [UInt8]) {
        self.publicKey = publicKey
        self.namespace = namespace
        self.signature = signature
    }

    /// Reads canonical armor: exactly the bytes that `armored` gives back, else
    /// `.signatureMalformed`. One signature thus has one form, and its digest can be sealed.
    init(armored text: [UInt8]) throws(Failure) {
        guard text.count <= Self.largestArmor else { throw Self.malformed("it is too long") }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw Self.malformed("it is not text")
        }
        var lines = string.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
        guard lines.count > 3, lines.removeLast().isEmpty,
            lines.removeFirst().elementsEqual(Self.header.utf8),
            lines.removeLast().elementsEqual(Self.footer.utf8)
        else { throw Self.malformed("its armor is not that of ssh-keygen") }
        let base64 = lines.map { String(decoding: $0, as: UTF8.self) }.joined()
        guard let blob = Base64.decode(base64) else { throw Self.malformed("bad base64") }
        try self.init(blob: blob)
        guard armored == text else {
            throw Self.malformed("its armor is not that of ssh-keygen")
        }
    }

    private init(blob: [UInt8]) throws(Failure) {
        var reader = SSHReader(blob)
        guard reader.raw(6) == Array(Self.magic.utf8), reader.number() == Self.version,
            let key = reader.string(), let namespace = reader.string(),
            let reserved = reader.string(), let hash = reader.string(),
            let inner = reader.string(), reader.isAtEnd
        else { throw Self.malformed("it is not an SSHSIG of version 1") }
        guard reserved.isEmpty else { throw Self.malformed("its reserved field is not empty") }
        guard hash == Array(Self.hashAlgorithm.utf8) else {
            throw Self.malformed("its hash is not SHA-512")
        }
        guard let name = String(validating: namespace, as: UTF8.self), !name.isEmpty else {
            throw Self.malformed("its namespace is not text")
        }
        publicKey = try Self.value(of: key, length: 32)
        signature = try Self.value(of: inner, length: 64)
        self.namespace = name
    }

    /// The second string of a pair whose first one names Ed25519.
    private static func value(of blob: [UInt8], length: Int) throws(Failure) -> [UInt8] {
        var reader = SSHReader(blob)
        guard reader.string() == Array(keyType.utf8) else {
            throw malformed("it is not an Ed25519 signature")
        }
        guard let value = reader.string(), value.count == length, reader.isAtEnd else {
            throw malformed("a key or signature of the wrong length")
        }
        return value
    }

    private static func malformed(_ why: String) -> Failure {
        Failure(.signatureMalformed, "cannot read an SSH signature: \(why)")
    }
}
