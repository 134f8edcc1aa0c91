/// Reads the time at the beginning of a line, in the format met last or in any other.
///
/// Allocates nothing. The answer depends on the line alone where only one format fits, which the
/// formats are made for.
public struct TextTimeParser: Sendable {
    /// How much of a line it looks at.
    public static let window = 4096

    /// The one format that counts; nil takes any.
    private let only: TextFormat?
    /// The one met last, tried first.
    private var last: TextFormat

    public init(_ format: TextFormat? = nil) {
        only = format
        last = format ?? .iso
    }

    /// The time and where the line goes on behind it; nil for a line without one.
    @inline(__always)
    public mutating func parse(
        _ line: UnsafeRawBufferPointer
    ) -> (time: TextTime, format: TextFormat, end: Int)? {
        guard var cursor = unsafe TextCursor(line) else { return nil }
        cursor.skipDecoration()
        if let time = cursor.time(last, isOnly: only != nil) {
            return (time, last, cursor.position)
        }
        if only != nil { return nil }
        return parseOther(cursor)
    }

    private mutating func parseOther(
        _ start: TextCursor
    ) -> (time: TextTime, format: TextFormat, end: Int)? {
        for format in start.candidates where format != last {
            var cursor = start
            if let time = cursor.time(format) {
                last = format
                return (time, format, cursor.position)
            }
        }
        return nil
    }
}

extension TextCursor {
    /// What a terminal or an editor leaves in front of a line: a byte order mark, colours.
    @inline(__always)
    mutating func skipDecoration() {
        if byte == 0xef, peek(1) == 0xbb, peek(2) == 0xbf { position += 3 }
        while byte == 0x1b, peek(1) == 0x5b {
            var end = position + 2
            while self[end] &- 0x30 < 10 || self[end] == 0x3b { end += 1 }
            guard self[end] == 0x6d else { return }
            position = end + 1
        }
    }

    /// The formats that a line with this beginning may have.
    var candidates: [TextFormat] {
        switch byte {
        case 0x7b: Candidates.brace
        case 0x3c: Candidates.priority
        case 0x5b: Candidates.bracket
        case 0x30...0x39: Candidates.digit
        case 0x41...0x5a: Candidates.capital
        case 0x28: Candidates.parenthesis
        // The lines of a stack trace, of which there may be many.
        case 0x20 where peek(1) == 0x20 || peek(1) &- 0x30 < 10: Candidates.padded
        case 0x20, 0x09, 0: Candidates.none
        default: Candidates.other
        }
    }

    @inline(__always)
    mutating func time(_ format: TextFormat, isOnly: Bool = false) -> TextTime? {
        let start = position
        let time: TextTime? =
            switch format {
            case .iso: isoLine()
            case .rfc5424: rfc5424()
            case .rfc3164: rfc3164()
            case .access: access()
            case .nginxError: nginxError()
            case .apacheError: apacheError()
            case .mysql: mysql()
            case .epoch: epoch()
            case .json: json()
            case .logfmt: logfmt()
            case .dayFirst: dayFirst(anySeparator: isOnly)
            case .monthFirst: monthFirst(isOnly: isOnly)
            case .glog: glog()
            case .compact: compact()
            }
        if time == nil { position = start }
        return time
    }

    // MARK: - Formats

    @inline(__always)
    private mutating func isoLine() -> TextTime? {
        if byte &- 0x30 >= 10 { skipLevel() }
        let start = position
        if let time = iso(separator: 0x2d) { return time }
        // ClickHouse.
        position = start
        return peek(4) == 0x2e ? iso(separator: 0x2e) : nil
    }

    private mutating func nginxError() -> TextTime? {
        _ = take(0x5b)
        return iso(separator: 0x2f)
    }

    /// A date, "T", a space, a tab (W3C) or "_" (svlogd), a time of day, a fraction, a zone. MariaDB pads hours
    /// with a space.
    private mutating func iso(separator: UInt8) -> TextTime? {
        guard let year = digits(4), take(separator), let month = digits(2), take(separator),
            let day = digits(2)
        else { return nil }
        let between = byte
        guard
            between == 0x54 || between == 0x20 || between == 0x74 || between == 0x5f
                || between == 0x09
        else { return nil }
        position += 1
        guard var time = finish(year, month, day) else { return nil }
        // svlogd writes UTC, with five decimals, and does not say so (svlogd(8), -tt).
        if between == 0x5f, time.zone == .absent, self[position - 6] == 0x2e {
            time.zone = .offset(0)
        }
        return time
    }

    private mutating func rfc5424() -> TextTime? {
        guard skipPriority(), take(0x31), take(0x20) else { return nil }
        return iso(separator: 0x2d)
    }

