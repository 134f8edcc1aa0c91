public import Basics
public import Primitives

/// What is asked of a time-stamping authority (TimeStampReq, RFC 3161, section 2.4.1).
public struct TimeStampRequest: Sendable, Equatable {
    public let algorithm: DigestAlgorithm
    /// The digest of what is to be stamped.
    public let imprint: [UInt8]
    /// The policy that the token must be made under; nil: the authority's own.
    public let policy: ObjectIdentifier?
    /// Eight random bytes that the answer must repeat, without zeros in front.
    public let nonce: [UInt8]?
    /// Whether the token shall carry the authority's certificates.
    public let wantsCertificates: Bool

    /// - Parameter algorithm: SHA-256, SHA-384 or SHA-512.
    public init(
        for message: [UInt8], by algorithm: DigestAlgorithm, policy: ObjectIdentifier?,
        world: World
    ) throws(Failure) {
        self.algorithm = algorithm
        imprint = try MessageDigest.of(message, algorithm)
        self.policy = policy
        // Never negative, never shorter than it looks.
        var nonce = world.random(8)
        nonce[0] = nonce[0] & 0x7f | 0x40
        self.nonce = nonce
        wantsCertificates = true
    }

    /// The bytes of a `.tsq`.
    public var bytes: [UInt8] {
        let identifier =
            SignatureAlgorithm.identifier(of: algorithm).map { DERWriter.oid($0) } ?? []
        let null: [UInt8] = [DERValue.null, 0]
        return DERWriter.sequence(
            DERWriter.integer([1]),
            DERWriter.sequence(
                DERWriter.sequence(identifier, null), DERWriter.octets(imprint)),
            policy.map { DERWriter.oid($0) } ?? [],
            nonce.map { DERWriter.integer($0) } ?? [],
            wantsCertificates ? DERWriter.value(DERValue.boolean, [0xff]) : [])
    }

    /// Reads a `.tsq`; throws `.timeStampMalformed` for anything else.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        var fields = try DERValue(whole: bytes).fields()
        guard try fields.next().smallInteger() == 1 else {
            throw DERValue.malformed("it is not of version 1")
        }
        (algorithm, imprint) = try TimeStampInfo.imprint(fields.next())
        policy = try fields.next(if: DERValue.oid)?.objectIdentifier()
        nonce = try fields.next(if: DERValue.integer).map { (value) throws(Failure) in
            Array(try value.integerBytes().drop { $0 == 0 })
        }
        wantsCertificates = try fields.next(if: DERValue.boolean)?.truth() ?? false
        // Extensions would ask for something that nobody here can check.
        try fields.end()
    }

    /// Whether it asks for a stamp over this message.
    public func isAbout(_ message: [UInt8]) throws(Failure) -> Bool {
        try MessageDigest.of(message, algorithm) == imprint
    }
}
