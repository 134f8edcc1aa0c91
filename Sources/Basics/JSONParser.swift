extension JSON {
    /// Reads one strict document. Throws `.jsonMalformed` with the byte offset.
    ///
    /// - Parameter depth: how deep arrays and objects may nest.
    public init(parsing bytes: some Collection<UInt8>, depth: Int = 32) throws(Failure) {
        var parser = JSONParser(bytes: Array(bytes), areNumbersForeign: false)
        self = try parser.document(depth: depth)
    }

    /// Reads a document of somebody else, who may use numbers that we have not: a fraction, an exponent
    /// or an integer beyond 2^53 becomes a string of its very digits.
    public init(parsingForeign bytes: some Collection<UInt8>, depth: Int = 64) throws(Failure) {
        var parser = JSONParser(bytes: Array(bytes), areNumbersForeign: true)
        self = try parser.document(depth: depth)
    }
}

/// A recursive-descent reader for RFC 8259 with our restrictions.
private struct JSONParser {
    let bytes: [UInt8]
    let areNumbersForeign: Bool
    var position = 0

    init(bytes: [UInt8], areNumbersForeign: Bool) {
        self.bytes = bytes
        self.areNumbersForeign = areNumbersForeign
    }

    mutating func document(depth: Int) throws(Failure) -> JSON {
        skipSpace()
        let value = try value(depth: depth)
        skipSpace()
        guard position == bytes.count else { throw malformed("bytes after the document") }
        return value
    }

    private func malformed(_ what: String) -> Failure {
        Failure(.jsonMalformed, "JSON is malformed at byte \(position): \(what)")
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
            position += 1
        }
    }

    private mutating func expect(_ text: String, _ value: JSON) throws(Failure) -> JSON {
        for byte in text.utf8 {
            guard next == byte else { throw malformed("unknown word") }
            position += 1
        }
        return value
    }

    private mutating func value(depth: Int) throws(Failure) -> JSON {
        guard depth > 0 else { throw malformed("nested too deeply") }
        switch next {
        case 0x7b: return try object(depth: depth)
        case 0x5b: return try array(depth: depth)
        case 0x22: return .string(try string())
        case 0x74: return try expect("true", .bool(true))
        case 0x66: return try expect("false", .bool(false))
        case 0x6e: return try expect("null", .null)
        case .some(0x2d), .some(0x30...0x39): return try number()
        default: throw malformed("a value is missing")
        }
    }

    private mutating func number() throws(Failure) -> JSON {
        guard areNumbersForeign else { return .integer(try integer()) }
        let start = position
        if next == 0x2d { position += 1 }
        let leading = next
        let whole = try digits()
        guard whole == 1 || leading != 0x30 else { throw malformed("bad number") }
        var isInteger = true
        if next == 0x2e {
            position += 1
            isInteger = false
            _ = try digits()
        }
        if next == 0x65 || next == 0x45 {
            position += 1
            isInteger = false
            if next == 0x2b || next == 0x2d { position += 1 }
            _ = try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text), value.magnitude <= JSON.largestInteger.magnitude,
            text != "-0"
        {
            return .integer(value)
        }
        return .string(text)
    }

    /// Passes over one digit or more; how many.
    private mutating func digits() throws(Failure) -> Int {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw malformed("bad number") }
        return position - start
    }

    private mutating func integer() throws(Failure) -> Int64 {
        let negative = next == 0x2d
        if negative { position += 1 }
        let start = position
        var number: Int64 = 0
        while let byte = next, (0x30...0x39).contains(byte) {
            number = number * 10 + Int64(byte - 0x30)
            guard number <= JSON.largestInteger else { throw malformed("integer beyond 2^53") }
            position += 1
        }
        let digits = position - start
        guard digits > 0, digits == 1 || bytes[start] != 0x30 else { throw malformed("bad number") }
        if let byte = next, byte == 0x2e || byte == 0x65 || byte == 0x45 {
            throw malformed("a number that is not an integer")
        }
        guard !(negative && number == 0) else { throw malformed("negative zero") }
        return negative ? -number : number
    }

    private mutating func object(depth: Int) throws(Failure) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        var keys = KeysSeen()
        skipSpace()
        if next == 0x7d {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard next == 0x22 else { throw malformed("a key is missing") }
            let key = try string()
            guard keys.isNew(key, after: members) else { throw malformed("key \"\(key)\" twice") }
            skipSpace()
            guard next == 0x3a else { throw malformed("a colon is missing") }
            position += 1
            skipSpace()
            members.append(JSON.Member(key, try value(depth: depth - 1)))
            skipSpace()
            if next == 0x2c {
                position += 1
            } else if next == 0x7d {
                position += 1
                return .object(members)
            } else {
                throw malformed("an object does not end")
            }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if next == 0x5d {
            position += 1
            return .array([])
        }
        while true {
            skipSpace()
            elements.append(try value(depth: depth - 1))
            skipSpace()
            if next == 0x2c {
                position += 1
            } else if next == 0x5d {
                position += 1
                return .array(elements)
            } else {
                throw malformed("an array does not end")
            }
        }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        // Most strings have no escape, and need no bytes of their own.
        while let byte = next, byte != 0x22, byte != 0x5c, byte >= 0x20 { position += 1 }
        if next == 0x22 {
            position += 1
            return try validated(bytes[start..<position - 1])
        }
        var text = Array(bytes[start..<position])
        while true {
            guard let byte = next else { throw malformed("a string does not end") }
            position += 1
            switch byte {
            case 0x22: return try validated(text[...])
            case 0x5c: try escape(into: &text)
            case 0..<0x20: throw malformed("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    private func validated(_ text: ArraySlice<UInt8>) throws(Failure) -> String {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw malformed("a string is not UTF-8")
        }
        return string
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = next else { throw malformed("a string does not end") }
        position += 1
        switch byte {
        case 0x22, 0x5c, 0x2f: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0c)
        case 0x6e: text.append(0x0a)
        case 0x72: text.append(0x0d)
        case 0x74: text.append(0x09)
        case 0x75:
            var unit = try hexadecimal()
            if (0xd800..<0xdc00).contains(unit), next == 0x5c {
                position += 1
                guard next == 0x75 else { throw malformed("half a surrogate pair") }
                position += 1
                let low = try hexadecimal()
                guard (0xdc00..<0xe000).contains(low) else {
                    throw malformed("half a surrogate pair")
                }
                unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(unit) else {
                throw malformed("half a surrogate pair")
            }
            text += String(Character(scalar)).utf8
        default: throw malformed("unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("bad \\u escape")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

/// Tells a key that comes twice. Keys are compared by their bytes: Swift's == would take Unicode twins
/// for one.
private struct KeysSeen {
    /// Of an object that has many; a few are looked through.
    private var many: Set<[UInt8]> = []
    private static let few = 16

    mutating func isNew(_ key: String, after members: [JSON.Member]) -> Bool {
        if members.count < Self.few {
            return !members.contains { $0.key.utf8.elementsEqual(key.utf8) }
        }
        if members.count == Self.few { many = Set(members.map { Array($0.key.utf8) }) }
        return many.insert(Array(key.utf8)).inserted
    }
}