    private mutating func rfc3164() -> TextTime? {
        if byte == 0x3c { guard skipPriority() else { return nil } }
        _ = take(0x2a) || take(0x5b)
        guard let month = month(), take(0x20), let day = paddedNumber(), take(0x20) else {
            return nil
        }
        var year: Int64?
        if peek(4) == 0x20, let number = digits(4) {
            year = number
            position += 1
        }
        guard var time = finish(year ?? TextTime.noYear, month, day, mayHaveZone: false) else {
            return nil
        }
        time.hasYear = year != nil
        return time
    }

    /// Also what asctime(3) writes, without brackets.
    mutating func apacheError() -> TextTime? {
        _ = take(0x5b) || take(0x28)
        guard weekday(), take(0x20), let month = month(), take(0x20), let day = paddedNumber(),
            take(0x20), let clock = clock()
        else { return nil }
        let nanoseconds = fraction()
        guard take(0x20) else { return nil }
        var zone = TextTime.Zone.absent
        if byte &- 0x30 >= 10, let abbreviation = abbreviation() {
            zone = abbreviation
            guard take(0x20) else { return nil }
        }
        guard let year = digits(4) else { return nil }
        return make(year, month, day, clock, nanoseconds, zone)
    }

    private mutating func mysql() -> TextTime? {
        guard let year = digits(2), let month = digits(2), let day = digits(2), take(0x20) else {
            return nil
        }
        return finish(2000 + year, month, day, mayHaveZone: false)
    }

    private mutating func epoch() -> TextTime? {
        if byte == 0x40 { return tai64n() }
        if take("type=") || take("node=") {
            guard let place = find("msg=audit(", within: 512) else { return nil }
            position = place
        }
        let isBracketed = take(0x5b)
        guard let time = epochNumber() else { return nil }
        switch byte {
        case 0, 0x0a, 0x20, 0x09, 0x2c, 0x3a, 0x3b, 0x7c: return time
        case 0x5d where isBracketed: return time
        default: return nil
        }
    }

    /// Ten digits with a fraction, or 13, 16 or 19 digits: milli-, micro- and nanoseconds.
    private mutating func epochNumber() -> TextTime? {
        var count = 0
        var value: Int64 = 0
        while byte &- 0x30 < 10, count < 19 {
            value = value &* 10 &+ Int64(byte &- 0x30)
            count += 1
            position += 1
        }
        guard byte &- 0x30 >= 10 else { return nil }
        let unit: Int64
        switch count {
        // Up to the year 2100: other numbers of ten digits are no times.
        case 10 where value < 4_102_444_800:
            return TextTime(wall: value, nanoseconds: fraction(), zone: .offset(0))
        case 13: unit = 1000
        // Up to May 2033: later ones look like a year, a day and a time without marks between them.
        case 16 where value < 2_000_000_000_000_000: unit = 1_000_000
        case 19: unit = 1_000_000_000
        default: return nil
        }
        _ = fraction()
        return TextTime(
            wall: value / unit, nanoseconds: Int32(value % unit * (1_000_000_000 / unit)),
            zone: .offset(0))
    }

    private mutating func json() -> TextTime? {
        guard byte == 0x7b else { return nil }
        let start = position
        for key in Candidates.jsonKeys {
            position = start
            guard let place = find(key, within: TextTimeParser.window) else { continue }
            position = place
            _ = take(0x20)
            // MongoDB: "t":{"$date":"…"}; log4j: "instant":{"epochSecond":….
            if take("{\"$date\":") { _ = take(0x20) }
            if take("{\"epochSecond\":") { return instant() }
            if take(0x22) {
                if let time = iso(separator: 0x2d) ?? epochNumber() { return time }
            } else if let time = epochNumber() {
                return time
            }
        }
        return nil
    }

    private mutating func logfmt() -> TextTime? {
        let start = position
        for key in Candidates.logfmtKeys {
            position = start
            guard let place = find(key, within: 256) else { continue }
            let before = place - key.utf8CodeUnitCount
            guard before == start || self[before - 1] == 0x20 else { continue }
            position = place
            _ = take(0x22)
            let here = position
            if let time = iso(separator: 0x2d) { return time }
            position = here
            if let time = epochNumber() { return time }
        }
        return nil
    }

    // MARK: - Parts

    private mutating func skipPriority() -> Bool {
        guard take(0x3c) else { return false }
        let start = position
        while byte &- 0x30 < 10, position - start < 3 { position += 1 }
        return position > start && take(0x3e)
    }

