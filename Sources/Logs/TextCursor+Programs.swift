/// Formats of single families of programs.
extension TextCursor {
    /// `I1127 10:00:00.123456 …` of glog and klog: Kubernetes, Orthanc. The year is not there.
    mutating func glog() -> TextTime? {
        switch byte {
        case 0x49, 0x57, 0x45, 0x46, 0x54, 0x44: position += 1
        default: return nil
        }
        guard let month = digits(2), let day = digits(2), take(0x20),
            var time = finish(TextTime.noYear, month, day, mayHaveZone: false)
        else { return nil }
        time.hasYear = false
        return time
    }

    /// `20261127T100000Z`, `20261127 10:00:00`, `20261127100000`; Zabbix puts `PID:` in front and a colon between.
    mutating func compact() -> TextTime? {
        var end = position
        while self[end] &- 0x30 < 10 || self[end] == 0x20, end - position < 9 { end += 1 }
        if end > position, self[end] == 0x3a { position = end + 1 }
        let start = position
        guard let year = digits(4), let month = digits(2), let day = digits(2),
            (1970..<2100).contains(year)
        else { return nil }
        let separator = byte
        if [0x20, 0x54, 0x2d, 0x3a, 0x5f].contains(separator) {
            position += 1
        } else if separator &- 0x30 >= 10 {
            return nil
        }
        if peek(2) == 0x3a {
            // A number of eight digits in front of a clock: a date.
            return finish(year, month, day)
        }
        guard let clock = compactClock() else { return nil }
        let nanoseconds = fraction()
        // Fourteen digits and more of them are a number.
        guard position - start >= 14, byte &- 0x30 >= 10 else { return nil }
        return make(year, month, day, clock, nanoseconds, zone())
    }

    private mutating func compactClock() -> Int64? {
        guard let hour = digits(2), let minute = digits(2), let second = digits(2), hour < 24,
            minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// `Nov 27, 2026 10:00:00 AM` of Java; `11/27/2026 10:00:00` where a plan names this format.
    mutating func monthFirst(isOnly: Bool) -> TextTime? {
        _ = take(0x5b)
        let year: Int64
        let month: Int64
        let day: Int64
        if isOnly, byte &- 0x30 < 10 {
            guard let first = shortNumber(), take(0x2f), let second = shortNumber(), take(0x2f),
                let third = digits(4)
            else { return nil }
            (month, day, year) = (first, second, third)
            _ = take(0x2c)
        } else {
            guard let first = self.month(), take(0x20), let second = paddedNumber(), take(0x2c),
                take(0x20), let third = digits(4)
            else { return nil }
            (month, day, year) = (first, second, third)
            _ = take(0x2c)
        }
        guard take(0x20) else { return nil }
        return meridian(year, month, day)
    }

    /// A time of day that may be counted in two halves: `3:04:05 PM`.
    mutating func meridian(_ year: Int64, _ month: Int64, _ day: Int64) -> TextTime? {
        guard let hour = shortNumber(), take(0x3a), let minute = digits(2), take(0x3a),
            let second = digits(2), hour < 24, minute < 60, second <= 60
        else { return nil }
        let nanoseconds = fraction()
        var clock = hour
        let isBehind = byte == 0x20 && (peek(2) == 0x4d || peek(2) == 0x6d)
        if isBehind, [0x41, 0x50, 0x61, 0x70].contains(peek(1)), hour <= 12 {
            let isAfternoon = peek(1) | 0x20 == 0x70
            clock = hour % 12 + (isAfternoon ? 12 : 0)
            position += 3
        }
        return make(year, month, day, clock * 3600 + minute * 60 + second, nanoseconds, zone())
    }

    /// One or two digits.
    private mutating func shortNumber() -> Int64? {
        peek(1) &- 0x30 < 10 ? digits(2) : digits(1)
    }

    /// `@4000000065a1b2c30b1c2d3e` of daemontools, runit and s6: TAI64N, which counts ten seconds more.
    mutating func tai64n() -> TextTime? {
        guard take(0x40), let seconds = hexadecimal(16), let nanoseconds = hexadecimal(8),
            seconds >= 1 << 62, nanoseconds < 1_000_000_000, byte == 0x20
        else { return nil }
        return TextTime(
            wall: Int64(bitPattern: seconds) - (1 << 62) - 10, nanoseconds: Int32(nanoseconds),
            zone: .offset(0))
    }

    /// `1791640536,"nanoOfSecond":123000000}` of log4j.
    mutating func instant() -> TextTime? {
        guard let seconds = number(10) else { return nil }
        let nanoseconds = take(",\"nanoOfSecond\":") ? number(9) : 0
        guard let nanoseconds else { return nil }
        return TextTime(wall: seconds, nanoseconds: Int32(nanoseconds), zone: .offset(0))
    }

    /// A number of at most so many digits.
    private mutating func number(_ most: Int) -> Int64? {
        let start = position
        var value: Int64 = 0
        while byte &- 0x30 < 10, position - start < most {
            value = value * 10 + Int64(byte &- 0x30)
            position += 1
        }
        return position > start && byte &- 0x30 >= 10 ? value : nil
    }

    private mutating func hexadecimal(_ length: Int) -> UInt64? {
        var value: UInt64 = 0
        for _ in 0..<length {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x57
            default: return nil
            }
            value = value << 4 | UInt64(digit)
            position += 1
        }
        return value
    }

    /// What stands before the time and is part of the format: a level (`INFO  `, `[WARN] `, `DEBUG [`, `I, [` of Ruby), a
    /// word of Debian's tools, a bracket of SSSD.
    mutating func skipLevel() {
        let start = position
        let isBracketed = take(0x5b)
        var length = 0
        while peek(length) &- 0x41 < 26, length < 8 { length += 1 }
        if length >= 3,
            isBracketed ? peek(length) == 0x5d : [0x20, 0x3a, 0x09].contains(peek(length))
        {
            position += length + 1
            _ = take(0x3a)
            while byte == 0x20 || byte == 0x09 { position += 1 }
            _ = take(0x5b)
            if byte &- 0x30 < 10 { return }
        }
        position = start
        if length == 1, take("I, [") || take("D, [") || take("W, [") || take("E, [") || take("F, [")
        {
            return
        }
        if take("Start-Date: ") || take("End-Date: ") || take("Log started: ")
            || take("Log ended: ")
            || take("update-alternatives ") || take("# Time: ")
        {
            return
        }
        position = start
        if byte == 0x5b || byte == 0x28 { position += 1 }
    }
}
