import Basics
import Manifests
import Testing

@testable import Rehearsals

@Suite struct DamageTests {
    private func source(_ kind: String, _ artifacts: [(String, [Bool])]) -> SourceRecord {
        SourceRecord(
            name: "one", kind: kind, folder: "one",
            moment: .init(kind: "time", value: "2026-11-27T10:00:00Z"), facts: [:],
            artifacts: artifacts.map { name, segments in
                ArtifactRecord(
                    name: name, folder: "one/\(name)", kind: "thing", legal: .exportableData,
                    format: "raw",
                    segments: segments.map { isDamaged in
                        SegmentRecord(
                            path: isDamaged ? "damaged" : "whole", bytes: 1, sha256: "",
                            plainBytes: 1)
                    }, digests: [], counts: [])
            }, omissions: OmissionSummary())
    }

    private func parts(_ source: SourceRecord) -> IntactParts? {
        IntactParts(of: source) { $0.path == "damaged" }
    }

    @Test func whatIsWholeHasNoDamage() {
        #expect(parts(source("files", [("tree", [false, false])])) == nil)
    }

    @Test func aGuestIsLeftOutWithAllThatBelongsToIt() throws {
        let parts = try #require(
            parts(
                source(
                    "proxmox",
                    [
                        ("cluster", [false]), ("100/guest", [false]), ("100/scsi0", [false, true]),
                        ("101/scsi0", [false]),
                    ])))
        #expect(parts.record.artifacts.map(\.name) == ["cluster", "101/scsi0"])
        #expect(parts.lost == ["100"])
        #expect(parts.lostGuests == [100])
        #expect(parts.damagedFiles == 1)
        #expect(parts.isWorthwhile)
    }

    @Test func aHypervisorWithoutAnyDiskShowsNothing() throws {
        let parts = try #require(
            parts(source("proxmox", [("cluster", [false]), ("100/scsi0", [true])])))
        #expect(!parts.isWorthwhile)
    }

    /// Images are called as their makers like, also by a number.
    @Test func imagesAreNoGuests() throws {
        let parts = try #require(parts(source("disks", [("100", [true]), ("101", [false])])))
        #expect(parts.record.artifacts.map(\.name) == ["101"])
        #expect(parts.lost == ["100"])
        #expect(parts.lostGuests.isEmpty)
    }

    @Test func ofADatabaseTheOtherTablesAreLeft() throws {
        let source = source("postgresql", [("a", [true, false]), ("b", [false])])
        let parts = try #require(parts(source))
        #expect(parts.record == source)
        #expect(parts.lost.isEmpty)
        #expect(
            parts.damage == [.init(artifact: "a", kind: "thing", damagedFiles: 1, files: 2)])
    }
}

@Suite struct SharedRoomTests {
    @Test func machinesWaitForMemory() throws {
        let room = MemoryRoom(1000)
        let first = try #require(room.share(600))
        #expect(room.share(500) == nil)
        #expect(room.share(400) != nil)
        // What the last one had is free again with its owner.
        let second = try #require(room.share(400))
        first.giveBack()
        first.giveBack()
        #expect(room.share(601) == nil)
        second.giveBack()
        // More than there is at all is as much as there is.
        let most = try #require(room.share(5000))
        #expect(room.share(1) == nil)
        most.giveBack()
        #expect(room.share(1000) != nil)
    }

    @Test func timesThatOverlapCountOnce() {
        func phase(_ start: UInt64, _ end: UInt64) -> TimedPhase {
            TimedPhase(
                source: 0, phase: .load, start: start, end: end, busy: 0, bound: .target)
        }
        #expect(TimedPhase.covered([]) == 0)
        #expect(
            TimedPhase.covered([phase(30, 40), phase(0, 10), phase(5, 20), phase(6, 7)]) == 30)
    }
}
