import Basics
import Testing

@testable import Logs

@Suite struct TextTimeTests {
    private func parse(_ line: String, _ format: TextFormat? = nil) -> (String, TextFormat)? {
        var parser = TextTimeParser(format)
        let bytes = Array(line.utf8)
        guard let (time, format, _) = bytes.withUnsafeBytes({ parser.parse($0) }) else {
            return nil
        }
        guard let zone = try? TextTimeZone(named: "Europe/Paris") else { return nil }
        var clock = TextClock(
            zone,
            latest: Timestamp("2026-11-27T00:00:00Z") ?? Timestamp(seconds: 0))
        return (clock.moment(of: time).exact, format)
    }

    @Test(
        "Each format gives its moment, those without a zone in the zone given",
        arguments: [
            ("2026-10-10T13:55:36Z x", "2026-10-10T13:55:36.000000000Z", TextFormat.iso),
            (
                "2026-10-10T13:55:36.123456789+02:00 stdout F x", "2026-10-10T11:55:36.123456789Z",
                .iso
            ),
            ("2026-10-10 13:55:36,5 INFO x", "2026-10-10T11:55:36.500000000Z", .iso),
            ("[2026-10-10 13:55:36] prod.ERROR: x", "2026-10-10T11:55:36.000000000Z", .iso),
            ("2026-10-10 13:55:36.123 CEST [77] LOG:  x", "2026-10-10T11:55:36.123000000Z", .iso),
            ("2026-10-10 13:55:36 UTC [77] LOG:  x", "2026-10-10T13:55:36.000000000Z", .iso),
            ("2026-10-10 13:55:36 -03 [77] LOG:  x", "2026-10-10T16:55:36.000000000Z", .iso),
            (
                "[10-Oct-2026 13:55:36 America/Martinique] PHP Warning:  x",
                "2026-10-10T17:55:36.000000000Z", .dayFirst
            ),
            (
                "[10-Dec-2025 13:55:36 Europe/London] PHP Notice:  x",
                "2025-12-10T13:55:36.000000000Z", .dayFirst
            ),
            ("[10-Oct-2026 13:55:36 No/Where] x", "2026-10-10T11:55:36.000000000Z", .dayFirst),
            ("2026-10-10 13:55:36 z is a letter", "2026-10-10T11:55:36.000000000Z", .iso),
            ("2026-10-10 13:55:36 Z x", "2026-10-10T13:55:36.000000000Z", .iso),
            ("2026-10-10 13:55:36 -12 degrees", "2026-10-10T11:55:36.000000000Z", .iso),
            ("2026-10-10  9:55:36 0 [Note] x", "2026-10-10T07:55:36.000000000Z", .iso),
            ("2026-12-10 13:55:36 +0530 x", "2026-12-10T08:25:36.000000000Z", .iso),
            (
                "<34>1 2026-10-11T22:14:15.003Z h a - - x", "2026-10-11T22:14:15.003000000Z",
                .rfc5424
            ),
            ("<34>Oct 11 22:14:15 h su: x", "2026-10-11T20:14:15.000000000Z", .rfc3164),
            ("Dec  1 22:14:15 h su: x", "2025-12-01T21:14:15.000000000Z", .rfc3164),
            ("Oct 11 2024 22:14:15 h x", "2024-10-11T20:14:15.000000000Z", .rfc3164),
            ("Feb 29 10:00:00 h x", "2024-02-29T09:00:00.000000000Z", .rfc3164),
            (
                "::1 - bob [10/Oct/2026:13:55:36 +0200] \"GET\"", "2026-10-10T11:55:36.000000000Z",
                .access
            ),
            (
                "v.example:443 1.2.3.4 - [x] [10/Oct/2026:13:55:36 -0330] \"G\"",
                "2026-10-10T17:25:36.000000000Z", .access
            ),
            ("2026/10/10 13:55:36 [error] 7#7: x", "2026-10-10T11:55:36.000000000Z", .nginxError),
            (
                "[Sat Oct 10 13:55:36.123456 2026] [core:error] x",
                "2026-10-10T11:55:36.123456000Z",
                .apacheError
            ),
            ("Sat Oct 10 13:55:36 UTC 2026 x", "2026-10-10T13:55:36.000000000Z", .apacheError),
            ("261010 13:55:36 [Note] x", "2026-10-10T11:55:36.000000000Z", .mysql),
            ("1791640536.123    45 1.2.3.4 TCP_MISS/200", "2026-10-10T13:55:36.123000000Z", .epoch),
            ("1791640536123 x", "2026-10-10T13:55:36.123000000Z", .epoch),
            (
                "type=SYSCALL msg=audit(1791640536.001:42): x", "2026-10-10T13:55:36.001000000Z",
                .epoch
            ),
            (
                "{\"log\":\"x\\n\",\"time\":\"2026-10-10T13:55:36.5Z\"}",
                "2026-10-10T13:55:36.500000000Z", .json
            ),
            (
                "{\"level\":\"info\",\"ts\":1791640536.25,\"msg\":\"x\"}",
                "2026-10-10T13:55:36.250000000Z", .json
            ),
            (
                "time=\"2026-10-10T13:55:36+02:00\" level=info", "2026-10-10T11:55:36.000000000Z",
                .logfmt
            ),
            ("\u{1b}[32m2026-10-10 13:55:36 x", "2026-10-10T11:55:36.000000000Z", .iso),
            ("2026-10-10_13:55:36.12345 svlogd", "2026-10-10T13:55:36.123450000Z", .iso),
            ("2026-10-10_13:55:36 of our own", "2026-10-10T11:55:36.000000000Z", .iso),
            ("2026-10-10_13:55:36.123 own", "2026-10-10T11:55:36.123000000Z", .iso),
            ("2026-10-10\t13:55:36\tGET /", "2026-10-10T11:55:36.000000000Z", .iso),
            (
                "2026.10.10 13:55:36.5 [ 1 ] {} <Information>", "2026-10-10T11:55:36.500000000Z",
                .iso
            ),
            ("(2026-10-10 13:55:36): [be[x]] sssd", "2026-10-10T11:55:36.000000000Z", .iso),
            ("INFO  2026-10-10 13:55:36,5 [main] x", "2026-10-10T11:55:36.500000000Z", .iso),
            ("[WARN] 2026-10-10 13:55:36 x", "2026-10-10T11:55:36.000000000Z", .iso),
            ("DEBUG [2026-10-10 13:55:36,123] x", "2026-10-10T11:55:36.123000000Z", .iso),
            (
                "I, [2026-10-10T13:55:36.123456 #7]  INFO -- : x", "2026-10-10T11:55:36.123456000Z",
                .iso
            ),
            ("Start-Date: 2026-10-10  13:55:36", "2026-10-10T11:55:36.000000000Z", .iso),
            (
                "update-alternatives 2026-10-10 13:55:36: run with",
                "2026-10-10T11:55:36.000000000Z",
                .iso
            ),
            ("I1011 22:14:15.003456   77 f.go:12] x", "2026-10-11T20:14:15.003456000Z", .glog),
            ("20261010T135536Z x", "2026-10-10T13:55:36.000000000Z", .compact),
            ("20261010 13:55:36.25 x", "2026-10-10T11:55:36.250000000Z", .compact),
            ("20261010135536 x", "2026-10-10T11:55:36.000000000Z", .compact),
            ("  1234:20261010:135536.123 zabbix", "2026-10-10T11:55:36.123000000Z", .compact),
            ("Oct 10, 2026 1:55:36 PM a.B c", "2026-10-10T11:55:36.000000000Z", .monthFirst),
            ("Sat, 10 Oct 2026 13:55:36 +0200 x", "2026-10-10T11:55:36.000000000Z", .dayFirst),
            (
                "::ffff:10.0.0.1 - root@pam [10/10/2026:13:55:36 +0200] \"GET\"",
                "2026-10-10T11:55:36.000000000Z", .access
            ),
            ("::1 - - [10/Oct/2026 13:55:36] \"GET\"", "2026-10-10T11:55:36.000000000Z", .access),
            (
                "100 6 tap100i0-IN 10/Oct/2026:13:55:36 +0200 policy DROP: x",
                "2026-10-10T11:55:36.000000000Z", .access
            ),
            (
                "[pid: 1|app: 0] 10.0.0.1 () [Sat Oct 10 13:55:36 2026] GET",
                "2026-10-10T11:55:36.000000000Z", .access
            ),
            ("@4000000068e9107a1d6f3454 x", "2025-10-10T13:56:00.493827156Z", .epoch),
            ("[Oct 11 22:14:15] VERBOSE x", "2026-10-11T20:14:15.000000000Z", .rfc3164),
            (
                "{\"instant\":{\"epochSecond\":1791640536,\"nanoOfSecond\":123000000},\"m\":1}",
                "2026-10-10T13:55:36.123000000Z", .json
            ),
            ("{\"@t\":\"2026-10-10T13:55:36Z\"}", "2026-10-10T13:55:36.000000000Z", .json),
            (
                "logger=x t=2026-10-10T13:55:36Z level=info", "2026-10-10T13:55:36.000000000Z",
                .logfmt
            ),
        ])
    func formats(line: String, moment: String, format: TextFormat) {
        let found = parse(line)
        #expect(found?.0 == moment)
        #expect(found?.1 == format)
        #expect(parse(line, format)?.0 == moment)
    }

