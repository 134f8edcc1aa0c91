import Basics
import Glibc
import Primitives
import Streams
import Synchronization
import TestKit
import Testing

@testable import Journals

/// A clock that ticks a second at each look.
func steadyWorld() -> World {
    let ticks = Clock()
    return World(
        now: { Timestamp(seconds: 1_795_000_000 + Int64(ticks.next())) },
        random: { [UInt8](repeating: 7, count: $0) })
}

private final class Clock: Sendable {
    private let count = Atomic<Int>(0)
    func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}

/// A journal of `count` entries; gives back its lines without LF.
@discardableResult
func makeJournal(_ path: String, entries count: Int) throws -> [[UInt8]] {
    let writer = try JournalWriter(
        creating: path, first: [.init("run", "019"), .init("salt", "00")], world: steadyWorld())
    for number in 1..<count {
        try writer.append(
            .segmentCommitted,
            [
                .init("path", .string("data/s01/a-\(number)")), .init("size", .integer(1 << 40)),
                .init("units", [1, 2, "x"]), .init("last", .bool(number == count - 1)),
            ])
    }
    writer.close()
    return try Files.read(path).split(separator: 0x0a).map(Array.init)
}

func joined(_ lines: [[UInt8]]) -> [UInt8] { lines.flatMap { $0 + [0x0a] } }

@Suite struct JournalTests {
    let folder: TemporaryDirectory
    var path: String { folder.path + "/journal.jsonl" }

    init() throws { folder = try TemporaryDirectory() }

    @Test func theFirstLineIsAsDocumented() throws {
        let line = try makeJournal(path, entries: 2)[0]
        let zeros = String(repeating: "0", count: 64)
        #expect(
            String(decoding: line, as: UTF8.self)
                == #"{"seq":0,"t":"2026-11-18T11:06:40.000Z","prev":"\#(zeros)","#
                + #""ev":"run.opened","run":"019","salt":"00"}"#)
    }

    @Test func readsWhatWasWritten() throws {
        let lines = try makeJournal(path, entries: 5)
        var events: [Journal.Event] = []
        let summary = try JournalReader.verify(path: path) { (entry) throws(Failure) in
            #expect(entry.sequence == events.count)
            events.append(entry.event)
        }
        #expect(events == [.runOpened] + Array(repeating: .segmentCommitted, count: 4))
        #expect(summary.entries == 5)
        #expect(summary.bytes == Int64(joined(lines).count))
        #expect(summary.head == SHA256.hash(lines[4]))
    }

    @Test func theRootIsTheMerkleTreeOfTheLines() throws {
        let lines = try makeJournal(path, entries: 3)
        func node(_ prefix: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            SHA256.hash([prefix] + bytes).bytes
        }
        let leaves = lines.map { node(0, $0) }
        #expect(
            try JournalReader.verify(path: path).root.bytes
                == node(1, node(1, leaves[0] + leaves[1]) + leaves[2]))
    }

    /// The script that auditors get.
    @Test func theShellCheckAcceptsIt() throws {
        let lines = try makeJournal(path, entries: 12)
        let script = """
            p=$(printf '0%.0s' $(seq 64)); n=0
            while IFS= read -r l; do
              case $l in "{\\"seq\\":$n,"*"\\"prev\\":\\"$p\\""*) ;; *) echo "BROKEN $n"; exit 1;; esac
              p=$(printf '%s' "$l" | sha256sum | cut -d' ' -f1); n=$((n+1))
            done < journal.jsonl; echo "entries=$n head=$p"
            """
        let result = try Shell.run(["sh", "-c", script], in: folder.path)
        #expect(result.status == 0)
        #expect(result.text == "entries=12 head=\(SHA256.hash(lines[11]))\n")

        try Files.write(joined([lines[0]] + lines[2...]), to: path)
        #expect(try Shell.run(["sh", "-c", script], in: folder.path).text == "BROKEN 1\n")
    }

    @Test func aJournalIsNeverCreatedOverAnother() throws {
        try makeJournal(path, entries: 2)
        let before = try Files.read(path)
        #expect(throws: Failure(.exists, "")) { try makeJournal(path, entries: 2) }
        #expect(try Files.read(path) == before)
    }

    @Test(arguments: [
        [JSON.Member("seq", 1)], [.init("ev", "x")], [.init("a", 1), .init("a", 2)],
        [.init("a", .null)], [.init("a", ["b": 1])], [.init("a", [[1]])],
        [.init("a", .integer(1 << 53))],
        [.init("a", .string(String(repeating: "x", count: 70000)))],
        [.init("a", .array(Array(repeating: 1, count: 257)))],
    ])
    func refusesFieldsThatAJournalDoesNotHold(fields: [JSON.Member]) throws {
        let writer = try JournalWriter(creating: path, first: [], world: steadyWorld())
        #expect(throws: Failure(.invalidValue, "")) { try writer.append(.runCompleted, fields) }
        try writer.append(.runCompleted)
        #expect(try JournalReader.verify(path: path) == writer.summary)
    }

    @Test func appendsFromSeveralThreadsMakeOneChain() async throws {
        let writer = try JournalWriter(creating: path, first: [], world: .real)
        let lanes = (0..<4).map { _ in Lane() }
        await withTaskGroup(of: Int.self) { group in
            for (number, lane) in lanes.enumerated() {
                group.addTask(executorPreference: lane) {
                    var failures = 0
                    for turn in 0..<100 {
                        do {
                            try writer.append(
                                .artifactCompleted,
                                [
                                    .init("lane", .integer(Int64(number))),
                                    .init("turn", .integer(Int64(turn))),
                                ])
                        } catch { failures += 1 }
                    }
                    return failures
                }
            }
            for await failures in group { #expect(failures == 0) }
        }
        for lane in lanes { lane.close() }

        var turns = [Int64](repeating: 0, count: 4)
        let summary = try JournalReader.verify(path: path) { (entry) throws(Failure) in
            guard let lane = entry.fields["lane"]?.integer else { return }
            #expect(entry.fields["turn"]?.integer == turns[Int(lane)])
            turns[Int(lane)] += 1
        }
        #expect(turns == [100, 100, 100, 100])
        #expect(summary == writer.summary)
        #expect(writer.state.entries == 401)
    }

    @Test func aClosedJournalTakesNothing() throws {
        let writer = try JournalWriter(creating: path, first: [], world: steadyWorld())
        writer.close()
        #expect(throws: Failure.self) { try writer.append(.runCompleted) }
        #expect(writer.state.entries == 1)
    }
}
