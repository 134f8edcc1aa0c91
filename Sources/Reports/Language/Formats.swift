import Basics

/// Numbers, sizes, dates and durations as a language writes them; times are always UTC, and say so.
struct Formats: Sendable {
    let language: Language

    /// In French the thousands are parted by a narrow space that does not break.
    private var group: String { language == .french ? "\u{202f}" : "," }
    private var point: String { language == .french ? "," : "." }
    /// Between a number and its unit.
    private let gap = "\u{a0}"

    func number(_ value: Int64) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += group }
            text.append(digit)
        }
        return (value < 0 ? "\u{2212}" : "") + text
    }

    /// With one digit behind the point below 100, with none above.
    private func short(_ tenths: Int64) -> String {
        if tenths >= 1000 { return number((tenths + 5) / 10) }
        return tenths % 10 == 0
            ? number(tenths / 10) : number(tenths / 10) + point + "\(tenths % 10)"
    }

    /// 1.5 GiB, 1,5 Gio.
    func size(_ bytes: Int64) -> String {
        let units =
            language == .french
            ? ["o", "Kio", "Mio", "Gio", "Tio", "Pio"] : ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        // Sizes may be what an archive claims: up to the largest there is.
        if bytes > .max / 20 { return number(bytes >> 50) + gap + units[5] }
        var unit = 0
        var tenths = max(0, bytes) * 10
        while tenths >= 10_235, unit < units.count - 1 {
            tenths = (tenths + 512) / 1024
            unit += 1
        }
        return (unit == 0 ? number(bytes) : short(tenths)) + gap + units[unit]
    }

    func rate(bytesPerSecond: Int64) -> String { size(bytesPerSecond) + "/s" }

    /// - Parameter thousandths: 1000 is the whole. What is not all never reads 100 %.
    func percent(thousandths: Int64) -> String {
        short(thousandths) + (language == .french ? "\u{202f}%" : "%")
    }

    func share(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "–" }
        let exact = Double(part) / Double(whole) * 1000
        var thousandths = Int64(exact.rounded())
        if part < whole { thousandths = min(thousandths, 999) }
        if part > 0 { thousandths = max(thousandths, 1) }
        return percent(thousandths: thousandths)
    }

    /// 3 h 05 min, 12 s, 0.4 s.
    func duration(milliseconds: Int64) -> String {
        let all = max(0, milliseconds)
        if all < 10_000 {
            let tenths = (all + 50) / 100
            return (all > 0 && tenths == 0 ? "<" + gap + "0" + point + "1" : short(tenths)) + gap
                + "s"
        }
        let seconds = (all + 500) / 1000
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        if seconds < 60 { return "\(seconds)\(gap)s" }
        let minutes = seconds / 60
        if minutes < 60 { return "\(minutes)\(gap)min\(gap)\(two(seconds % 60))\(gap)s" }
        let hours = minutes / 60
        if hours < 48 { return "\(hours)\(gap)h\(gap)\(two(minutes % 60))\(gap)min" }
        let unit = language == .french ? "j" : "d"
        return "\(number(hours / 24))\(gap)\(unit)\(gap)\(hours % 24)\(gap)h"
    }

    /// 27 novembre 2026; 1er décembre 2026.
    func day(_ moment: Timestamp) -> String { day(moment.date) }

    /// - Parameter date: `2026-11-27`; anything else comes back as it is.
    func day(_ date: String) -> String {
        let parts = date.split(separator: "-").map(String.init)
        guard parts.count == 3, let month = Int(parts[1]), (1...12).contains(month),
            let day = Int(parts[2])
        else { return date }
        let name = months[month - 1]
        let number = language == .french && day == 1 ? "1er" : "\(day)"
        return "\(number)\(gap)\(name)\(gap)\(parts[0])"
    }

    /// 27 novembre 2026 à 01:54 UTC.
    func moment(_ moment: Timestamp, seconds: Bool = false) -> String {
        let between = language == .french ? " à " : ", "
        return day(moment) + between + clock(moment, seconds: seconds) + gap + "UTC"
    }

    func clock(_ moment: Timestamp, seconds: Bool) -> String {
        String(moment.text.dropFirst(11).prefix(seconds ? 8 : 5))
    }

    private var months: [String] {
        language == .french
            ? [
                "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
                "septembre",
                "octobre", "novembre", "décembre",
            ]
            : [
                "January", "February", "March", "April", "May", "June", "July", "August",
                "September", "October", "November", "December",
            ]
    }
}

extension Timestamp {
    /// Milliseconds since 1970.
    var milliseconds: Int64 { seconds &* 1000 &+ Int64(nanoseconds / 1_000_000) }

    init(milliseconds: Int64) {
        let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
        self.init(seconds: seconds, nanoseconds: Int32(milliseconds - seconds * 1000) * 1_000_000)
    }
}
