/// Lists that are made once: lines without a time come here, and nothing is allocated for a line.
enum Candidates {
    static let brace: [TextFormat] = [.json]
    static let priority: [TextFormat] = [.rfc5424, .rfc3164]
    static let bracket: [TextFormat] = [
        .iso, .apacheError, .nginxError, .dayFirst, .rfc3164, .access, .epoch,
    ]
    static let digit: [TextFormat] = [
        .iso, .nginxError, .mysql, .epoch, .dayFirst, .compact, .access,
    ]
    static let capital: [TextFormat] = [
        .rfc3164, .apacheError, .glog, .monthFirst, .dayFirst, .access, .iso, .logfmt,
    ]
    static let parenthesis: [TextFormat] = [.iso, .apacheError, .access]
    /// Zabbix pads the number of a process.
    static let padded: [TextFormat] = [.compact]
    static let none: [TextFormat] = []
    static let other: [TextFormat] = [.access, .epoch, .iso, .logfmt]
    static let jsonKeys: [StaticString] = [
        "\"@timestamp\":", "\"timestamp\":", "\"time\":", "\"ts\":", "\"t\":", "\"@t\":",
        "\"Timestamp\":", "\"datetime\":", "\"date\":", "\"eventTime\":", "\"asctime\":",
        "\"timeMillis\":", "\"instant\":",
    ]
    static let logfmtKeys: [StaticString] = ["time=", "ts=", "timestamp=", "t=", "eventtime="]
}

/// Words in capitals as numbers, the first letter in the highest byte.
enum ZoneWords {
    static func number(_ word: String) -> UInt64 { word.utf8.reduce(0) { $0 << 8 | UInt64($1) } }

    static func text(_ number: UInt64) -> String {
        var bytes: [UInt8] = []
        for shift in stride(from: 56, through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: number >> UInt64(shift))
            if byte != 0 { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static let utc = number("UTC")
    static let gmt = number("GMT")
    /// What stands behind a time and is no zone.
    static let levels: Set<UInt64> = Set(
        [
            "INFO", "WARN", "ERROR", "ERR", "DEBUG", "TRACE", "FATAL", "LOG", "CRIT", "ALERT",
            "NOTE", "EMERG", "PANIC", "HINT", "FINE", "FINER", "OFF", "ALL", "GET", "POST", "PUT",
            "HEAD",
        ].map(number))
}
