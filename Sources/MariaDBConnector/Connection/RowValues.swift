import Basics
import CMariaDB
import CNumbers

/// One row of a result as the server sends it in binary, and its form as a line.
///
/// Numbers and times come as they are stored, which costs the server a third of what their text
/// costs, and the text is made here: of integers the digits, of FLOAT and DOUBLE the shortest decimal
/// that gives the same bits, of times ISO forms with as many decimals as the column has.
/// Source: MariaDB documentation, "Result Set Packets, Binary ResultSet Row".
@safe final class RowValues {
    private enum Kind {
        case integer(bytes: Int, isSigned: Bool)
        case year, float, double, date, dateTime, time, text
    }

    private let kinds: [Kind]
    private let decimals: [Int]
    /// Where each value of the row lies in the network's buffer; nil for NULL.
    private let values: UnsafeMutablePointer<UnsafePointer<UInt8>?>
    private let lengths: UnsafeMutablePointer<Int>
    let width: Int

    init(_ fields: UnsafeBufferPointer<MYSQL_FIELD>) {
        width = fields.count
        unsafe values = .allocate(capacity: max(1, width))
        unsafe lengths = .allocate(capacity: max(1, width))
        var kinds: [Kind] = []
        var decimals: [Int] = []
        for index in 0..<width {
            let (type, flags, places) = unsafe (
                fields[index].type, fields[index].flags, fields[index].decimals
            )
            let isSigned = flags & UInt32(UNSIGNED_FLAG) == 0
            let kind: Kind =
                switch type {
                case MYSQL_TYPE_TINY: .integer(bytes: 1, isSigned: isSigned)
                case MYSQL_TYPE_SHORT: .integer(bytes: 2, isSigned: isSigned)
                case MYSQL_TYPE_YEAR: .year
                case MYSQL_TYPE_INT24, MYSQL_TYPE_LONG: .integer(bytes: 4, isSigned: isSigned)
                case MYSQL_TYPE_LONGLONG: .integer(bytes: 8, isSigned: isSigned)
                case MYSQL_TYPE_FLOAT: .float
                case MYSQL_TYPE_DOUBLE: .double
                case MYSQL_TYPE_DATE, MYSQL_TYPE_NEWDATE: .date
                case MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_DATETIME2,
                    MYSQL_TYPE_TIMESTAMP2:
                    .dateTime
                case MYSQL_TYPE_TIME, MYSQL_TYPE_TIME2: .time
                default: .text
                }
            kinds.append(kind)
            decimals.append(places <= 6 ? Int(places) : 0)
        }
        self.kinds = kinds
        self.decimals = decimals
    }

    deinit {
        unsafe values.deallocate()
        unsafe lengths.deallocate()
    }

    /// Notes where a value lies and moves on behind it; for the library's callback.
    func note(_ column: Int, _ row: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) {
        guard let row = unsafe row, var place = unsafe row.pointee else {
            unsafe values[column] = nil
            unsafe lengths[column] = 0
            return
        }
        var length: Int
        switch kinds[column] {
        case .integer(let bytes, _): length = bytes
        case .year: length = 2
        case .float: length = 4
        case .double: length = 8
        case .date, .dateTime, .time:
            length = Int(unsafe place.pointee)
            unsafe place += 1
        case .text:
            let first = unsafe place.pointee
            unsafe place += 1
            switch first {
            case 0xfc, 0xfd, 0xfe:
                let bytes = first == 0xfc ? 2 : first == 0xfd ? 3 : 8
                length = unsafe Self.number(place, bytes)
                unsafe place += bytes
            default: length = Int(first)
            }
        }
        unsafe values[column] = UnsafePointer(place)
        unsafe lengths[column] = length
        unsafe row.pointee = place + length
    }

    private static func number(_ place: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var number = 0
        for index in 0..<count { unsafe number |= Int(place[index]) << (8 * index) }
        return number
    }

    // MARK: - As a line

    /// No value but text is longer as a line.
    private static let longestNumber = 40

    /// No line of the row can be longer.
    var mostBytes: Int {
        var most = 0
        for column in 0..<width {
            most += max(Self.longestNumber, 2 * (unsafe lengths[column]) + 2)
        }
        return most
    }

    /// Writes the whole row; gives back the end.
    func write(to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var end = unsafe start
        for column in 0..<width {
            unsafe end = write(column, from: 0, count: lengths[column], to: end)
            unsafe end = self.end(of: column, at: end)
        }
        return unsafe end
    }

