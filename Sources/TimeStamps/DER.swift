import Basics

/// A value of ASN.1 in the basic encoding (X.690): its tag and where it lies.
///
/// Reads what signers of CMS write: definite lengths, and, because RFC 5652 allows it, indefinite ones.
/// Offsets point into one array that all values of a document share. Depth is bounded.
struct DERValue {
    /// The first byte: class, whether constructed, number. High tag numbers do not occur here.
    let tag: UInt8
    private let document: [UInt8]
    /// The whole value with tag and length.
    let range: Range<Int>
    /// The content; of an indefinite length without its end.
    let body: Range<Int>
    private let depth: Int

    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bits: UInt8 = 0x03
    static let octets: UInt8 = 0x04
    static let null: UInt8 = 0x05
    static let oid: UInt8 = 0x06
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31

    /// The tag `[number]` of a context.
    static func context(_ number: UInt8, constructed: Bool = true) -> UInt8 {
        (constructed ? 0xa0 : 0x80) | number
    }

    /// The one value that these bytes are, from the first to the last.
    init(whole document: [UInt8]) throws(Failure) {
        try self.init(document, at: 0, end: document.count, depth: 0)
        guard range.upperBound == document.count else {
            throw Self.malformed("bytes follow its end")
        }
    }

    private static let deepest = 32

    private init(_ document: [UInt8], at start: Int, end: Int, depth: Int) throws(Failure) {
        guard depth <= Self.deepest else { throw Self.malformed("it is nested too deeply") }
        guard start + 2 <= end else { throw Self.malformed("it ends inside a value") }
        let tag = document[start]
        guard tag & 0x1f != 0x1f else { throw Self.malformed("it has a tag nobody knows") }
        self.tag = tag
        self.document = document
        self.depth = depth
        let first = Int(document[start + 1])
        if first == 0x80 {
            guard tag & 0x20 != 0 else { throw Self.malformed("a plain value has no length") }
            var place = start + 2
            while true {
                guard place + 2 <= end else { throw Self.malformed("it ends inside a value") }
                if document[place] == 0, document[place + 1] == 0 { break }
                place =
                    try DERValue(document, at: place, end: end, depth: depth + 1).range.upperBound
            }
            body = start + 2..<place
            range = start..<place + 2
            return
        }
        var length = first
        var place = start + 2
        if first > 0x80 {
            let count = first - 0x80
            guard count <= 4, place + count <= end else {
                throw Self.malformed("it has a length that cannot be")
            }
            length = document[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80, document[place] != 0 else {
                throw Self.malformed("it has a length in another than the shortest form")
            }
            place += count
        }
        guard length <= end - place else { throw Self.malformed("it ends inside a value") }
        body = place..<place + length
        range = start..<place + length
    }

    static func malformed(_ what: String) -> Failure {
        Failure(.timeStampMalformed, "the time-stamp is malformed: \(what)")
    }

    // MARK: - What it holds

    /// Tag, length and content, as they were read.
    var bytes: [UInt8] { Array(document[range]) }
    /// The content alone.
    var content: [UInt8] { Array(document[body]) }

    /// The values inside a constructed one.
    func children() throws(Failure) -> [DERValue] {
        guard tag & 0x20 != 0 else { throw Self.malformed("a plain value stands for several") }
        var children: [DERValue] = []
        var place = body.lowerBound
        while place < body.upperBound {
            let child = try DERValue(document, at: place, end: body.upperBound, depth: depth + 1)
            children.append(child)
            place = child.range.upperBound
        }
        return children
    }

    /// The fields of a SEQUENCE, to be taken one after the other.
    func fields() throws(Failure) -> DERFields {
        guard tag == Self.sequence else { throw Self.malformed("it lacks a sequence") }
        return DERFields(try children())
    }

    /// The elements of a SEQUENCE OF or SET OF.
    func elements(of tag: UInt8) throws(Failure) -> [DERValue] {
        guard self.tag == tag else { throw Self.malformed("it lacks a list") }
        return try children()
    }

    /// The content of an OCTET STRING, of one in parts too.
    func octets() throws(Failure) -> [UInt8] {
        if tag == Self.octets { return content }
        guard tag == Self.octets | 0x20 else { throw Self.malformed("it lacks octets") }
        var joined: [UInt8] = []
        for part in try children() { joined += try part.octets() }
        return joined
    }

    /// The content of a BIT STRING of whole bytes.
    func wholeBits() throws(Failure) -> [UInt8] {
        guard tag == Self.bits, body.count >= 1, document[body.lowerBound] == 0 else {
            throw Self.malformed("it lacks bits")
        }
        return Array(content.dropFirst())
    }

    func objectIdentifier() throws(Failure) -> ObjectIdentifier {
        guard tag == Self.oid, let identifier = ObjectIdentifier(content: content) else {
            throw Self.malformed("it lacks an identifier")
        }
        return identifier
    }

    /// The content of an INTEGER: two's complement, in the shortest form.
    func integerBytes() throws(Failure) -> [UInt8] {
        let content = content
        guard tag == Self.integer, let first = content.first,
            content.count == 1 || !(first == 0 && content[1] < 0x80),
            content.count == 1 || !(first == 0xff && content[1] >= 0x80)
        else { throw Self.malformed("it lacks a number") }
        return content
    }

    /// A number that is not negative and fits 31 bits.
    func smallInteger() throws(Failure) -> Int {
        let bytes = try integerBytes()
        guard bytes.count <= 4, bytes[0] < 0x80 else { throw Self.malformed("a number is too big") }
        return bytes.reduce(0) { $0 << 8 | Int($1) }
    }

    func truth() throws(Failure) -> Bool {
        guard tag == Self.boolean, body.count == 1 else { throw Self.malformed("it lacks a truth") }
        return document[body.lowerBound] != 0
    }

    /// A time in UTC: UTCTime or GeneralizedTime that ends with Z.
    func moment() throws(Failure) -> Timestamp {
        guard let moment = DERTime.moment(tag: tag, content) else {
            throw Self.malformed("it lacks a time")
        }
        return moment
    }
}

/// The fields of a SEQUENCE in their order, some of which may be absent.
struct DERFields {
    private var rest: ArraySlice<DERValue>

