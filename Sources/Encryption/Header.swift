import Basics
internal import Crypto

/// The textual header of an age file (C2SP age, "Header"): who may open it, and a code over that.
struct Header {
    static let versionPrefix = "age-encryption.org/"
    static let versionLine = Array("age-encryption.org/v1\n".utf8)
    /// The line that ends a header begins with this; the code covers it.
    static let end = Array("---".utf8)
    /// A limit against hostile files: about 600 post-quantum recipients.
    static let sizeLimit = 1 << 20

    private let stanzas: [Stanza]
    private let authenticated: [UInt8]
    private let code: [UInt8]

    /// Takes a header from its first byte to the line feed after its code, and nothing but what the
    /// grammar has; `.ageHeader` otherwise.
    init(parsing bytes: [UInt8]) throws(Failure) {
        guard bytes.starts(with: Self.versionLine) else {
            throw Self.malformed("the version is not age-encryption.org/v1")
        }
        var lines = Lines(bytes[Self.versionLine.count...])
        var stanzas: [Stanza] = []
        while true {
            let line = try lines.next()
            if line.starts(with: Self.end) {
                guard !stanzas.isEmpty else { throw Self.malformed("it has no recipient") }
                let text = String(decoding: line.dropFirst(4), as: UTF8.self)
                guard line.dropFirst(3).first == 0x20, lines.rest.isEmpty,
                    let code = Base64.decode(text, padded: false), code.count == 32
                else { throw Self.malformed("its last line is not a code") }
                self.code = code
                self.authenticated = Array(bytes[..<(line.startIndex + Self.end.count)])
                break
            }
            stanzas.append(try Stanza(try Self.arguments(of: line), body: try Self.body(&lines)))
        }
        guard stanzas.count == 1 || !stanzas.contains(where: \.isScrypt) else {
            throw Self.malformed("a passphrase is not its only recipient")
        }
        self.stanzas = stanzas
    }

    /// The words of a line `-> KIND …`, each of visible ASCII characters.
    private static func arguments(of line: ArraySlice<UInt8>) throws(Failure) -> [String] {
        guard line.starts(with: [0x2d, 0x3e, 0x20]) else {
            throw malformed("a stanza does not begin with ->")
        }
        let words = line.dropFirst(3).split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x21...0x7e).contains($0) } })
        else { throw malformed("a stanza has an empty argument or a forbidden character") }
        return words.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The body of a stanza: full lines of 64 characters, and one that is shorter.
    private static func body(_ lines: inout Lines) throws(Failure) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try lines.next()
            guard line.count <= 64,
                let bytes = Base64.decode(String(decoding: line, as: UTF8.self), padded: false)
            else { throw malformed("the body of a stanza is not canonical base64 in lines of 64") }
            body += bytes
            if line.count < 64 { return body }
        }
    }

    /// The file key for the first of the identities that has one; `.ageNoMatch` when none has, and
    /// `.ageHeaderMAC` when the header was changed after it was written.
    func fileKey(for identities: [Identity]) throws(Failure) -> FileKey {
        for identity in identities {
            for stanza in stanzas {
                guard let key = try identity.fileKey(from: stanza) else { continue }
                guard key.isCode(code, of: authenticated) else {
                    throw Failure(
                        .ageHeaderMAC, "the age header was changed after it was written",
                        hint: "Do not use the file; get it again from where it was made.")
                }
                return key
            }
        }
        throw Failure(
            .ageNoMatch, "no key given opens this file",
            hint: stanzas.contains(where: \.isScrypt)
                ? "It is encrypted with a passphrase: give it, or check it for typing errors."
                : "Give the secret key of one of the recipients it was encrypted to.")
    }

    /// A header that gives `fileKey` to each of the recipients.
    static func text(
        for recipients: [Recipient], _ fileKey: FileKey
    ) throws(Failure) -> [UInt8] {
        var bytes = versionLine
        for recipient in recipients { bytes += try recipient.stanza(for: fileKey).utf8 }
        bytes += end
        bytes += " \(Base64.encode(fileKey.code(of: bytes), padded: false))\n".utf8
        return bytes
    }

    static func malformed(_ what: String) -> Failure {
        Failure(
            .ageHeader, "cannot read the age header: \(what)",
            hint: "Check that the file is whole and was encrypted with age.")
    }

    /// Lines that each end with a line feed.
    private struct Lines {
        var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        mutating func next() throws(Failure) -> ArraySlice<UInt8> {
            guard let end = rest.firstIndex(of: 0x0a) else {
                throw malformed("it ends too early")
            }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }
    }
}

extension Intake where Source: ~Copyable {
    /// Reads a header and leaves what follows.
    mutating func readHeader() throws(Failure) -> Header {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2048)
        // Whatever is not an age file is refused by its first bytes.
        _ = try readLine(into: &bytes, limit: Header.versionLine.count)
        guard bytes == Header.versionLine else {
            let isOther = bytes.starts(with: Array(Header.versionPrefix.utf8))
            throw Header.malformed(
                isOther ? "the version is not age-encryption.org/v1" : "this is not an age file")
        }
        var start = 0
        while !bytes[start...].starts(with: Header.end) {
            start = bytes.count
            guard try readLine(into: &bytes, limit: Header.sizeLimit - start) else {
                throw Header.malformed(
                    bytes.count < Header.sizeLimit
                        ? "it ends too early" : "it is longer than \(Header.sizeLimit) bytes")
            }
        }
        return try Header(parsing: bytes)
    }
}
