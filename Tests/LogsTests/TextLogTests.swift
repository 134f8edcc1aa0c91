import Basics
import Testing

@testable import Logs

@Suite struct TextRotationTests {
    @Test(
        "Names tell the log, the place in its rotation and the packing",
        arguments: [
            ("access.log", "access.log", TextRotation.Place.current, nil),
            ("access.log.1", "access.log", .number(1), nil),
            ("access.log.12.gz", "access.log", .number(12), "gz"),
            ("access.log-20260101", "access.log", .date("20260101", 0), nil),
            ("access.log-20260101.xz", "access.log", .date("20260101", 0), "xz"),
            ("access.log-2026010113.zst", "access.log", .date("2026010113", 0), "zst"),
            ("app-2026-01-02.log", "app.log", .date("20260102", 0), nil),
            ("app.2026-01-02.3.log.gz", "app.log", .date("20260102", 3), "gz"),
            ("catalina.out-20260102", "catalina.out", .date("20260102", 0), nil),
            ("syslog.old", "syslog", .number(1), nil),
            ("app.1.log", "app.log", .number(1), nil),
            ("plain", "plain", .current, nil),
            ("web-01.log", "web-01.log", .current, nil),
            ("db-10.2.log", "db-10.log", .number(2), nil),
            ("x.log-20261399", "x.log-20261399", .current, nil),
        ] as [(String, String, TextRotation.Place, String?)])
    func names(name: String, base: String, place: TextRotation.Place, packing: String?) {
        let rotation = TextRotation(name)
        #expect(rotation.base == base)
        #expect(rotation.place == place)
        #expect(rotation.packing == packing)
    }

    @Test func higherNumbersAreOlderAndDatesAscend() {
        let names = [
            "a.log", "a.log.1", "a.log.2.gz", "a.log.10.gz", "a.log-20260102", "a.log-20251231",
        ]
        let sorted = names.map { ($0, TextRotation($0)) }.sorted { $0.1.precedes($1.1) }.map(\.0)
        #expect(
            sorted == [
                "a.log-20251231", "a.log-20260102", "a.log.10.gz", "a.log.2.gz", "a.log.1", "a.log",
            ])
    }
}

@Suite struct TextScannerTests {
    private static let text =
        "before\n2026-10-10T10:00:00Z one\n  more\n\n2026-10-10T12:30:00Z two\n"
        + "\0\0\02026-10-10T12:29:00Z back\r\n2026-10-10T12:31:00Z last"

    private func clock() -> TextClock { TextClock(.utc, latest: Timestamp(seconds: 1_800_000_000)) }

