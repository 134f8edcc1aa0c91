/// What the name of a log file says: which log it belongs to, where in its rotation it stands, and how
/// it is packed.
///
/// Understands what logrotate, cronolog, log4j, logback and Tomcat write: `access.log.1`,
/// `access.log.2.gz`, `access.log-20260101`, `app-2026-01-01.log`, `app.2026-01-01.1.log`, `app.1.log`.
public struct TextRotation: Sendable, Hashable {
    /// The place in a rotation.
    public enum Place: Sendable, Hashable {
        /// The file that is written to.
        case current
        /// Higher is older.
        case number(Int)
        /// As digits, YYYYMMDD and perhaps more, ascending; and a number that ascends as well.
        case date(String, Int)
    }

    public let base: String
    public let place: Place
    /// The suffix of a packed file without its dot: gz, xz, zst, bz2, or one that nobody unpacks here.
    public let packing: String?
    /// The number stands in front of the extension: only believed when its base is there as well.
    public let isDoubtful: Bool

    private static let packings = ["gz", "xz", "zst", "zstd", "bz2", "lz4", "lzma", "Z", "lzo"]

    public init(_ name: String) {
        var rest = name[...]
        var packing: String?
        if let dot = rest.utf8.lastIndex(of: 0x2e), dot != rest.startIndex,
            Self.packings.contains(String(rest[rest.utf8.index(after: dot)...]))
        {
            packing = String(rest[rest.utf8.index(after: dot)...])
            rest = rest[..<dot]
        }
        self.packing = packing
        let whole = Array(rest.utf8)
        if let (base, place) = Self.marker(at: whole.count, of: whole) {
            (self.base, self.place, isDoubtful) = (base, place, false)
        } else if let dot = whole.lastIndex(of: 0x2e), dot > 0, whole.count - dot <= 6,
            let (base, place) = Self.marker(at: dot, of: whole)
        {
            (self.base, self.place) = (base, place)
            if case .number = place { isDoubtful = true } else { isDoubtful = false }
        } else {
            base = String(rest)
            place = .current
            isDoubtful = false
        }
    }

    /// The name taken for the log itself, whatever its digits look like.
    public init(alone name: String, packing: String?) {
        var base = name
        if let packing, name.hasSuffix("." + packing) {
            base = String(name.dropLast(packing.utf8.count + 1))
        }
        self.base = base
        place = .current
        self.packing = packing
        isDoubtful = false
    }

    /// A mark of rotation that ends at a place of the name, and the name without it.
    private static func marker(at end: Int, of name: [UInt8]) -> (String, Place)? {
        func base(_ start: Int) -> String? {
            guard start > 0 else { return nil }
            return String(decoding: name[..<start] + name[end...], as: UTF8.self)
        }
        if end == name.count, end > 4, name[(end - 4)...].elementsEqual(".old".utf8),
            let base = base(end - 4)
        {
            return (base, .number(1))
        }
        var start = end
        while start > 0, name[start - 1] &- 0x30 < 10 { start -= 1 }
        let digits = end - start
        guard start > 0, digits > 0 else { return nil }
        if let (from, text, sequence) = date(in: name, upTo: end), let base = base(from) {
            return (base, .date(text, sequence))
        }
        if name[start - 1] == 0x2e, digits <= 4, let base = base(start - 1) {
            return (base, .number(number(name[start..<end])))
        }
        return nil
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// A date that ends at a place, its separator before it: where that lies, and its digits.
    private static func date(
        in name: [UInt8], upTo end: Int
    ) -> (start: Int, text: String, sequence: Int)? {
        // The longest run of digits and what may stand between those of a date and a time of day.
        var start = end
        while start > 0,
            name[start - 1] &- 0x30 < 10
                || [0x2d, 0x5f, 0x2e, 0x54, 0x3a].contains(name[start - 1])
        { start -= 1 }
        // It begins with a separator; whatever is in front of a shorter date belongs to the name.
        for from in start..<end where [0x2d, 0x5f, 0x2e].contains(name[from]) {
            if let (text, sequence) = parse(name[(from + 1)..<end]) {
                return (from, text, sequence)
            }
        }
        return nil
    }

    /// `20260101`, `2026-01-01`, each with hours, minutes, seconds or a number behind; or ten digits of
    /// seconds since 1970.
    private static func parse(_ bytes: ArraySlice<UInt8>) -> (text: String, sequence: Int)? {
        var groups: [[UInt8]] = [[]]
        for byte in bytes {
            if byte &- 0x30 < 10 {
                groups[groups.count - 1].append(byte)
            } else {
                groups.append([])
            }
        }
        guard !groups.contains(where: \.isEmpty), let first = groups.first else { return nil }
        var digits: [UInt8]
        var rest: ArraySlice<[UInt8]>
        if first.count == 10, groups.count == 1, first[0] == 0x31, !isDate(first) {
            let moment = CivilDay.of(Int64(number(first[...])))
            let date = CivilDay.date(moment)
            let second = Int64(number(first[...])) - moment * 86_400
            return (
                padded(date.year * 10_000 + date.month * 100 + date.day, 8) + padded(second, 5), 0
            )
        } else if [8, 10, 12, 14].contains(first.count) {
            digits = first
            rest = groups[1...]
        } else if first.count == 4, groups.count >= 3, groups[1].count == 2, groups[2].count == 2 {
            digits = first + groups[1] + groups[2]
            rest = groups[3...]
        } else {
            return nil
        }
        guard isDate(digits) else { return nil }
        while let next = rest.first,
            next.count == 2 || next.count == 4 || next.count == 6 || next.count == 10
        {
            if next.count == 2, digits.count >= 14 { break }
            digits += next
            rest = rest.dropFirst()
        }
        guard rest.count <= 1 else { return nil }
        return (
            String(decoding: digits, as: UTF8.self), rest.first.map { number($0[...]) } ?? 0
        )
    }

    private static func isDate(_ digits: [UInt8]) -> Bool {
        guard digits.count >= 8 else { return false }
        let year = number(digits[0..<4])
        let month = number(digits[4..<6])
        let day = number(digits[6..<8])
        return (1970...2199).contains(year) && (1...12).contains(month)
            && (1...31).contains(day)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension TextRotation {
    /// Whether a member is older than another one of the same log; false also where names do not tell.
    public func precedes(_ other: TextRotation) -> Bool {
        switch (place, other.place) {
        case (.current, _): false
        case (_, .current): true
        case (.number(let left), .number(let right)): left > right
        case (.date(let left, let first), .date(let right, let second)):
            left == right
                ? first < second : left.utf8.lexicographicallyPrecedes(right.utf8)
        // Numbers are the newer half of a log that went over to numbers, or the older: times tell.
        case (.date, .number): true
        case (.number, .date): false
        }
    }
}
