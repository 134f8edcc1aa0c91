public import Basics

extension Timestamp {
    /// RFC 3339 in UTC with nine digits of a second: `2026-11-23T18:00:00.000000000Z`.
    public var exact: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        appendExact(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends `exact`, without an allocation of its own.
    public func appendExact(to bytes: inout [UInt8]) {
        let day = CivilDay.of(seconds)
        let date = CivilDay.date(day)
        let second = seconds - day * 86_400
        Self.append(date.year, 4, 0x2d, &bytes)
        Self.append(date.month, 2, 0x2d, &bytes)
        Self.append(date.day, 2, 0x54, &bytes)
        Self.append(second / 3600, 2, 0x3a, &bytes)
        Self.append(second / 60 % 60, 2, 0x3a, &bytes)
        Self.append(second % 60, 2, 0x2e, &bytes)
        Self.append(Int64(nanoseconds), 9, 0x5a, &bytes)
    }

    private static func append(
        _ number: Int64, _ width: Int, _ separator: UInt8, _ bytes: inout [UInt8]
    ) {
        var scale: Int64 = 1
        for _ in 1..<width { scale *= 10 }
        var rest = number
        while scale > 0 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / scale % 10))
            rest %= scale
            scale /= 10
        }
        bytes.append(separator)
    }
}
