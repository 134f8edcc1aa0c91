public import Basics
import Primitives

/// A certificate (X.509 version 3, RFC 5280), as far as the path to a time-stamping authority needs it.
public struct Certificate: Sendable, Hashable {
    /// The certificate as it was read.
    public let der: [UInt8]
    let serial: [UInt8]
    let issuer: [UInt8]
    let subject: [UInt8]
    public let notBefore: Timestamp
    public let notAfter: Timestamp
    let subjectPublicKeyInfo: [UInt8]
    private let signed: [UInt8]
    private let signatureAlgorithm: [UInt8]
    private let signature: [UInt8]
    let isVersion3: Bool
    private let extensions: [Extension]

    struct Extension: Sendable, Hashable {
        let identifier: ObjectIdentifier
        let isCritical: Bool
        let value: [UInt8]
    }

    public static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }
    public func hash(into hasher: inout Hasher) { hasher.combine(der) }

    /// Reads one certificate; throws `.timeStampMalformed` for anything else.
    public init(der: [UInt8]) throws(Failure) { try self.init(DERValue(whole: der)) }

    init(_ value: DERValue) throws(Failure) {
        der = value.bytes
        var fields = try value.fields()
        let inner = try fields.next()
        let outerAlgorithm = try fields.next()
        signature = try fields.next().wholeBits()
        try fields.end()
        signed = inner.bytes
        signatureAlgorithm = outerAlgorithm.bytes
        var body = try inner.fields()
        let version = try body.next(if: DERValue.context(0))?.children().first?.smallInteger() ?? 0
        isVersion3 = version == 2
        serial = try body.next().integerBytes()
        guard try body.next().bytes == signatureAlgorithm else {
            throw DERValue.malformed("a certificate names two algorithms")
        }
        issuer = try body.next().bytes
        var validity = try body.next().fields()
        notBefore = try validity.next().moment()
        notAfter = try validity.next().moment()
        try validity.end()
        subject = try body.next().bytes
        subjectPublicKeyInfo = try body.next().bytes
        _ = body.next(ifAny: [DERValue.context(1, constructed: false), DERValue.context(1)])
        _ = body.next(ifAny: [DERValue.context(2, constructed: false), DERValue.context(2)])
        var extensions: [Extension] = []
        if let list = body.next(if: DERValue.context(3)) {
            guard let values = try list.children().first else {
                throw DERValue.malformed("a certificate lacks its extensions")
            }
            for element in try values.elements(of: DERValue.sequence) {
                var parts = try element.fields()
                let identifier = try parts.next().objectIdentifier()
                let isCritical = try parts.next(if: DERValue.boolean)?.truth() ?? false
                let content = try parts.next().octets()
                try parts.end()
                guard !extensions.contains(where: { $0.identifier == identifier }) else {
                    throw DERValue.malformed("a certificate has an extension twice")
                }
                extensions.append(
                    Extension(identifier: identifier, isCritical: isCritical, value: content))
            }
        }
        try body.end()
        self.extensions = extensions
    }

    // MARK: - What it says

    /// For people: `CN=…, O=…`.
    public var name: String { DistinguishedName.text(subject) }

    var isSelfIssued: Bool { issuer == subject }

    func isValid(at moment: Timestamp) -> Bool { notBefore <= moment && moment <= notAfter }

    func value(_ identifier: ObjectIdentifier) throws(Failure) -> DERValue? {
        guard let found = extensions.first(where: { $0.identifier == identifier }) else {
            return nil
        }
        return try DERValue(whole: found.value)
    }

    func isCritical(_ identifier: ObjectIdentifier) -> Bool {
        extensions.contains { $0.identifier == identifier && $0.isCritical }
    }

    /// A critical extension that nothing here understands.
    var unknownCritical: ObjectIdentifier? {
        let known: Set<ObjectIdentifier> = [.keyUsage, .basicConstraints, .extendedKeyUsage]
        return extensions.first {
            $0.isCritical && !known.contains($0.identifier)
                && !ObjectIdentifier.harmless.contains($0.identifier)
        }?.identifier
    }

    /// The purposes it is limited to; nil where it names none.
    func purposes() throws(Failure) -> [ObjectIdentifier]? {
        guard let value = try value(.extendedKeyUsage) else { return nil }
        return try value.elements(of: DERValue.sequence).map { (value) throws(Failure) in
            try value.objectIdentifier()
        }
    }

    /// The bits of keyUsage from the first (digitalSignature); nil where there is none.
    func usage() throws(Failure) -> [Bool]? {
        guard let value = try value(.keyUsage) else { return nil }
        guard value.tag == DERValue.bits, value.content.count >= 1 else {
            throw DERValue.malformed("a certificate lacks the bits of its usage")
        }
        var bits = value.content.dropFirst().flatMap { byte in
            (0..<8).map { byte >> (7 - UInt8($0)) & 1 == 1 }
        }
        while bits.count < 9 { bits.append(false) }
        return bits
    }

    /// Whether it may issue certificates, and how many more authorities may follow below it.
    func authority() throws(Failure) -> (isAuthority: Bool, below: Int?) {
        guard let value = try value(.basicConstraints) else { return (false, nil) }
        var fields = try value.fields()
        let isAuthority = try fields.next(if: DERValue.boolean)?.truth() ?? false
        let below = try fields.next(if: DERValue.integer)?.smallInteger()
        try fields.end()
        return (isAuthority, below)
    }

    func keyIdentifier() throws(Failure) -> [UInt8]? {
        try value(.subjectKeyIdentifier)?.octets()
    }

    /// Whether this certificate was signed by the key of `issuer`.
    func isSigned(by issuer: Certificate) throws(Failure) -> Bool {
        let scheme = try SignatureAlgorithm.scheme(DERValue(whole: signatureAlgorithm), digest: nil)
        do throws(Failure) {
            let key = try PublicKey(subjectPublicKeyInfo: issuer.subjectPublicKeyInfo)
            return key.isValid(signature, for: signed, by: scheme)
        } catch { throw Failure(.timeStampAlgorithm, error.what, hint: error.hint) }
    }
}

/// Names of X.500.
enum DistinguishedName {
    private static let short: [String: String] = [
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O",
        "2.5.4.11": "OU", "2.5.4.97": "organizationIdentifier", "2.5.4.5": "serialNumber",
    ]

    /// `CN=…, O=…`, the most telling part first; what is not text is left out.
    static func text(_ der: [UInt8]) -> String {
        guard let name = try? DERValue(whole: der), let parts = try? name.children() else {
            return "?"
        }
        var texts: [String] = []
        for part in parts {
            guard let attributes = try? part.children() else { continue }
            for attribute in attributes {
                guard var fields = try? attribute.fields(),
                    let type = try? fields.next().objectIdentifier(),
                    let value = try? fields.next(), value.tag & 0x20 == 0
                else { continue }
                let text = String(decoding: value.content.prefix(200), as: UTF8.self)
                texts.append("\(short[type.text] ?? type.text)=\(text)")
            }
        }
        return texts.reversed().joined(separator: ", ")
    }
}