    private func pieces(_ text: String, _ size: Int) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).map {
            Array(bytes[$0..<min(bytes.count, $0 + size)])
        }
    }

    @Test("What is counted does not depend on how the text comes", arguments: [1, 3, 7, 64, 1000])
    func facts(size: Int) {
        var scanner = TextScanner(clock: clock())
        var unseen = TextLinesUnseen()
        for piece in pieces(Self.text, size) { piece.withUnsafeBytes { scanner.feed($0, &unseen) } }
        scanner.finish(&unseen)
        let facts = scanner.facts
        #expect((facts.lines, facts.entries, facts.undated, facts.leading) == (7, 5, 3, 1))
        #expect(facts.isUnterminated)
        #expect(facts.first?.text == "2026-10-10T10:00:00.000Z")
        #expect(facts.last?.text == "2026-10-10T12:31:00.000Z")
        #expect(facts.steps == 1)
        #expect(facts.stepList.map(\.line) == [6])
        #expect(facts.gaps.map(\.length) == [9000])
        #expect(facts.formats == [.iso])
    }

    private final class Collector: TextEntryTaker {
        var entries: [TextEntries.Entry] = []
        var text: [UInt8] = []
        func take(_ entry: TextEntries.Entry, _ body: UnsafeRawBufferPointer) throws(Failure) {
            entries.append(entry)
            text += body
            if !entry.isUnterminated { text.append(0x0a) }
        }
    }

    @Test(
        "Entries are the text again, and as many as are counted",
        arguments: [1, 3, 64, 100_000],
        [
            Self.text, "", "\n", "\n\n", "x", "2026-10-10T10:00:00Z a\n",
            "2026-10-10T10:00:00Z " + String(repeating: "long ", count: 500_000) + "\n b\n",
            String(repeating: "\0", count: 2_500_000) + "2026-10-10T10:00:00Z a\nb\n",
            "2026-10-10T10:00:00Z a\n" + String(repeating: "\0", count: 1_500_000) + "b\nc",
        ])
    func entries(size: Int, text: String) throws {
        if size < 64, text.utf8.count > 10_000 { return }
        var scanner = TextScanner(clock: clock())
        var unseen = TextLinesUnseen()
        var entries = TextEntries(clock: clock())
        let collector = Collector()
        for piece in pieces(text, size) {
            piece.withUnsafeBytes { scanner.feed($0, &unseen) }
            try piece.withUnsafeBytes { try entries.feed($0, collector) }
        }
        scanner.finish(&unseen)
        try entries.finish(collector)
        #expect(collector.text == Array(text.utf8))
        #expect(collector.entries.count { $0.part == 0 } == scanner.facts.entries)
    }

    private func select(
        _ text: String, _ since: String?, _ until: String?, continuing: Bool? = nil
    ) -> (String, Bool?) {
        let range = TextRange(
            since: since.flatMap { Timestamp($0) }, until: until.flatMap { Timestamp($0) })
        var scanner = TextScanner(clock: clock())
        var selector = TextSelector(range, continuing: continuing)
        Array(text.utf8).withUnsafeBytes { scanner.feed($0, &selector) }
        scanner.finish(&selector)
        let next = selector.finish(at: scanner.facts.bytes)
        let bytes = Array(text.utf8)
        let picked = selector.runs.flatMap { bytes[Int($0.lowerBound)..<Int($0.upperBound)] }
        return (String(decoding: picked, as: UTF8.self), next)
    }

    @Test func aRangeIncludesBothEndsAndKeepsWhatFollowsAnEntry() {
        let lines = [
            "2026-10-10T10:00:00Z a\n x\n", "2026-10-10T11:00:00Z b\n y\n",
            "2026-10-10T12:00:00.5Z c\n z\n",
        ]
        let text = lines.joined()
        #expect(
            select(text, "2026-10-10T11:00:00Z", "2026-10-10T12:00:00.5Z").0 == lines[1] + lines[2])
        #expect(
            select(text, "2026-10-10T10:00:00Z", "2026-10-10T12:00:00Z").0 == lines[0] + lines[1])
        #expect(select(text, "2026-10-10T10:00:00.1Z", nil).0 == lines[1] + lines[2])
        #expect(select(text, nil, "2026-10-10T09:00:00Z") == ("", false))
    }

    @Test func linesWithoutATimeFollowTheEntryBeforeThemOverTheEndOfAMember() {
        let text = " rest\n2026-10-10T10:00:00Z a\n"
        let (since, late) = ("2026-10-10T09:00:00Z", "2026-10-10T11:00:00Z")
        #expect(select(text, since, nil, continuing: true).0 == text)
        #expect(select(text, since, nil, continuing: false).0 == "2026-10-10T10:00:00Z a\n")
        // Nothing tells when they were written: they stay.
        #expect(select(text, late, nil).0 == " rest\n")
        #expect(select("no time\nat all\n", late, nil) == ("no time\nat all\n", nil))
    }
}

@Suite struct OpenTelemetryTests {
    @Test(
        "A record gives its body back, whatever bytes it has",
        arguments: [
            Array("plain".utf8), Array("\"quoted\" \\ \t\r\n\u{1}\0".utf8), Array("é€😀".utf8),
            [0xff, 0xfe], [0x41, 0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [],
        ] as [[UInt8]])
    func roundTrip(body: [UInt8]) throws {
        var record = OpenTelemetryRecord(
            observed: Timestamp(seconds: 1), resource: Array("{\"a\":{\"b\":[1,\"}\"]}}".utf8))
        record.timestamp = Timestamp(seconds: 1_791_640_536, nanoseconds: 7)
        record.attributes = Array("\"exeat.log.offset\":7,".utf8)
        record.severity = OpenTelemetrySeverity.syslog[3]
        var line: [UInt8] = []
        body.withUnsafeBytes { record.append(body: $0, stamped: true, to: &line) }
        #expect(line.removeLast() == 0x0a)
        #expect(throws: Never.self) { try JSON(parsing: line) }
        var reader = OpenTelemetryReader()
        let isRead = reader.read(line)
        #expect(isRead)
        #expect(reader.body == body)
        #expect(reader.timestamp == record.timestamp)
        #expect(reader.attribute("exeat.log.offset") == Array("7".utf8))
        #expect(reader.attribute("other") == nil)
        for size in 0..<line.count {
            let isRead = reader.read(Array(line[..<size]))
            #expect(!isRead)
        }
    }

    @Test(
        "Levels are found where logs name them",
        arguments: [
            ("<11>Oct 11 22:14:15 h x", TextFormat.rfc3164, 17),
            ("x [error] 7#7: y", .nginxError, 17),
            ("x [core:notice] [pid 1] y", .apacheError, 10), ("x INFO  a.b.C - error", .iso, 9),
            ("x UTC [7] FATAL:  y", .iso, 21), ("{\"level\":\"warn\",\"m\":\"ERROR\"}", .json, 13),
            ("time=x level=debug msg=y", .logfmt, 5), ("x the error was small", .iso, 0),
        ])
    func severities(line: String, format: TextFormat, number: Int) {
        let found = Array(line.utf8).withUnsafeBytes {
            OpenTelemetryText.severity($0, format: format, from: 1)
        }
        #expect((found?.number ?? 0) == number)
    }
}
