import Glibc

/// What a run takes from outside: time and randomness. A test gives its own, and its archive is the
/// same bytes each time.
public struct World: Sendable {
    /// The present moment.
    public let now: @Sendable () -> Timestamp
    /// That many bytes nobody can guess.
    public let random: @Sendable (Int) -> [UInt8]

    public init(
        now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.now = now
        self.random = random
    }

    /// The clock and the random source of the operating system.
    public static let real = World(
        now: {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
        },
        random: { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        })

    /// A fresh identifier: UUID version 7 (RFC 9562, section 5.7), lower case.
    public func newID() -> String {
        let moment = now()
        let milliseconds =
            UInt64(max(0, moment.seconds)) * 1000
            + UInt64(moment.nanoseconds / 1_000_000)
        var bytes = random(16)
        for index in 0..<6 {
            bytes[index] = UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * index))
        }
        bytes[6] = bytes[6] & 0x0f | 0x70
        bytes[8] = bytes[8] & 0x3f | 0x80
        let text = Hex.encode(bytes)
        var groups: [Substring] = []
        var start = text.startIndex
        for length in [8, 4, 4, 4, 12] {
            let end = text.index(start, offsetBy: length)
            groups.append(text[start..<end])
            start = end
        }
        return groups.joined(separator: "-")
    }
}