    init(_ values: [DERValue]) { rest = values[...] }

    mutating func next() throws(Failure) -> DERValue {
        guard let value = rest.popFirst() else { throw DERValue.malformed("it lacks a field") }
        return value
    }

    /// The next field if it has this tag.
    mutating func next(if tag: UInt8) -> DERValue? {
        guard rest.first?.tag == tag else { return nil }
        return rest.removeFirst()
    }

    /// The next field if its tag is one of these.
    mutating func next(ifAny tags: [UInt8]) -> DERValue? {
        guard let first = rest.first, tags.contains(first.tag) else { return nil }
        return rest.removeFirst()
    }

    func end() throws(Failure) {
        guard rest.isEmpty else { throw DERValue.malformed("it has a field too many") }
    }
}

/// Writes DER (X.690).
enum DERWriter {
    static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        if content.count < 0x80 {
            length = [UInt8(content.count)]
        } else {
            var rest = content.count
            while rest > 0 {
                length.insert(UInt8(rest & 0xff), at: 0)
                rest >>= 8
            }
            length.insert(0x80 | UInt8(length.count), at: 0)
        }
        return [tag] + length + content
    }

    static func sequence(_ fields: [UInt8]...) -> [UInt8] {
        value(DERValue.sequence, fields.flatMap { $0 })
    }

    static func octets(_ bytes: [UInt8]) -> [UInt8] { value(DERValue.octets, bytes) }

    static func oid(_ identifier: ObjectIdentifier) -> [UInt8] {
        value(DERValue.oid, identifier.content)
    }

    /// A number that is not negative, from its big-endian bytes.
    static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        var bytes = Array(magnitude.drop { $0 == 0 })
        if bytes.first.map({ $0 >= 0x80 }) ?? true { bytes.insert(0, at: 0) }
        return value(DERValue.integer, bytes)
    }
}
