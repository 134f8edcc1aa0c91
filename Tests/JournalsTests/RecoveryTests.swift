import Basics
import Glibc
import Primitives
import Streams
import TestKit
import Testing

@testable import Journals

@Suite struct RecoveryTests {
    let folder: TemporaryDirectory
    let lines: [[UInt8]]
    var path: String { folder.path + "/journal.jsonl" }

    init() throws {
        folder = try TemporaryDirectory()
        lines = try makeJournal(folder.path + "/journal.jsonl", entries: 4)
    }

    private func resumed() throws -> JournalWriter {
        try JournalWriter(resuming: path, world: steadyWorld())
    }

    @Test func goesOnWhereItStopped() throws {
        var seen = 0
        let writer = try JournalWriter(resuming: path, world: steadyWorld()) {
            (entry) throws(Failure) in
            #expect(entry.sequence == seen)
            seen += 1
        }
        #expect(seen == 4)
        #expect(writer.state.entries == 4)
        #expect(writer.state.head == SHA256.hash(lines[3]))
        try writer.append(.runResumed)
        let summary = try JournalReader.verify(path: path)
        #expect(summary == writer.summary)
        #expect(summary.entries == 5)
    }

    @Test func aTornLastLineIsCutOffAtEveryByte() throws {
        let whole = joined(lines.dropLast())
        for count in 1...lines[3].count {
            try Files.write(whole + lines[3][..<count], to: path)
            let writer = try resumed()
            #expect(writer.state.entries == 3)
            #expect(try Files.read(path) == whole)
            try writer.append(.runResumed)
            #expect(try JournalReader.verify(path: path).entries == 4)
        }
    }

    @Test func zerosOfAPowerCutAreCutOff() throws {
        let whole = joined(lines.dropLast())
        let zeros = [UInt8](repeating: 0, count: 90_000)
        let tails: [[UInt8]] = [
            [0], zeros, zeros + [0x0a], zeros + Array(lines[3].suffix(20)) + [0x0a],
        ]
        for tail in tails {
            try Files.write(whole + tail, to: path)
            #expect(try resumed().state.entries == 3)
            #expect(try Files.read(path) == whole)
        }
    }

    @Test func anyOtherDefectIsBrokenAndLeftAsItIs() throws {
        var flipped = joined(lines)
        flipped[300] ^= 1
        let defects: [[UInt8]] = [
            flipped, joined(Array(lines.dropFirst())), joined(lines + [lines[3]]),
            joined(lines + [Array("rubbish".utf8)]), joined(lines) + [0x0a], Array("{}".utf8), [],
            Array(lines[0].dropLast()),
            joined(lines) + [UInt8](repeating: 0, count: 2 << 20),
            joined(lines) + [UInt8](repeating: 0x20, count: 2 << 20),
        ]
        for bytes in defects {
            try Files.write(bytes, to: path)
            #expect(throws: Failure(.journalBroken, "")) { try resumed() }
            #expect(try Files.read(path) == bytes)
        }
    }

    @Test func whatTheCallerThrowsPassesThrough() throws {
        #expect(throws: Failure(.planChanged, "")) {
            try JournalWriter(resuming: path, world: steadyWorld()) { (_) throws(Failure) in
                throw Failure(.planChanged, "another plan")
            }
        }
    }

    @Test func neverFollowsALink() throws {
        try Files.rename(path, to: path + ".real")
        symlink(path + ".real", path)
        #expect(throws: Failure.self) { try resumed() }
    }

    @Test func aFullDiskIsToldAndFinal() throws {
        let full = SharedDescriptor(try Descriptor(opening: "/dev/full", O_WRONLY), name: "full")
        let writer = JournalWriter(full, JournalSummary(), world: steadyWorld())
        #expect(throws: Failure(.noSpace, "")) { try writer.append(.runOpened) }
        #expect(throws: Failure(.noSpace, "")) { try writer.append(.runCompleted) }
        #expect(writer.state.entries == 0)
    }

    /// In a process of its own, because a limit on file sizes is the whole process's.
    @Test func aFileThatCannotGrowKeepsWhatWasAcknowledged() async throws {
        await #expect(processExitsWith: .success) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 3000, rlim_max: 3000)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
                exit(3)
            }
            let writer = try JournalWriter(resuming: path, world: .real)
            var acknowledged = writer.state.entries
            var failure: Failure?
            while failure == nil {
                do throws(Failure) {
                    try writer.append(.runResumed)
                    acknowledged += 1
                } catch { failure = error }
            }
            guard failure?.code == .inputOutput, acknowledged > 4,
                writer.state.entries == acknowledged,
                try JournalReader.verify(path: path) == writer.summary
            else { exit(4) }
            exit(0)
        }
        let writer = try resumed()
        let before = writer.state.entries
        #expect(before > 4)
        try writer.append(.runCompleted)
        #expect(try JournalReader.verify(path: path).entries == before + 1)
    }
}
