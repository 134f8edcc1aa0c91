import Basics
import Primitives

/// The algorithms that a token and its certificates may be signed by.
enum SignatureAlgorithm {
    private static let digests: [(ObjectIdentifier, DigestAlgorithm)] = [
        (ObjectIdentifier(known: 2, 16, 840, 1, 101, 3, 4, 2, 1), .sha256),
        (ObjectIdentifier(known: 2, 16, 840, 1, 101, 3, 4, 2, 2), .sha384),
        (ObjectIdentifier(known: 2, 16, 840, 1, 101, 3, 4, 2, 3), .sha512),
    ]
    private static let rsa: [(ObjectIdentifier, DigestAlgorithm)] = [
        (ObjectIdentifier(known: 1, 2, 840, 113549, 1, 1, 11), .sha256),
        (ObjectIdentifier(known: 1, 2, 840, 113549, 1, 1, 12), .sha384),
        (ObjectIdentifier(known: 1, 2, 840, 113549, 1, 1, 13), .sha512),
    ]
    private static let ecdsa: [(ObjectIdentifier, DigestAlgorithm)] = [
        (ObjectIdentifier(known: 1, 2, 840, 10045, 4, 3, 2), .sha256),
        (ObjectIdentifier(known: 1, 2, 840, 10045, 4, 3, 3), .sha384),
        (ObjectIdentifier(known: 1, 2, 840, 10045, 4, 3, 4), .sha512),
    ]
    /// The key's own identifiers, which CMS allows where the digest stands elsewhere.
    private static let plainRSA = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 1, 1)
    private static let plainCurve = ObjectIdentifier(known: 1, 2, 840, 10045, 2, 1)
    private static let pss = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 1, 10)
    private static let mask = ObjectIdentifier(known: 1, 2, 840, 113549, 1, 1, 8)
    static let sha1 = ObjectIdentifier(known: 1, 3, 14, 3, 2, 26)

    static func identifier(of digest: DigestAlgorithm) -> ObjectIdentifier? {
        digests.first { $0.1 == digest }?.0
    }

    /// SHA-256, SHA-384 or SHA-512, from an AlgorithmIdentifier whose parameters are absent or NULL.
    static func digest(_ value: DERValue) throws(Failure) -> DigestAlgorithm {
        var fields = try value.fields()
        let identifier = try fields.next().objectIdentifier()
        _ = fields.next(if: DERValue.null)
        try fields.end()
        guard let found = digests.first(where: { $0.0 == identifier }) else {
            throw weak("the digest", identifier)
        }
        return found.1
    }

    private static func weak(_ what: String, _ identifier: ObjectIdentifier) -> Failure {
        let name = identifier == sha1 ? "SHA-1" : identifier.text
        return Failure(
            .timeStampAlgorithm, "\(what) of the time-stamp is \(name), which proves nothing here",
            hint: "SHA-256, SHA-384 and SHA-512 are taken, with RSA from 2048 bits on or ECDSA.")
    }

    /// - Parameter digest: what a signer of CMS names apart; nil in a certificate.
    static func scheme(
        _ value: DERValue, digest: DigestAlgorithm?
    ) throws(Failure) -> PublicKey.Scheme {
        var fields = try value.fields()
        let identifier = try fields.next().objectIdentifier()
        if identifier == pss {
            let scheme = try pssScheme(fields)
            if case .pss(let own, _, _) = scheme, let digest, own != digest {
                throw DERValue.malformed("its signature names two digests")
            }
            return scheme
        }
        _ = fields.next(if: DERValue.null)
        try fields.end()
        if let digest {
            if identifier == plainRSA { return .rsa(digest) }
            if identifier == plainCurve { return .ecdsa(digest) }
        }
        let named =
            rsa.first { $0.0 == identifier }.map { PublicKey.Scheme.rsa($0.1) }
            ?? ecdsa.first { $0.0 == identifier }.map { PublicKey.Scheme.ecdsa($0.1) }
        guard let named else { throw weak("the signature", identifier) }
        switch named {
        case .rsa(let own), .ecdsa(let own), .pss(let own, _, _):
            guard digest == nil || digest == own else {
                throw DERValue.malformed("its signature names two digests")
            }
        }
        return named
    }

    /// RSASSA-PSS-params (RFC 4055): the defaults are SHA-1, so all must be there.
    private static func pssScheme(_ fields: DERFields) throws(Failure) -> PublicKey.Scheme {
        var fields = fields
        var parameters = try fields.next().fields()
        try fields.end()
        func inner(_ value: DERValue?) throws(Failure) -> DERValue {
            guard let child = try value?.children().first else { throw weak("the digest", sha1) }
            return child
        }
        let hash = try digest(inner(parameters.next(if: DERValue.context(0))))
        var generator = try inner(parameters.next(if: DERValue.context(1))).fields()
        guard try generator.next().objectIdentifier() == mask else {
            throw DERValue.malformed("its mask is of an unknown kind")
        }
        let masked = try digest(generator.next())
        let salt = try parameters.next(if: DERValue.context(2))?.children().first?.smallInteger()
        if let trailer = parameters.next(if: DERValue.context(3)) {
            guard try trailer.children().first?.smallInteger() == 1 else {
                throw DERValue.malformed("its signature has an unknown trailer")
            }
        }
        try parameters.end()
        return .pss(hash, mask: masked, salt: salt ?? 20)
    }
}
