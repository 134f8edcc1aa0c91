import Basics
import Foundation
import Testing

@testable import Archives

/// What an import could not set is known to the one that resumes it, whenever the first one ended.
@Suite struct ShortfallRecordTests {
    private let path = NSTemporaryDirectory() + "exeat-shortfalls-\(UUID().uuidString)"

    private func shortfall(_ number: Int, _ kind: Shortfall.Attribute) -> Shortfall {
        Shortfall(path: Array("d/\(number)".utf8) + [0xff], attribute: kind, errno: 1)
    }

    @Test func whatIsToldIsThereAtOnceAndOnce() throws {
        defer { unlink(path) }
        let first = try ShortfallRecord(path, resuming: false).shortfalls
        let all = [
            shortfall(1, .owner), shortfall(1, .mode), shortfall(2, .extended([0x61, 0xfe])),
        ]
        for one in all + all { first.record(one) }
        // A line that a crash cut off.
        try Files.write(try Files.read(path) + Array("{\"att".utf8), to: path, mode: 0o600)
        let second = try ShortfallRecord(path, resuming: true).shortfalls
        #expect(second.list == all)
        for one in all { second.record(one) }
        #expect(second.count == 3)
        #expect(try ShortfallRecord(path, resuming: true).shortfalls.list == all)
        #expect(try ShortfallRecord(path, resuming: false).shortfalls.list.isEmpty)
    }

    @Test func whatIsBeyondTheListIsStillCovered() throws {
        defer { unlink(path) }
        let first = try ShortfallRecord(path, resuming: false)
        for number in 0..<ShortfallList.limit { first.shortfalls.record(shortfall(number, .owner)) }
        first.shortfalls.record(shortfall(20_000, .owner))
        let killed = try ShortfallRecord(path, resuming: true).shortfalls
        #expect(killed.covers(Array("x".utf8), .owner) && !killed.covers(Array("x".utf8), .mode))
        #expect(killed.count == ShortfallList.limit + 1)
        let second = try ShortfallRecord(path, resuming: true)
        for number in 30_000..<30_005 { second.shortfalls.record(shortfall(number, .modified)) }
        try second.keep()
        let third = try ShortfallRecord(path, resuming: true).shortfalls
        #expect(third.covers(Array("x".utf8), .modified) && third.covers(Array("x".utf8), .owner))
        #expect(third.count == ShortfallList.limit + 6)
    }
}
