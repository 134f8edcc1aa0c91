public import Basics
public import Primitives

/// What a token certifies (TSTInfo, RFC 3161, section 2.4.2).
public struct TimeStampInfo: Sendable {
    public let policy: ObjectIdentifier
    public let algorithm: DigestAlgorithm
    public let imprint: [UInt8]
    /// In hexadecimal, unique for one authority.
    public let serial: String
    /// genTime.
    public let moment: Timestamp
    /// How far from `moment` the true time may be, in microseconds; nil where nothing is said.
    public let accuracy: Int64?
    /// Without zeros in front.
    public let nonce: [UInt8]?

    /// Reads the DER of a TSTInfo.
    init(parsing bytes: [UInt8]) throws(Failure) {
        var fields = try DERValue(whole: bytes).fields()
        guard try fields.next().smallInteger() == 1 else {
            throw DERValue.malformed("it is not of version 1")
        }
        policy = try fields.next().objectIdentifier()
        (algorithm, imprint) = try Self.imprint(fields.next())
        serial = Hex.encode(try fields.next().integerBytes())
        let time = try fields.next()
        guard time.tag == DERValue.generalizedTime else {
            throw DERValue.malformed("it lacks a time")
        }
        moment = try time.moment()
        accuracy = try fields.next(if: DERValue.sequence).map { (value) throws(Failure) in
            try Self.accuracy(value)
        }
        if let ordering = fields.next(if: DERValue.boolean) { _ = try ordering.truth() }
        nonce = try fields.next(if: DERValue.integer).map { (value) throws(Failure) in
            Array(try value.integerBytes().drop { $0 == 0 })
        }
        _ = fields.next(if: DERValue.context(0))
        if let extensions = fields.next(if: DERValue.context(1)) {
            for element in try extensions.children() {
                var parts = try element.fields()
                let identifier = try parts.next().objectIdentifier()
                if try parts.next(if: DERValue.boolean)?.truth() == true {
                    throw Failure(
                        .timeStampMalformed,
                        "the time-stamp has a critical extension that is not known: \(identifier)")
                }
            }
        }
        try fields.end()
    }

    /// MessageImprint.
    static func imprint(
        _ value: DERValue
    ) throws(Failure) -> (DigestAlgorithm, [UInt8]) {
        var fields = try value.fields()
        let algorithm = try SignatureAlgorithm.digest(fields.next())
        let imprint = try fields.next().octets()
        try fields.end()
        guard imprint.count == algorithm.size else {
            throw DERValue.malformed("its digest has another length than \(algorithm.rawValue)")
        }
        return (algorithm, imprint)
    }

    private static func accuracy(_ value: DERValue) throws(Failure) -> Int64 {
        var fields = try value.fields()
        let seconds = try fields.next(if: DERValue.integer)?.smallInteger() ?? 0
        let millis = try small(fields.next(if: DERValue.context(0, constructed: false)))
        let micros = try small(fields.next(if: DERValue.context(1, constructed: false)))
        try fields.end()
        return Int64(seconds) * 1_000_000 + millis * 1000 + micros
    }

    /// 1…999 under an implicit tag.
    private static func small(_ value: DERValue?) throws(Failure) -> Int64 {
        guard let value else { return 0 }
        let bytes = value.content
        let number = bytes.prefix(3).reduce(0) { $0 << 8 | Int64($1) }
        guard (1...2).contains(bytes.count), (1...999).contains(number) else {
            throw DERValue.malformed("it has an accuracy that cannot be")
        }
        return number
    }
}
