import Basics

/// Reads records as `OpenTelemetryRecord` writes them, to prove what was written.
///
/// Members may stand in any order; of those that it does not ask for, only the shape counts.
public struct OpenTelemetryReader: Sendable {
    public private(set) var timestamp: Timestamp?
    /// The bytes that the record stands for.
    public private(set) var body: [UInt8] = []
    /// The text of Attributes, braces included, as places in the line.
    private var attributes: Range<Int> = 0..<0
    private var line: [UInt8] = []
    private var position = 0
    private var scratch: [UInt8] = []

    public init() {}

    /// Takes a line without its newline; false where it is none of ours.
    public mutating func read(_ bytes: [UInt8]) -> Bool {
        line = bytes
        position = 0
        timestamp = nil
        body.removeAll(keepingCapacity: true)
        attributes = 0..<0
        guard take(0x7b) else { return false }
        var hasBody = false
        repeat {
            guard let key = string(), take(0x3a) else { return false }
            switch key {
            case "Timestamp":
                guard let text = string(), let time = Timestamp(text) else { return false }
                timestamp = time
            case "Body":
                guard unescape() else { return false }
                swap(&body, &scratch)
                hasBody = true
            case "Attributes":
                let start = position
                guard skip() else { return false }
                attributes = start..<position
            default: guard skip() else { return false }
            }
        } while take(0x2c)
        guard take(0x7d), position == line.count, hasBody else { return false }
        guard let encoded = attribute(OpenTelemetryRecord.bodyKey) else { return true }
        body.removeAll(keepingCapacity: true)
        return JSONBytes.decode(base64: encoded[...], to: &body)
    }

    /// The bytes of an attribute that is a string, or the text of one that is not.
    public mutating func attribute(_ name: String) -> [UInt8]? {
        guard !attributes.isEmpty else { return nil }
        let end = line.count
        defer { position = end }
        position = attributes.lowerBound + 1
        guard position < line.count, line[position] != 0x7d else { return nil }
        repeat {
            guard let key = string(), take(0x3a) else { return nil }
            if key == name {
                if line[position] == 0x22 { return unescape() ? scratch : nil }
                let start = position
                return skip() ? Array(line[start..<position]) : nil
            }
            guard skip() else { return nil }
        } while take(0x2c)
        return nil
    }

    /// All attributes whose values are strings or lists of strings; nil where the line breaks off.
    mutating func allAttributes() -> [(key: String, values: [[UInt8]])]? {
        guard !attributes.isEmpty else { return nil }
        let end = line.count
        defer { position = end }
        position = attributes.lowerBound + 1
        var members: [(key: String, values: [[UInt8]])] = []
        if position < line.count, line[position] == 0x7d { return members }
        repeat {
            guard let key = string(), take(0x3a) else { return nil }
            var values: [[UInt8]] = []
            if position < line.count, line[position] == 0x22 {
                guard unescape() else { return nil }
                values = [scratch]
            } else if take(0x5b) {
                repeat {
                    guard unescape() else { return nil }
                    values.append(scratch)
                } while take(0x2c)
                guard take(0x5d) else { return nil }
            } else {
                guard skip() else { return nil }
            }
            members.append((key, values))
        } while take(0x2c)
        return members
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < line.count, line[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func string() -> String? {
        guard unescape() else { return nil }
        return String(decoding: scratch, as: UTF8.self)
    }

    /// Reads a string into `scratch`.
    private mutating func unescape() -> Bool {
        guard take(0x22) else { return false }
        scratch.removeAll(keepingCapacity: true)
        while position < line.count {
            var end = position
            while end < line.count, line[end] != 0x22, line[end] != 0x5c { end += 1 }
            guard end < line.count else { return false }
            scratch.append(contentsOf: line[position..<end])
            position = end + 1
            if line[end] == 0x22 { return true }
            guard position < line.count, escape() else { return false }
        }
        return false
    }

    private mutating func escape() -> Bool {
        let letter = line[position]
        position += 1
        switch letter {
        case 0x22, 0x5c, 0x2f: scratch.append(letter)
        case 0x6e: scratch.append(0x0a)
        case 0x72: scratch.append(0x0d)
        case 0x74: scratch.append(0x09)
        case 0x62: scratch.append(0x08)
        case 0x66: scratch.append(0x0c)
        case 0x75:
            // Only control characters are written so.
            guard position + 4 <= line.count, line[position] == 0x30, line[position + 1] == 0x30,
                let high = Self.nibble(line[position + 2]),
                let low = Self.nibble(line[position + 3])
            else { return false }
            scratch.append(high << 4 | low)
            position += 4
        default: return false
        }
        return true
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    /// Passes over any value.
    private mutating func skip() -> Bool {
        var depth = 0
        repeat {
            guard position < line.count else { return false }
            switch line[position] {
            case 0x22:
                position += 1
                while position < line.count, line[position] != 0x22 {
                    position += line[position] == 0x5c ? 2 : 1
                }
                position += 1
            case 0x7b, 0x5b:
                depth += 1
                position += 1
            case 0x7d, 0x5d:
                depth -= 1
                position += 1
            case 0x2c, 0x3a: position += depth > 0 ? 1 : 0
            default:
                while position < line.count, ![0x2c, 0x7d, 0x5d].contains(line[position]) {
                    position += 1
                }
            }
        } while depth > 0
        return position <= line.count
    }
}
