import Basics

/// Reads a TZif file, version 1 to 4 (RFC 8536).
struct TimeZoneFile {
    private let bytes: [UInt8]
    private let name: String
    private(set) var transitions: [Int64] = []
    private(set) var periods: [TextTimeZone.Period] = []

    init(_ bytes: [UInt8], name: String) throws(Failure) {
        self.bytes = bytes
        self.name = name
    }

    private struct Header {
        let version: UInt8
        let isUTC, isStandard, leaps, times, types, characters: Int
        /// Bytes of the data block with times of that many bytes.
        func length(_ time: Int) -> Int {
            times * time + times + types * 6 + characters + leaps * (time + 4) + isStandard + isUTC
        }
    }

    private var malformed: Failure {
        Failure(
            .invalidValue, "the rules of the time zone \"\(name)\" cannot be read",
            hint: "Reinstall the package tzdata.")
    }

    mutating func parse() throws(Failure) {
        var start = 0
        var header = try self.header(at: 0)
        var size = 4
        if header.version >= 0x32 {
            start = 44 + header.length(4)
            header = try self.header(at: start)
            size = 8
        }
        try read(header, at: start + 44, size: size)
        if size == 8 {
            let footer = bytes[(start + 44 + header.length(8))...]
            guard footer.first == 0x0a, let end = footer.dropFirst().firstIndex(of: 0x0a) else {
                throw malformed
            }
            try extend(by: Array(footer[(footer.startIndex + 1)..<end]))
        }
    }

    private func header(at start: Int) throws(Failure) -> Header {
        guard start + 44 <= bytes.count, bytes[start..<start + 4].elementsEqual("TZif".utf8) else {
            throw malformed
        }
        func count(_ number: Int) -> Int { Int(integer(start + 20 + 4 * number, 4)) }
        let header = Header(
            version: bytes[start + 4], isUTC: count(0), isStandard: count(1), leaps: count(2),
            times: count(3), types: count(4), characters: count(5))
        guard header.types > 0, header.length(8) < 1 << 20 else { throw malformed }
        return header
    }