    @inline(__always)
    mutating func clock() -> Int64? {
        guard let hour = byte == 0x20 ? paddedNumber() : digits(2), take(0x3a),
            let minute = digits(2), take(0x3a), let second = digits(2),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    @inline(__always)
    mutating func finish(
        _ year: Int64, _ month: Int64, _ day: Int64, mayHaveZone: Bool = true
    ) -> TextTime? {
        guard let clock = clock() else { return nil }
        let nanoseconds = fraction()
        return make(year, month, day, clock, nanoseconds, mayHaveZone ? zone() : .absent)
    }

    @inline(__always)
    func make(
        _ year: Int64, _ month: Int64, _ day: Int64, _ clock: Int64, _ nanoseconds: Int32,
        _ zone: TextTime.Zone
    ) -> TextTime? {
        guard (1...12).contains(month), day >= 1,
            day <= 28 || day <= CivilDay.days(in: month, of: year)
        else { return nil }
        return TextTime(
            wall: CivilDay.number(year, month, day) * 86_400 + clock, nanoseconds: nanoseconds,
            zone: zone)
    }

    /// `Z`, `+02:00`, `+0200`, `+02`, or an abbreviation in capitals behind a space.
    @inline(__always)
    mutating func zone() -> TextTime.Zone {
        let start = position
        let isApart = take(0x20)
        switch byte {
        case 0x5a, 0x7a:
            // A small letter behind a blank begins the message.
            if isLetter(peek(1)) || isApart && byte == 0x7a { break }
            position += 1
            return .offset(0)
        case 0x2b, 0x2d:
            let sign: Int32 = byte == 0x2b ? 1 : -1
            position += 1
            if let hours = digits(2) {
                let here = position
                _ = take(0x3a)
                let minutes = digits(2)
                if minutes == nil { position = here }
                let seconds = hours * 3600 + (minutes ?? 0) * 60
                // PostgreSQL writes hours alone for zones without letters, before its brackets; a number
                // behind a space is no zone anywhere else.
                let isPlain = minutes != nil || !isApart || byte == 0x20 && peek(1) == 0x5b
                if isPlain, hours <= 26, (minutes ?? 0) < 60, byte &- 0x30 >= 10 {
                    return .offset(sign * Int32(seconds))
                }
            }
        default:
            if isApart, let zone = abbreviation() ?? zoneName() { return zone }
        }
        position = start
        return .absent
    }

    /// `Europe/Paris]`: PHP writes a name of the TZ database within its brackets.
    private mutating func zoneName() -> TextTime.Zone? {
        guard byte &- 0x41 < 26 else { return nil }
        var length = 0
        var hasPart = false
        while length < 40, peek(length) != 0x5d {
            let letter = peek(length)
            guard isLetter(letter) || letter &- 0x2b < 15 || letter == 0x5f, letter != 0x2c,
                letter != 0x2e
            else { return nil }
            hasPart = hasPart || letter == 0x2f
            length += 1
        }
        guard hasPart, peek(length) == 0x5d else { return nil }
        var hash = ZoneNames.start
        for index in 0..<length { hash = ZoneNames.next(hash, peek(index)) }
        position += length
        return .named(hash)
    }

    func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// Three to five capitals that are no level of severity. Nothing else follows directly.
    private mutating func abbreviation() -> TextTime.Zone? {
        var length = 0
        var word: UInt64 = 0
        while length < 6, peek(length) &- 0x41 < 26 {
            word = word << 8 | UInt64(peek(length))
            length += 1
        }
        guard (3...5).contains(length), !isLetter(peek(length)), peek(length) &- 0x30 >= 10,
            peek(length) != 0x3a, peek(length) != 0x5f, !ZoneWords.levels.contains(word)
        else { return nil }
        position += length
        return word == ZoneWords.utc || word == ZoneWords.gmt ? .offset(0) : .abbreviation(word)
    }

    mutating func weekday() -> Bool {
        guard position + 3 < count else { return false }
        switch (byte, peek(1), peek(2)) {
        case (0x4d, 0x6f, 0x6e), (0x54, 0x75, 0x65), (0x57, 0x65, 0x64), (0x54, 0x68, 0x75),
            (0x46, 0x72, 0x69), (0x53, 0x61, 0x74), (0x53, 0x75, 0x6e):
            position += 3
            return true
        default: return false
        }
    }

    /// The English short name, which all these formats use.
    @inline(__always)
    mutating func month() -> Int64? {
        let word = UInt32(byte) << 16 | UInt32(peek(1)) << 8 | UInt32(peek(2))
        let number: Int64
        switch word {
        case 0x4a616e: number = 1
        case 0x466562: number = 2
        case 0x4d6172: number = 3
        case 0x417072: number = 4
        case 0x4d6179: number = 5
        case 0x4a756e: number = 6
        case 0x4a756c: number = 7
        case 0x417567: number = 8
        case 0x536570: number = 9
        case 0x4f6374: number = 10
        case 0x4e6f76: number = 11
        case 0x446563: number = 12
        default: return nil
        }
        position += 3
        return number
    }
}
