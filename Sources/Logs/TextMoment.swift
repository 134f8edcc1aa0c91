public import Basics

extension TextTimeZone {
    /// What a text of a plan names.
    public enum Naming: Sendable, Equatable {
        case moment(Timestamp)
        /// The clock shows it twice.
        case unclear(Timestamp, Timestamp)
        /// The clock never shows it.
        case missing
    }

    /// The year of a wall clock, in seconds since 1970 as if in UTC.
    public static func year(of wall: Int64) -> Int64 { CivilDay.date(CivilDay.of(wall)).year }

    /// The first moment and the last nanosecond of the day that `2026-06-30` names in this zone; nil for any other text.
    ///
    /// A day may have 23 or 25 hours, and begin later than at midnight where the clock is set forward then.
    public func day(_ text: String) -> (first: Timestamp, last: Timestamp)? {
        guard text.utf8.count == 10, case .moment(let wall) = TextTimeZone.utc.moment(text) else {
            return nil
        }
        let (first, next) = (beginning(wall.seconds), beginning(wall.seconds + 86_400))
        return (
            Timestamp(seconds: first), Timestamp(seconds: next - 1, nanoseconds: 999_999_999)
        )
    }

    /// When the clock shows `midnight` for the first time, or goes on where it never shows it.
    private func beginning(_ midnight: Int64) -> Int64 {
        switch read(midnight) {
        case .unique(let seconds), .skipped(let seconds), .ambiguous(let seconds, _): seconds
        }
    }

    /// Reads `2026-06-30`, `2026-06-30 12:00`, `2026-06-30T12:00:00.5` in this zone, or with an offset
    /// behind; nil for anything else.
    public func moment(_ text: String) -> Naming? {
        var bytes = Array(text.utf8)
        if bytes.count == 10 { bytes += Array("T00:00:00".utf8) }
        if bytes.count == 16 { bytes += Array(":00".utf8) }
        var parser = TextTimeParser(.iso)
        guard bytes.first.map({ $0 &- 0x30 < 10 }) == true,
            let (time, _, end) = unsafe bytes.withUnsafeBytes({ unsafe parser.parse($0) }),
            end == bytes.count
        else { return nil }
        func moment(_ seconds: Int64) -> Timestamp {
            Timestamp(seconds: seconds, nanoseconds: time.nanoseconds)
        }
        switch time.zone {
        case .offset(let offset): return .moment(moment(time.wall - Int64(offset)))
        case .abbreviation(let word):
            return offset(of: word).map { .moment(moment(time.wall - Int64($0))) }
        case .absent, .named:
            switch read(time.wall) {
            case .unique(let seconds): return .moment(moment(seconds))
            case .ambiguous(let first, let second):
                return .unclear(moment(first), moment(second))
            case .skipped: return .missing
            }
        }
    }
}