    /// Writes a value, or a part of a text.
    func write(
        _ column: Int, from place: Int, count: Int, to start: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        guard let value = unsafe values[column] else {
            unsafe start.storeBytes(of: 0x4e5c, as: UInt16.self)
            return unsafe start + 2
        }
        var text = unsafe NumberText(end: start)
        switch kinds[column] {
        case .text: return unsafe RowText.escape(value + place, count, to: start)
        case .integer(let bytes, let isSigned):
            let bits = UInt64(truncatingIfNeeded: unsafe Self.number(value, bytes))
            if isSigned {
                let shift = UInt64(64 - 8 * bytes)
                text.append(Int64(bitPattern: bits << shift) >> Int64(shift))
            } else {
                text.append(bits)
            }
        case .year: text.append(UInt64(unsafe Self.number(value, 2)), digits: 4)
        case .float:
            text.append(
                Double(Float(bitPattern: UInt32(truncatingIfNeeded: unsafe Self.number(value, 4)))))
        case .double:
            text.append(
                Double(bitPattern: UInt64(truncatingIfNeeded: unsafe Self.number(value, 8))))
        case .date:
            unsafe text.appendDate(value, lengths[column])
        case .dateTime:
            unsafe text.appendDate(value, lengths[column])
            text.append(byte: 0x20)
            unsafe text.appendClock(value + 4, lengths[column] - 4, hours: 0, decimals[column])
        case .time:
            let length = unsafe lengths[column]
            var days: UInt64 = 0
            if length > 0 {
                if unsafe value[0] == 1 { text.append(byte: 0x2d) }
                days = UInt64(unsafe Self.number(value + 1, 4))
            }
            unsafe text.appendClock(value + 5, length - 5, hours: days * 24, decimals[column])
        }
        return unsafe text.end
    }

    func end(of column: Int, at place: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        unsafe place.storeBytes(of: column == width - 1 ? 0x0a : 0x09, as: UInt8.self)
        return unsafe place + 1
    }

    func length(of column: Int) -> Int { unsafe lengths[column] }
}

/// Writes numbers and times, behind one another.
@safe struct NumberText {
    private(set) var end: UnsafeMutableRawPointer

    init(end: UnsafeMutableRawPointer) { unsafe self.end = end }

    mutating func append(byte: UInt8) {
        unsafe end.storeBytes(of: byte, as: UInt8.self)
        unsafe end += 1
    }

    mutating func append(_ value: Int64) {
        if value < 0 { append(byte: 0x2d) }
        append(value.magnitude)
    }

    /// With zeros in front up to so many digits.
    mutating func append(_ value: UInt64, digits least: Int = 1) {
        var count = 1
        var rest = value / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        count = max(count, least)
        rest = value
        for place in stride(from: count - 1, through: 0, by: -1) {
            unsafe end.storeBytes(
                of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self
            )
            rest /= 10
        }
        unsafe end += count
    }

    mutating func append(_ value: Double) {
        let count = unsafe exeat_write_double(value, end.assumingMemoryBound(to: CChar.self))
        unsafe end += Int(count)
    }

    mutating func appendDate(_ value: UnsafePointer<UInt8>, _ length: Int) {
        let isThere = length >= 4
        append(UInt64(isThere ? unsafe Int(value[0]) | Int(value[1]) << 8 : 0), digits: 4)
        append(byte: 0x2d)
        append(UInt64(isThere ? unsafe value[2] : 0), digits: 2)
        append(byte: 0x2d)
        append(UInt64(isThere ? unsafe value[3] : 0), digits: 2)
    }

    /// Hours, minutes and seconds, and so many decimals of a second.
    mutating func appendClock(
        _ value: UnsafePointer<UInt8>, _ length: Int, hours: UInt64, _ decimals: Int
    ) {
        let isThere = length >= 3
        append(hours + UInt64(isThere ? unsafe value[0] : 0), digits: 2)
        append(byte: 0x3a)
        append(UInt64(isThere ? unsafe value[1] : 0), digits: 2)
        append(byte: 0x3a)
        append(UInt64(isThere ? unsafe value[2] : 0), digits: 2)
        if decimals == 0 { return }
        var micros: UInt64 = 0
        if length >= 7 {
            for index in 0..<4 { micros |= UInt64(unsafe value[3 + index]) << (8 * UInt64(index)) }
        }
        for _ in decimals..<6 { micros /= 10 }
        append(byte: 0x2e)
        append(micros, digits: decimals)
    }
}

enum RowText {
    /// Writes a value with its backslashes; twice its length must be free. Gives back its end.
    static func escape(
        _ value: UnsafePointer<UInt8>, _ count: Int, to start: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var end = unsafe start
        let source = unsafe UnsafeRawPointer(value)
        var place = 0
        while place < count {
            if place + 8 <= count {
                let word = unsafe source.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                if has(word, 0x5c) | has(word, 0x09) | has(word, 0x0a) == 0 {
                    unsafe end.storeBytes(of: word, as: UInt64.self)
                    unsafe end += 8
                    place += 8
                    continue
                }
            }
            for _ in 0..<min(8, count - place) {
                let byte = unsafe source.load(fromByteOffset: place, as: UInt8.self)
                place += 1
                if byte == 0x5c || byte == 0x09 || byte == 0x0a {
                    unsafe end.storeBytes(of: 0x5c, as: UInt8.self)
                    unsafe end += 1
                    unsafe end.storeBytes(
                        of: byte == 0x5c ? 0x5c : byte == 0x09 ? 0x74 : 0x6e, as: UInt8.self)
                } else {
                    unsafe end.storeBytes(of: byte, as: UInt8.self)
                }
                unsafe end += 1
            }
        }
        return unsafe end
    }

    /// Not 0 where a byte of the word is that one.
    @inline(__always)
    private static func has(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let other = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
        return (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080
    }
}
