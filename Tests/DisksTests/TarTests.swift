import Basics
import Streams
import TestKit
import Testing

@testable import Disks

/// Tar streams are by GNU tar itself: what its forms have in common must come out the same.
@Suite struct TarTests {
    private let scratch: TemporaryDirectory

    init() throws {
        scratch = try TemporaryDirectory()
        let long = String(repeating: "long/", count: 40)
        let made = try Shell.run(
            [
                "sh", "-c",
                """
                mkdir -p 'tree/\(long)' tree/empty && cd tree
                printf one > one; ln one two; ln one a; ln -s ../one link; ln -s '\(long)x' far
                printf deep > '\(long)file'; mkfifo pipe; printf '' > none
                truncate -s 20M holes; printf start | dd of=holes conv=notrunc status=none
                for at in 1 7 13 14 18; do
                    printf middle | dd of=holes bs=1M seek=$at conv=notrunc status=none
                done
                chmod 4711 none; find . -depth -exec touch -h -d @1700000000 {} +
                """,
            ], in: scratch.path)
        #expect(made.status == 0)
    }

    private func tar(_ arguments: [String], _ names: [String] = ["./"]) throws -> [UInt8] {
        let done = try Shell.run(
            ["tar", "cf", "-", "--numeric-owner", "-C", "tree"] + arguments + names,
            in: scratch.path)
        #expect(done.status == 0)
        return done.output
    }

    private func ledger(
        _ name: String, _ stream: [UInt8],
        sharing share: (inout TarMember) -> TarLedger.Share = { _ in .all }
    ) throws -> TarLedger {
        var ledger = try TarLedger(in: scratch.path + "/" + name)
        try ledger.read(MemorySource(stream), progress: Progress(), sharing: share)
        return ledger
    }

    /// Reads all there is, and keeps nothing.
    private func readThrough(_ stream: [UInt8]) throws {
        var reader = TarReader(MemorySource(stream))
        while let member = try reader.next() { _ = try reader.digest(of: member) }
    }

    private func differences(_ left: [UInt8], _ right: [UInt8]) throws -> [String: String] {
        let result = try TarLedger.compare(
            ledger("left", left), ledger("right", right), limit: 100)
        #expect((result.expected == result.found) == (result.differenceCount == 0))
        #expect(result.differenceCount == Int64(result.differences.count))
        return Dictionary(
            uniqueKeysWithValues: result.differences.map { difference in
                (
                    String(decoding: difference.path, as: UTF8.self),
                    difference.what.map(\.rawValue).joined(separator: ", ")
                )
            })
    }

    @Test(
        "Each form of GNU tar holds the same",
        arguments: [
            ["--format=gnu"], ["--format=gnu", "--sparse"], ["--format=posix"],
            ["--format=posix", "--sparse", "--sparse-version=0.0"],
            ["--format=posix", "--sparse", "--sparse-version=0.1"],
            ["--format=posix", "--sparse", "--sparse-version=1.0", "--xattrs", "--acls"],
            ["--format=posix", "--pax-option=globexthdr.name=g,a=b"],
        ])
    func forms(arguments: [String]) throws {
        let plain = try tar(["--format=posix"])
        #expect(try differences(plain, tar(arguments)) == [:])
    }

