/// What a line of a text log says besides its time: its level, and the trace it belongs to.
public struct OpenTelemetryText: Sendable {
    private static let levels: [(word: [UInt8], number: Int)] = [
        ("EMERG", 21), ("EMERGENCY", 21), ("PANIC", 21), ("FATAL", 21), ("ALERT", 19),
        ("CRIT", 18), ("CRITICAL", 18), ("SEVERE", 17), ("ERROR", 17), ("ERR", 17),
        ("WARNING", 13), ("WARN", 13), ("NOTICE", 10), ("NOTE", 10), ("INFO", 9),
        ("INFORMATION", 9), ("LOG", 9), ("STATEMENT", 9), ("DETAIL", 9), ("HINT", 9),
        ("DEBUG", 5), ("FINE", 5), ("FINER", 3), ("TRACE", 1), ("FINEST", 1),
    ].map { (Array($0.0.utf8), $0.1) }

    /// The level that a line names: of its priority, or in the first words behind its time.
    public static func severity(
        _ line: UnsafeRawBufferPointer, format: TextFormat?, from start: Int
    ) -> OpenTelemetrySeverity? {
        switch format {
        case .rfc5424, .rfc3164:
            if let level = unsafe priority(line) { return OpenTelemetrySeverity.syslog[level] }
            if format == .rfc5424 { return nil }
        case .glog:
            guard line.count > 0 else { return nil }
            switch unsafe line[0] {
            case 0x49: return OpenTelemetrySeverity.syslog[6]
            case 0x57: return OpenTelemetrySeverity.syslog[4]
            case 0x45: return OpenTelemetrySeverity.syslog[3]
            case 0x46: return OpenTelemetrySeverity.syslog[2]
            default: return nil
            }
        case .access, nil: return nil
        case .json, .logfmt: return unsafe level(line, 0, min(line.count, 512), isNamed: true)
        default: break
        }
        return unsafe level(line, start, min(line.count, start + 160), isNamed: false)
    }

    private static func priority(_ line: UnsafeRawBufferPointer) -> Int? {
        guard line.count > 3, unsafe line[0] == 0x3c else { return nil }
        var value = 0
        var index = 1
        while index < line.count, index < 4, unsafe line[index] &- 0x30 < 10 {
            value = unsafe value * 10 + Int(line[index] - 0x30)
            index += 1
        }
        guard index > 1, index < line.count, unsafe line[index] == 0x3e else { return nil }
        return value & 7
    }

    /// The first word that is a level: all in capitals, or between the marks that levels stand in.
    private static func level(
        _ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int, isNamed: Bool
    ) -> OpenTelemetrySeverity? {
        var index = start
        while index < end {
            guard unsafe isLetter(line[index]) else {
                if unsafe line[index] == 0x0a { return nil }
                index += 1
                continue
            }
            var stop = index
            var isCapital = true
            while stop < line.count, unsafe isLetter(line[stop]) {
                if unsafe line[stop] >= 0x61 { isCapital = false }
                stop += 1
            }
            let before = index > 0 ? unsafe line[index - 1] : 0x20
            let after = stop < line.count ? unsafe line[stop] : 0x20
            if (3...11).contains(stop - index),
                unsafe isMarked(line, index, before, after, isCapital: isCapital, isNamed: isNamed),
                let number = unsafe number(line, index, stop)
            {
                let text = unsafe Array(line[index..<stop])
                return OpenTelemetrySeverity(text: text, number: number)
            }
            index = stop
        }
        return nil
    }

    private static func isMarked(
        _ line: UnsafeRawBufferPointer, _ index: Int, _ before: UInt8, _ after: UInt8,
        isCapital: Bool, isNamed: Bool
    ) -> Bool {
        if isNamed {
            // level=error, "level":"error"
            var place = index
            while place > 0, unsafe [0x22, 0x3d, 0x3a, 0x20].contains(line[place - 1]) {
                place -= 1
            }
            let names: [StaticString] = ["level", "severity", "lvl"]
            return names.contains { name in
                let size = name.utf8CodeUnitCount
                guard place >= size else { return false }
                return unsafe UnsafeRawBufferPointer(rebasing: line[(place - size)..<place])
                    .elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: size))
            }
        }
        let opens = [0x5b, 0x3a, 0x20, 0x09, 0x7c, 0x28, 0x3c].contains(before)
        let closes = [0x5d, 0x3a, 0x20, 0x09, 0x7c, 0x29, 0x2c, 0x3e].contains(after)
        guard opens, closes else { return false }
        return isCapital || after == 0x5d && (before == 0x5b || before == 0x3a)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    private static func number(
        _ line: UnsafeRawBufferPointer, _ start: Int, _ stop: Int
    ) -> Int? {
        for level in levels where level.word.count == stop - start {
            var isSame = true
            for place in 0..<level.word.count
            where unsafe line[start + place] & 0xdf != level.word[place] {
                isSame = false
                break
            }
            if isSame { return level.number }
        }
        return nil
    }

    /// The identifier behind `trace_id`, `traceId`, `trace.id` and their like, 32 or 16 hexadecimal
    /// digits.
    public static func identifier(
        _ line: UnsafeRawBufferPointer, _ word: StaticString, digits: Int
    ) -> [UInt8]? {
        guard var cursor = unsafe TextCursor(line), let place = cursor.find(word, within: 4096)
        else { return nil }
        cursor.position = place
        if [0x5f, 0x2e, 0x2d].contains(cursor.byte) { cursor.position += 1 }
        guard (cursor.byte | 0x20) == 0x69, (cursor.peek(1) | 0x20) == 0x64 else { return nil }
        cursor.position += 2
        while [0x22, 0x3d, 0x3a, 0x20].contains(cursor.byte), cursor.position < cursor.count {
            cursor.position += 1
        }
        var found: [UInt8] = []
        while found.count <= digits {
            let byte = cursor.byte
            guard byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6 else { break }
            found.append(byte >= 0x41 ? byte | 0x20 : byte)
            cursor.position += 1
        }
        guard found.count == digits, found.contains(where: { $0 != 0x30 }) else { return nil }
        return found
    }
}
