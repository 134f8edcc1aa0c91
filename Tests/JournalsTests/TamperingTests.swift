import Basics
import Primitives
import Streams
import TestKit
import Testing

@testable import Journals

/// What a hand that changes a finished journal is told.
@Suite struct TamperingTests {
    let folder: TemporaryDirectory
    let lines: [[UInt8]]
    let sealed: JournalSummary
    var path: String { folder.path + "/journal.jsonl" }

    init() throws {
        folder = try TemporaryDirectory()
        lines = try makeJournal(folder.path + "/journal.jsonl", entries: 6)
        sealed = try JournalReader.verify(path: folder.path + "/journal.jsonl")
    }

    private func code(_ bytes: [UInt8]) -> Failure.Code? {
        var source = Held(bytes)
        do throws(Failure) {
            _ = try JournalReader.verify(&source)
            return nil
        } catch { return error.code }
    }

    @Test func swappedDroppedAndRepeatedLinesBreakTheChain() throws {
        var swapped = lines
        swapped.swapAt(2, 3)
        for changed in [
            swapped, Array(lines.dropFirst()), Array(lines[..<2] + lines[3...]),
            lines + [lines[5]], [lines[0]] + lines,
        ] { #expect(code(joined(changed)) == .journalBroken) }
    }

    @Test func anEditedLineBreaksTheNext() throws {
        var changed = lines
        changed[1] = Array(
            String(decoding: changed[1], as: UTF8.self)
                .split(separator: "a-1").joined(separator: "a-9").utf8)
        #expect(changed[1] != lines[1])
        #expect(code(joined(changed)) == .journalBroken)
    }

    @Test func aDroppedTailShowsInTheSummaryOnly() throws {
        try Files.write(joined(lines.dropLast()), to: path)
        let summary = try JournalReader.verify(path: path)
        #expect(summary != sealed)
        #expect(summary.entries == 5)
        #expect(summary.head != sealed.head)
        #expect(summary.root != sealed.root)
    }

    @Test func everyFlippedBitIsFound() throws {
        let good = joined(lines)
        for index in good.indices {
            var bad = good
            bad[index] ^= 1 << UInt8(index % 8)
            var source = Held(bad)
            let summary = try? JournalReader.verify(&source)
            #expect(summary != sealed, "byte \(index)")
        }
    }

    @Test func lastLineWithoutLineFeedIsMalformed() throws {
        #expect(code(joined(lines).dropLast()) == .journalMalformed)
        #expect(code([]) == .journalMalformed)
        #expect(code([0x0a]) == .journalMalformed)
    }

    @Test(arguments: [
        #"{"seq":0,"t":"T","prev":"P","ev":"run.exploded"}"#,
        #"{"t":"T","seq":0,"prev":"P","ev":"run.opened"}"#,
        #"{"seq":0,"t":"T","prev":"P"}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.opened","a":1,"a":1}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.opened","a":1.5}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.opened","a":null}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.opened","a":{"b":1}}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.opened","a":"\/"}"#,
        #"{"seq":0, "t":"T","prev":"P","ev":"run.opened"}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.opened"} "#,
        #"{"seq":"0","t":"T","prev":"P","ev":"run.opened"}"#,
        #"{"seq":0,"t":"2026-11-23","prev":"P","ev":"run.opened"}"#,
        #"{"seq":0,"t":"2026-02-30T00:00:00.000Z","prev":"P","ev":"run.opened"}"#,
        #"{"seq":0,"t":"T","prev":"P0","ev":"run.opened"}"#,
        #"{"seq":0,"t":"T","prev":"P","ev":"run.completed"}"#,
        "[]", "0", "{}",
    ])
    func refusesWhatIsNotALineOfAJournal(template: String) throws {
        let line = template.split(separator: "\"T\"", omittingEmptySubsequences: false)
            .joined(separator: "\"2026-11-23T18:00:00.000Z\"")
            .split(separator: "\"P", omittingEmptySubsequences: false)
            .joined(separator: "\"" + String(repeating: "0", count: 64))
        #expect(code(Array(line.utf8) + [0x0a]) == .journalMalformed)
    }

    @Test func aSecondOpeningIsMalformed() throws {
        let line = try JournalLine.make(
            after: sealed, at: Timestamp(seconds: 0), .runOpened, [])
        #expect(code(joined(lines + [line])) == .journalMalformed)
    }

    @Test func anEndlessLineDoesNotFillMemory() throws {
        var source = Endless()
        #expect(throws: Failure(.journalMalformed, "")) { try JournalReader.verify(&source) }
    }

    @Test func timesMayGoBack() throws {
        let line = try JournalLine.make(
            after: sealed, at: Timestamp(seconds: 0), .runCompleted, [])
        #expect(code(joined(lines + [line])) == nil)
    }
}

/// Bytes in memory, in chunks that end inside of lines.
private struct Held: ByteSource, ~Copyable {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        _ = rest.prefix(100).withUnsafeBytes { chunk.append($0) }
        rest = rest.dropFirst(100)
    }
}

private struct Endless: ByteSource, ~Copyable {
    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let text = [UInt8](repeating: 0x20, count: 1000)
        _ = text.withUnsafeBytes { chunk.append($0) }
    }
}