    @Test(
        "What is no time at the start of a line is none",
        arguments: [
            "", " 2026-10-10 13:55:36 indented", "\tat a.b.C(2026-10-10 13:55:36)",
            "2026-13-10 13:55:36",
            "2026-02-30 13:55:36", "2026-10-10 24:00:00", "Caused by: x", "10.0.0.1 - - [x] [y",
            "9999999999 bytes", "1234567 x", "20261301 10:00:00", "2026101013553612 x",
            "INFO started",
            "E1399 10:00:00 x", "10/11/2026 10:00:00", "  at 20261010 x", "Okt 11 22:14:15 h",
            "[10/Okt/2026:13:55:36 +0200]",
        ])
    func refusals(line: String) { #expect(parse(line) == nil) }
}

@Suite struct MonthFirstTests {
    @Test("Months before days are read where the format is named, in both halves of a day")
    func monthsBeforeDays() {
        for (line, wall) in [
            ("11/27/2026 10:00:00 x", "2026-11-27T10:00:00Z"),
            ("1/7/2026 12:00:00 AM x", "2026-01-07T00:00:00Z"),
            ("11/27/2026 12:30:00 PM x", "2026-11-27T12:30:00Z"),
        ] {
            var parser = TextTimeParser(.monthFirst)
            let found = Array(line.utf8).withUnsafeBytes { parser.parse($0)?.time.wall }
            #expect(found == Timestamp(wall)?.seconds)
        }
    }
}

@Suite struct TextTimeZoneTests {
    private let paris = try? TextTimeZone(named: "Europe/Paris")