    @Test func orderDoesNotMatter() throws {
        let names = try Files.names(in: scratch.path + "/tree").map { "./" + $0 }
        let one = try tar(["--format=posix", "--sort=name"], names.sorted())
        let other = try tar(["--format=posix"], names.sorted().reversed())
        #expect(one != other)
        #expect(try differences(one, other) == [:])
        // Of a path that comes twice the last one counts.
        let twice = try tar(
            ["--format=posix", "--hard-dereference"], ["./one", "./none", "./one"])
        #expect(try ledger("twice", twice).count == 3)
        #expect(
            try differences(
                tar(["--format=posix", "--hard-dereference"], ["./none", "./one"]), twice) == [:])
    }

    @Test func eachDifferenceIsNamed() throws {
        let before = try tar(["--format=posix", "--sparse"])
        let changed = try Shell.run(
            [
                "sh", "-c",
                """
                cd tree && rm pipe a && printf One > one && printf '' > new && mkdir none.d
                printf x | dd of=holes bs=1M seek=16 conv=notrunc status=none
                chmod 711 none; ln -sf elsewhere link; rmdir empty; printf '' > empty
                find . -depth -exec touch -h -d @1700000000 {} +; touch -d @1700000001.5 far -h
                """,
            ], in: scratch.path)
        #expect(changed.status == 0)
        #expect(
            try differences(before, tar(["--format=posix", "--sparse"])) == [
                "pipe": "missing", "a": "missing", "one": "extra", "new": "extra",
                "none.d": "extra", "holes": "content", "none": "mode", "link": "link",
                "empty": "type", "far": "time",
            ])
    }

    @Test func whatIsNotKeptIsNotCompared() throws {
        let stream = try tar(["--format=posix"])
        let all = try ledger("all", stream)
        let some = try ledger("some", stream) { member in
            member.isWithin("long") ? .nothing : .all
        }
        let result = try TarLedger.compare(all, some, limit: 3)
        #expect(result.differenceCount == 41 && result.differences.count == 3)
        #expect(result.expectedCount == result.foundCount + 41)
    }

    @Test("Names that are left out hide no object that has others")
    func otherNames() throws {
        let names = ["./one", "./two", "./a", "./none"]
        let stream = try tar(["--format=posix"], names)
        for left in [["one"], ["two"], ["one", "two"], ["a", "one"], ["one", "two", "a"]] {
            let there = names.filter { !left.contains(String($0.dropFirst(2))) }
            let some = try ledger("some", stream) { member in
                left.contains(String(decoding: member.path, as: UTF8.self)) ? .otherNames : .all
            }
            let result = try TarLedger.compare(
                some, ledger("other", tar(["--format=posix"], there)), limit: 9)
            #expect(result.differences.isEmpty && result.expected == result.found)
            #expect(result.expectedCount == (left.count == 3 ? 1 : 2))
        }
    }

    @Test func whatIsCutOffIsRefused() throws {
        let stream = try tar(
            ["--format=posix", "--sparse"], ["./one", "./holes", "./link", "./far"])
        for length in stride(from: 0, to: stream.count - 10240, by: 256) {
            #expect(throws: Failure(.truncated, "")) {
                try readThrough(Array(stream[..<length]))
            }
        }
        #expect(throws: Failure(.tarHeader, "")) { try readThrough(stream + [1]) }
    }

    @Test func damageNeverCrashes() throws {
        let stream = try tar(["--format=posix", "--sparse"], ["./one", "./holes", "./far"])
        let old = try tar(["--format=gnu", "--sparse"], ["./one", "./holes", "./far"])
        var chance = Deterministic(seed: 5)
        for round in 0..<200 {
            var bytes = round % 2 == 0 ? stream : old
            let places = Int.random(in: 1...6, using: &chance)
            for _ in 0..<places {
                let place = Int.random(in: 0..<min(bytes.count, 16384), using: &chance)
                bytes[place] = UInt8.random(in: 0...255, using: &chance)
                // A right sum lets the damage in.
                let start = place / 512 * 512
                if Bool.random(using: &chance), bytes[start + 257] == 0x75 {
                    bytes.replaceSubrange(
                        start + 148..<start + 156, with: [UInt8](repeating: 0x20, count: 8))
                    let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
                    let digits = String(sum, radix: 8)
                    bytes.replaceSubrange(
                        start + 148..<start + 156,
                        with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8)
                            + [0, 0x20])
                }
            }
            do { try readThrough(bytes) } catch {
                #expect(
                    [.tarHeader, .truncated, .unsupported].contains((error as? Failure)?.code),
                    "\(error)")
            }
        }
    }
}
