public import Basics
import Primitives

/// A time-stamp token: a TSTInfo in a CMS SignedData with one signer (RFC 3161, RFC 5652).
///
/// Parsing says nothing about whether it holds: `TimeStampTrust` does.
public struct TimeStampToken: Sendable {
    public let info: TimeStampInfo
    /// The DER of `info`, which the signature stands on.
    let content: [UInt8]
    /// What came with the token; nobody trusts them for that.
    let certificates: [Certificate]
    let signer: Signer

    struct Signer: Sendable {
        enum Name: Sendable {
            case issuer([UInt8], serial: [UInt8])
            case key([UInt8])
        }

        let name: Name
        let digest: DigestAlgorithm
        let scheme: PublicKey.Scheme
        let signature: [UInt8]
        /// The signed attributes as a SET, as they came and as DER sorts them.
        let signed: [[UInt8]]
        let contentType: ObjectIdentifier?
        let messageDigest: [UInt8]?
        let identifiers: [CertificateIdentifier]
    }

    /// ESSCertID and ESSCertIDv2 (RFC 2634, RFC 5035): which certificate the signer means.
    struct CertificateIdentifier: Sendable {
        let algorithm: DigestAlgorithm
        let digest: [UInt8]
        let issuerSerial: (issuer: [UInt8], serial: [UInt8])?

        func names(_ certificate: Certificate) throws(Failure) -> Bool {
            guard try MessageDigest.of(certificate.der, algorithm) == digest else { return false }
            guard let issuerSerial else { return true }
            return issuerSerial.serial == certificate.serial
                && (issuerSerial.issuer == certificate.issuer || issuerSerial.issuer.isEmpty)
        }
    }

    /// Longer answers are no time-stamps.
    public static let longest = 1 << 18

    /// Reads a `.tsr` (TimeStampResp) or the token alone.
    ///
    /// Throws `.timeStampRefused` for an answer that grants nothing, and `.timeStampMalformed` for
    /// what is no answer.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= Self.longest else { throw DERValue.malformed("it is too long") }
        let value = try DERValue(whole: bytes)
        var fields = try value.fields()
        let first = try fields.next()
        if first.tag == DERValue.oid {
            try self.init(contentInfo: value)
            return
        }
        try Self.checkStatus(first)
        let token = try fields.next()
        try fields.end()
        try self.init(contentInfo: token)
    }

    /// PKIStatusInfo: granted, or granted with changes.
    private static func checkStatus(_ value: DERValue) throws(Failure) {
        var fields = try value.fields()
        let status = try fields.next().smallInteger()
        var texts: [String] = []
        if let list = fields.next(if: DERValue.sequence) {
            for text in try list.children() {
                texts.append(String(decoding: text.content.prefix(200), as: UTF8.self))
            }
        }
        let bits = try fields.next(if: DERValue.bits).map { (value) throws(Failure) in
            failureWords(value.content)
        }
        try fields.end()
        guard status > 1 else { return }
        let names = [2: "rejection", 3: "waiting", 4: "revocation warning", 5: "revocation"]
        let reasons = (texts + (bits ?? [])).joined(separator: "; ")
        throw Failure(
            .timeStampRefused,
            "the authority answered \"\(names[status] ?? "status \(status)")\""
                + (reasons.isEmpty ? "" : ": \(reasons)"),
            hint: "Ask it for another policy or digest, or ask its operator.")
    }

    /// PKIFailureInfo, RFC 3161, section 2.4.2.
    private static func failureWords(_ content: [UInt8]) -> [String] {
        let words = [
            0: "badAlg", 2: "badRequest", 5: "badDataFormat", 14: "timeNotAvailable",
            15: "unacceptedPolicy", 16: "unacceptedExtension", 17: "addInfoNotAvailable",
            25: "systemFailure",
        ]
        let bits = content.dropFirst().enumerated().flatMap { index, byte in
            (0..<8).compactMap { byte >> (7 - UInt8($0)) & 1 == 1 ? index * 8 + $0 : nil }
        }
        return bits.map { words[$0] ?? "failure \($0)" }
    }

    private init(contentInfo: DERValue) throws(Failure) {
        var outer = try contentInfo.fields()
        guard try outer.next().objectIdentifier() == .signedData,
            let wrapped = outer.next(if: DERValue.context(0)), try wrapped.children().count == 1,
            let signedData = try wrapped.children().first
        else { throw DERValue.malformed("it holds no signed data") }
        try outer.end()
        var fields = try signedData.fields()
        guard (1...5).contains(try fields.next().smallInteger()) else {
            throw DERValue.malformed("its signed data is of an unknown version")
        }
        _ = try fields.next().elements(of: DERValue.set)
        var encapsulated = try fields.next().fields()
        guard try encapsulated.next().objectIdentifier() == .timeStampInfo,
            let inner = encapsulated.next(if: DERValue.context(0)), try inner.children().count == 1,
            let octets = try inner.children().first
        else { throw DERValue.malformed("what is signed is no time-stamp") }
        try encapsulated.end()
        content = try octets.octets()
        info = try TimeStampInfo(parsing: content)
        var certificates: [Certificate] = []
        if let list = fields.next(if: DERValue.context(0)) {
            // Other kinds of certificates have other tags, and lead nowhere.
            for element in try list.children() where element.tag == DERValue.sequence {
                certificates.append(try Certificate(element))
            }
        }
        _ = fields.next(if: DERValue.context(1))
        let signers = try fields.next().elements(of: DERValue.set)
        try fields.end()
        guard signers.count == 1 else { throw DERValue.malformed("it has not one signer") }
        self.certificates = certificates
        signer = try Signer(signers[0])
    }
}