    private func wall(_ text: String) -> Int64 { Timestamp(text + "Z")?.seconds ?? 0 }

    @Test("The edges of summer time in Paris are exact, and hours twice or never are named")
    func edges() throws {
        let paris = try #require(paris)
        #expect(paris.read(wall("2026-03-29T01:59:59")) == .unique(wall("2026-03-29T00:59:59")))
        guard case .skipped = paris.read(wall("2026-03-29T02:00:00")) else {
            Issue.record("02:00 is never shown")
            return
        }
        guard case .skipped = paris.read(wall("2026-03-29T02:59:59")) else {
            Issue.record("02:59:59 is never shown")
            return
        }
        #expect(paris.read(wall("2026-03-29T03:00:00")) == .unique(wall("2026-03-29T01:00:00")))
        #expect(paris.read(wall("2026-10-25T01:59:59")) == .unique(wall("2026-10-24T23:59:59")))
        #expect(
            paris.read(wall("2026-10-25T02:00:00"))
                == .ambiguous(
                    first: wall("2026-10-25T00:00:00"), second: wall("2026-10-25T01:00:00")))
        #expect(
            paris.read(wall("2026-10-25T02:59:59"))
                == .ambiguous(
                    first: wall("2026-10-25T00:59:59"), second: wall("2026-10-25T01:59:59")))
        #expect(paris.read(wall("2026-10-25T03:00:00")) == .unique(wall("2026-10-25T02:00:00")))
    }

    @Test(
        "Years behind the table follow from the rule in the footer",
        arguments: [
            ("Europe/Paris", "2090-07-01T12:00:00Z", Int32(7200)),
            ("America/New_York", "2090-01-01T12:00:00Z", -18000),
            ("Europe/Dublin", "2090-07-01T12:00:00Z", 3600),
            ("Australia/Lord_Howe", "2090-01-01T12:00:00Z", 39600),
            ("Asia/Kolkata", "2090-01-01T12:00:00Z", 19800),
            ("Europe/Paris", "1900-01-01T00:00:00Z", 561),
        ])
    func rules(name: String, moment: String, offset: Int32) throws {
        let zone = try TextTimeZone(named: name)
        #expect(zone.period(at: try #require(Timestamp(moment)).seconds).offset == offset)
    }

    @Test func namesThatAreNoZonesAreRefused() {
        for name in ["", "Mars/Base", "../passwd", "/etc/passwd", "Europe/"] {
            #expect(throws: Failure.self) { try TextTimeZone(named: name) }
        }
        #expect((try? TextTimeZone(named: "+05:30"))?.period(at: 0).offset == 19800)
    }

    @Test("A file that is cut off at any place is refused")
    func damaged() throws {
        let bytes = try Files.read("/usr/share/zoneinfo/Europe/Paris")
        for size in stride(from: 0, to: bytes.count, by: 37) {
            #expect(throws: Failure.self) {
                try TextTimeZone(name: "x", parsing: Array(bytes[..<size]))
            }
        }
    }

    @Test("Lines in the hour that comes twice take the first until the clock goes back")
    func clock() throws {
        var clock = TextClock(try #require(paris), latest: Timestamp(seconds: 0))
        let walls = [
            "01:59:00", "02:30:00", "02:29:30", "02:59:59", "02:00:00", "02:30:00", "03:00:00",
        ]
        let moments = walls.map {
            clock.moment(of: TextTime(wall: wall("2026-10-25T" + $0))).text.dropFirst(11).prefix(8)
        }
        #expect(
            moments == [
                "23:59:00", "00:30:00", "00:29:30", "00:59:59", "01:00:00", "01:30:00", "02:00:00",
            ])
        #expect(clock.tally.ambiguous == 5)
    }

    @Test("Years go on over New Year, and back where a late line is from the year before")
    func years() throws {
        var clock = TextClock(
            .utc, latest: Timestamp("2026-01-05T00:00:00Z") ?? Timestamp(seconds: 0))
        func moment(_ text: String) -> Substring {
            let wall = Timestamp("1972-" + text + "Z")?.seconds ?? 0
            return clock.moment(of: TextTime(wall: wall, hasYear: false)).text.prefix(10)
        }
        let moments = ["12-30T00:00:00", "01-01T00:00:00", "12-31T23:59:59", "01-02T00:00:00"].map {
            moment($0)
        }
        #expect(moments == ["2025-12-30", "2026-01-01", "2025-12-31", "2026-01-02"])
    }

    @Test(
        "A 29 February is of a year that has one, and tells the year of the lines before it",
        arguments: [
            (
                ["02-28T10:00:00", "02-29T10:00:00", "03-01T10:00:00"],
                ["2026-02-28", "2024-02-29", "2024-03-01"], 2024
            ),
            (
                ["12-31T10:00:00", "02-29T10:00:00", "02-29T11:00:00"],
                ["2025-12-31", "2024-02-29", "2024-02-29"], 2023
            ),
            (
                ["01-31T10:00:00", "02-28T10:00:00", "03-01T10:00:00"],
                ["2026-01-31", "2026-02-28", "2026-03-01"], 2026
            ),
        ] as [([String], [String], Int64)])
    func leapDays(lines: [String], expected: [String], first: Int64) throws {
        let latest = try #require(Timestamp("2026-04-01T00:00:00Z"))
        func days(_ clock: inout TextClock) -> [String] {
            lines.map {
                let time = TextTime(wall: wall("1972-" + $0), hasYear: false)
                return String(clock.moment(of: time).text.prefix(10))
            }
        }
        var clock = TextClock(.utc, latest: latest)
        #expect(days(&clock) == expected)
        let year = try #require(Int64(expected[0].prefix(4)))
        #expect(clock.settledYear(year, less: 0) == first)
        var seeded = TextClock(.utc, latest: latest, firstYear: first)
        let settled = days(&seeded)
        #expect(settled == settled.sorted() && settled[1...] == expected[1...])
    }
}