    /// Big-endian, two's complement.
    private func integer(_ start: Int, _ size: Int) -> Int64 {
        var value: UInt64 = 0
        for index in start..<start + size { value = value << 8 | UInt64(bytes[index]) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    private mutating func read(_ header: Header, at start: Int, size: Int) throws(Failure) {
        guard start + header.length(size) <= bytes.count else { throw malformed }
        let kinds = start + header.times * size
        let records = kinds + header.times
        let texts = records + header.types * 6
        func period(_ type: Int) throws(Failure) -> TextTimeZone.Period {
            guard type < header.types else { throw malformed }
            let place = records + type * 6
            let text = texts + Int(bytes[place + 5])
            guard text < texts + header.characters else { throw malformed }
            let abbreviation = bytes[text..<texts + header.characters].prefix { $0 != 0 }
            return TextTimeZone.Period(
                offset: Int32(integer(place, 4)),
                abbreviation: String(decoding: abbreviation, as: UTF8.self))
        }
        periods = [try period(0)]
        for number in 0..<header.times {
            let time = integer(start + number * size, size)
            guard transitions.last.map({ $0 < time }) ?? true else { throw malformed }
            transitions.append(time)
            periods.append(try period(Int(bytes[kinds + number])))
        }
    }

    /// Writes out the rule of the footer, from the last transition on.
    private mutating func extend(by footer: [UInt8]) throws(Failure) {
        guard !footer.isEmpty else { return }
        guard let rule = TimeZoneRule(footer) else { throw malformed }
        guard rule.daylight != nil else { return }
        let last = transitions.last ?? Int64.min
        let year = transitions.isEmpty ? 1970 : CivilDay.date(CivilDay.of(last)).year
        for year in year...2199 {
            for change in rule.changes(in: year) where change.time > last {
                transitions.append(change.time)
                periods.append(change.period)
            }
        }
    }
}

/// The rule of a footer: POSIX.1-2017, "TZ", with the hours of RFC 8536, section 3.3.1.
struct TimeZoneRule {
    struct Change {
        let time: Int64
        let period: TextTimeZone.Period
    }

    private enum Day {
        /// The nth weekday of a month; 5 is the last.
        case week(month: Int64, week: Int64, weekday: Int64)
        /// 1…365, a 29 February never counted.
        case julian(Int64)
        /// 0…365, a 29 February counted.
        case ordinal(Int64)
    }

    private(set) var standard: TextTimeZone.Period
    private(set) var daylight: TextTimeZone.Period?
    private var start = (day: Day.ordinal(0), time: Int64(7200))
    private var end = (day: Day.ordinal(0), time: Int64(7200))

    private var text: [UInt8]
    private var position = 0

    init?(_ bytes: [UInt8]) {
        text = bytes
        standard = TextTimeZone.Period(offset: 0, abbreviation: "")
        guard let name = word(), let offset = hours() else { return nil }
        standard = TextTimeZone.Period(offset: -Int32(offset), abbreviation: name)
        guard position < text.count else { return }
        guard let other = word() else { return nil }
        let own = peek == 0x2c || position == text.count ? nil : hours()
        daylight = TextTimeZone.Period(
            offset: own.map { -Int32($0) } ?? standard.offset + 3600, abbreviation: other)
        guard let begin = date(), let stop = date(), position == text.count else { return nil }
        start = begin
        end = stop
    }

    private var peek: UInt8? { position < text.count ? text[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func word() -> String? {
        let isQuoted = take(0x3c)
        let start = position
        while let byte = peek,
            isQuoted ? byte != 0x3e : (byte | 0x20) &- 0x61 < 26
        { position += 1 }
        let name = String(decoding: text[start..<position], as: UTF8.self)
        if isQuoted, !take(0x3e) { return nil }
        return name.isEmpty ? nil : name
    }

    private mutating func number() -> Int64? {
        let start = position
        var value: Int64 = 0
        while let byte = peek, byte &- 0x30 < 10, position - start < 3 {
            value = value * 10 + Int64(byte - 0x30)
            position += 1
        }
        return position > start ? value : nil
    }

    private mutating func hours() -> Int64? {
        let sign: Int64 = take(0x2d) ? -1 : 1
        if sign > 0 { _ = take(0x2b) }
        guard let hours = number(), hours <= 167 else { return nil }
        var seconds = hours * 3600
        if take(0x3a) {
            guard let minutes = number() else { return nil }
            seconds += minutes * 60
            if take(0x3a) {
                guard let rest = number() else { return nil }
                seconds += rest
            }
        }
        return sign * seconds
    }

    private mutating func date() -> (day: Day, time: Int64)? {
        guard take(0x2c) else { return nil }
        let day: Day
        if take(0x4d) {
            guard let month = number(), take(0x2e), let week = number(), take(0x2e),
                let weekday = number(), (1...12).contains(month), (1...5).contains(week),
                weekday < 7
            else { return nil }
            day = .week(month: month, week: week, weekday: weekday)
        } else if take(0x4a) {
            guard let number = number() else { return nil }
            day = .julian(number)
        } else {
            guard let number = number() else { return nil }
            day = .ordinal(number)
        }
        guard take(0x2f) else { return (day, 7200) }
        return hours().map { (day, $0) }
    }

    private static func day(_ day: Day, in year: Int64) -> Int64 {
        switch day {
        case .julian(let number):
            let shift = CivilDay.isLeap(year) && number >= 60 ? number : number - 1
            return CivilDay.number(year, 1, 1) + shift
        case .ordinal(let number): return CivilDay.number(year, 1, 1) + number
        case .week(let month, let week, let weekday):
            let first = CivilDay.number(year, month, 1)
            // 1 January 1970 was a Thursday.
            let shift = (weekday - (first + 4) % 7 + 14) % 7
            var day = first + shift + (week - 1) * 7
            while day >= first + CivilDay.days(in: month, of: year) { day -= 7 }
            return day
        }
    }

    func changes(in year: Int64) -> [Change] {
        guard let daylight else { return [] }
        let begins =
            Self.day(start.day, in: year) * 86_400 + start.time - Int64(standard.offset)
        let ends = Self.day(end.day, in: year) * 86_400 + end.time - Int64(daylight.offset)
        return [
            Change(time: begins, period: daylight), Change(time: ends, period: standard),
        ].sorted { $0.time < $1.time }
    }
}
