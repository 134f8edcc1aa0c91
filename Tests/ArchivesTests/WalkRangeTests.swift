import Basics
import Glibc
import TestKit
import Testing

@testable import Archives

@Suite struct WalkRangeTests {
    private func events(_ scope: TreeScope, _ range: WalkRange = .all) throws -> [String] {
        var walker = try TreeWalker(scope, range)
        var events: [String] = []
        try walker.walk { (path, event) throws(Failure) in
            let what =
                switch event {
                case .entry(let status): "\(status.kind)"
                case .excluded: "excluded"
                case .mountPoint: "mount point"
                case .unreadable: "unreadable"
                case .vanished: "vanished"
                }
            events.append(String(decoding: path, as: UTF8.self) + " " + what)
        }
        return events
    }

    private func tree() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for name in [
            "a/x", "a/x-y", "a/z/deep/er", "a-b/m", "a.c", "a0", "a0b/k", "b", "c/c/c/c",
            "left/out",
        ] { _ = try directory.file(name) }
        return directory
    }

    @Test func twoRangesThatMeetAnywhereHoldWhatOneWalkHolds() throws {
        let directory = try tree()
        let scope = try TreeScope(paths: [directory.path], excludes: GlobSet(["left"]))
        let whole = try events(scope)
        #expect(whole.contains("left excluded") && whole.contains("a0b/k file"))
        let paths = whole.compactMap { $0.split(separator: " ").first.map { Array($0.utf8) } }
        // At what is there, right behind it, right below it, and at what is not there.
        let endings: [[UInt8]] = [[], [0x01], [0x2f], [0x2f, 0x6d], [0x30]]
        let cuts = paths.flatMap { path in endings.map { path + $0 } }
        for cut in cuts where !cut.isEmpty {
            let first = try events(scope, WalkRange(start: [], end: cut))
            let second = try events(scope, WalkRange(start: cut, end: nil))
            #expect(first + second == whole, "\(String(decoding: cut, as: UTF8.self))")
        }
    }

    @Test func severalDirectoriesGivenAreCutAnywhereToo() throws {
        let directory = try tree()
        let scope = try TreeScope(paths: ["/a", "/a-b", "/c/c"].map { directory.path + $0 })
        let whole = try events(scope)
        for cut in whole.dropFirst().map({ Array($0.utf8.prefix { $0 != 0x20 }) }) {
            let parts =
                try events(scope, WalkRange(start: [], end: cut))
                + events(scope, WalkRange(start: cut, end: nil))
            #expect(parts == whole, "\(String(decoding: cut, as: UTF8.self))")
        }
    }

    @Test func aTreeIsCutAtItsDirectoriesAndNothingIsLost() throws {
        let directory = try TemporaryDirectory()
        for number in 0..<60 { _ = try directory.file("only/\(number % 20)/\(number)/f") }
        let scope = try TreeScope(paths: [directory.path])
        let ranges = try WalkRange.cutting(scope)
        #expect(ranges.count > 8 && ranges.first?.start == [] && ranges.last?.end == nil)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.end == $1.start })
        #expect(try ranges.flatMap { try events(scope, $0) } == events(scope))
    }

    @Test func aTreeWithoutDirectoriesIsOneRange() throws {
        let directory = try TemporaryDirectory()
        for number in 0..<20 { _ = try directory.file("\(number)") }
        #expect(try WalkRange.cutting(TreeScope(paths: [directory.path])) == [.all])
    }

    @Test func aRangeWhoseWayIsGoneIsAFailureAndNotAnEmptyOne() throws {
        guard geteuid() != 0 else {
            print("SKIPPED aRangeWhoseWayIsGoneIsAFailureAndNotAnEmptyOne: root reads everything")
            return
        }
        let directory = try tree()
        #expect(chmod(directory.path + "/a", 0) == 0)
        defer { chmod(directory.path + "/a", 0o700) }
        let scope = try TreeScope(paths: [directory.path])
        let failure = #expect(throws: Failure.self) {
            try events(scope, WalkRange(start: Array("a/x-y".utf8), end: nil))
        }
        #expect(failure?.code == .sourceChanged)
    }
}
