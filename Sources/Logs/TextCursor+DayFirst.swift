extension TextCursor {
    /// `27-Nov-2026 10:00:00.123`, `27 Nov 2026 …`, `27.11.2026 …`, in brackets or not; Redis puts `PID:ROLE ` in front.
    ///
    /// - Parameter anySeparator: take `27/11/2026` as well, which without being told might have the month in front.
    mutating func dayFirst(anySeparator: Bool) -> TextTime? {
        skipProcess()
        _ = take(0x5b)
        // Fri, 27 Nov 2026 … of RFC 5322.
        let start = position
        if byte &- 0x41 < 26, !(weekday() && take(0x2c) && take(0x20)) { position = start }
        guard let day = byte == 0x20 ? paddedNumber() : digits(2) else { return nil }
        let separator = byte
        guard [0x2d, 0x20, 0x2e].contains(separator) || separator == 0x2f && anySeparator else {
            return nil
        }
        position += 1
        let isNumber = byte &- 0x30 < 10
        // A number behind a blank or a dash may be anything.
        if isNumber, separator == 0x20 || separator == 0x2d && !anySeparator { return nil }
        guard let month = isNumber ? digits(2) : month(), take(separator), let year = digits(4),
            byte == 0x20 || byte == 0x54 || byte == 0x2c
        else { return nil }
        position += 1
        if byte == 0x20 { position += 1 }
        return finish(year, month, day)
    }

    /// `1234:M `: the number of a process of Redis and what it is.
    private mutating func skipProcess() {
        var end = position
        while self[end] &- 0x30 < 10, end - position < 8 { end += 1 }
        guard end > position, self[end] == 0x3a, self[end + 1] &- 0x41 < 26, self[end + 2] == 0x20
        else { return }
        position = end + 3
    }
}