extension TimeStampToken.Signer {
    fileprivate init(_ value: DERValue) throws(Failure) {
        var fields = try value.fields()
        _ = try fields.next().smallInteger()
        if let key = fields.next(if: DERValue.context(0, constructed: false)) {
            name = .key(key.content)
        } else {
            var both = try fields.next().fields()
            let issuer = try both.next().bytes
            name = .issuer(issuer, serial: try both.next().integerBytes())
            try both.end()
        }
        digest = try SignatureAlgorithm.digest(fields.next())
        guard let attributes = fields.next(if: DERValue.context(0)) else {
            throw DERValue.malformed("its signer signs no attributes")
        }
        scheme = try SignatureAlgorithm.scheme(fields.next(), digest: digest)
        signature = try fields.next().octets()
        _ = fields.next(if: DERValue.context(1))
        try fields.end()
        let parts = try attributes.children()
        signed = [
            DERWriter.value(DERValue.set, parts.flatMap(\.bytes)),
            DERWriter.value(
                DERValue.set,
                parts.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 }),
        ]
        var values: [ObjectIdentifier: DERValue] = [:]
        for part in parts {
            var attribute = try part.fields()
            let type = try attribute.next().objectIdentifier()
            let elements = try attribute.next().elements(of: DERValue.set)
            try attribute.end()
            guard values[type] == nil else {
                throw DERValue.malformed("its signer signs an attribute twice")
            }
            guard elements.count == 1 else {
                // Of those that count, none may have several values.
                let single: Set<ObjectIdentifier> = [
                    .contentType, .messageDigest, .signingCertificate, .signingCertificateV2,
                ]
                guard !single.contains(type) else {
                    throw DERValue.malformed("an attribute of its signer has not one value")
                }
                continue
            }
            values[type] = elements[0]
        }
        contentType = try values[.contentType]?.objectIdentifier()
        messageDigest = try values[.messageDigest]?.octets()
        var identifiers: [TimeStampToken.CertificateIdentifier] = []
        if let value = values[.signingCertificate] {
            identifiers.append(try .init(of: value, isSecondVersion: false))
        }
        if let value = values[.signingCertificateV2] {
            identifiers.append(try .init(of: value, isSecondVersion: true))
        }
        self.identifiers = identifiers
    }
}

extension TimeStampToken.CertificateIdentifier {
    /// The first of a SigningCertificate or SigningCertificateV2: that of the signer.
    fileprivate init(of value: DERValue, isSecondVersion: Bool) throws(Failure) {
        var fields = try value.fields()
        guard let first = try fields.next().elements(of: DERValue.sequence).first else {
            throw DERValue.malformed("it names no certificate")
        }
        _ = fields.next(if: DERValue.sequence)
        try fields.end()
        var parts = try first.fields()
        if !isSecondVersion {
            algorithm = .sha1
        } else if let named = parts.next(if: DERValue.sequence) {
            algorithm = try SignatureAlgorithm.digest(named)
        } else {
            algorithm = .sha256
        }
        digest = try parts.next().octets()
        if let both = parts.next(if: DERValue.sequence) {
            var inner = try both.fields()
            let names = try inner.next().elements(of: DERValue.sequence)
            // GeneralNames with one directoryName, [4].
            let issuer = try names.first { $0.tag == DERValue.context(4) }?.children().first?.bytes
            issuerSerial = (issuer ?? [], try inner.next().integerBytes())
        } else {
            issuerSerial = nil
        }
        try parts.end()
    }
}

extension TimeStampToken {
    /// Whether the bytes are an answer with a status, and not a token alone.
    public static func isResponse(_ bytes: [UInt8]) throws(Failure) -> Bool {
        var fields = try DERValue(whole: bytes).fields()
        return try fields.next().tag != DERValue.oid
    }

    /// An answer with a status: as it is, or made of the token alone. That is what `.tsr` files hold.
    public static func response(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        if try isResponse(bytes) { return bytes }
        return DERWriter.sequence(DERWriter.sequence(DERWriter.integer([])), bytes)
    }
}
