import Basics
import Primitives
import Streams
import TestKit
import Testing

@testable import Logs

/// A journal file of the plain form (no compact offsets, hashes by lookup3), built object by object.
private struct JournalBuilder {
    var bytes = [UInt8](repeating: 0, count: 240)
    private(set) var entries: [Int] = []

    static let boot = JournalID(high: 0x0102_0304_0506_0708, low: 9)

    mutating func put(_ number: UInt64, at place: Int, size: Int = 8) {
        for index in 0..<size {
            bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
    }

    private mutating func object(_ kind: UInt8, _ size: Int) -> Int {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: (size + 7) & ~7)
        bytes[start] = kind
        put(UInt64(size), at: start + 8)
        put(UInt64(start), at: 136)
        return start
    }

    /// - Parameter stored: the payload as it is compressed, with the flag that says how.
    mutating func data(_ text: String, stored: (flag: UInt8, bytes: [UInt8])? = nil) -> Int {
        let payload = stored?.bytes ?? Array(text.utf8)
        let start = object(1, 64 + payload.count)
        bytes[start + 1] = stored?.flag ?? 0
        put(Array(text.utf8).withUnsafeBytes { JournalHash.unkeyed($0) }, at: start + 16)
        bytes.replaceSubrange(start + 64..<start + 64 + payload.count, with: payload)
        return start
    }

    mutating func entry(_ sequence: UInt64, _ items: [Int]) {
        let start = object(3, 64 + 16 * items.count)
        put(sequence, at: start + 16)
        put(1_700_000_000_000_000 + sequence, at: start + 24)
        put(sequence * 10, at: start + 32)
        bytes.replaceSubrange(start + 40..<start + 56, with: Self.boot.bytes)
        for (place, item) in items.enumerated() {
            put(UInt64(item), at: start + 64 + 16 * place)
            for index in 0..<8 { bytes[start + 72 + 16 * place + index] = bytes[item + 16 + index] }
        }
        entries.append(start)
    }

    /// Lists the entries so far in one array, and counts them in the head.
    mutating func finish(listing: Int? = nil) {
        let listed = entries.prefix(listing ?? entries.count)
        let start = object(6, 24 + 8 * max(1, listed.count))
        for (place, entry) in listed.enumerated() { put(UInt64(entry), at: start + 24 + 8 * place) }
        bytes.replaceSubrange(0..<8, with: Array("LPKSHHRH".utf8))
        put(240, at: 88)
        put(UInt64(bytes.count - 240), at: 96)
        put(UInt64(entries.count), at: 152)
        put(UInt64(entries.count), at: 160)
        put(1, at: 168)
        put(UInt64(start), at: 176)
    }

    static func sample(_ count: UInt64 = 6, listing: Int? = nil) -> JournalBuilder {
        var builder = JournalBuilder()
        let host = builder.data("_HOSTNAME=valmont")
        for number in 1...count {
            builder.entry(number, [host, builder.data("MESSAGE=number \(number)")])
        }
        builder.finish(listing: listing)
        return builder
    }
}

@Suite("Reading journal files")
struct JournalWalkTests {
    private func walk(
        _ bytes: [UInt8], _ body: (JournalFile, JournalEntry) throws -> Void = { _, _ in }
    ) throws -> (sequences: [UInt64], walk: JournalWalk) {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/x.journal"
        try Files.write(bytes, to: path)
        let file = try JournalFile(path, windows: 2)
        var walk = try JournalWalk(file)
        var sequences: [UInt64] = []
        while let entry = try walk.next() {
            sequences.append(entry.sequence)
            try body(file, entry)
        }
        return (sequences, walk)
    }

    @Test("All entries are found, and written as journalctl writes them")
    func whole() throws {
        let renderer = try JournalRenderer()
        let store = MemorySink.Store()
        var sink = MemorySink(store)
        let (sequences, found) = try walk(JournalBuilder.sample().bytes) { file, entry in
            let (_, flaws) = try renderer.render(entry, of: file, into: &sink)
            #expect(flaws.isEmpty)
        }
        try renderer.flush(into: &sink)
        #expect(sequences == [1, 2, 3, 4, 5, 6])
        #expect(
            found.counts.unlisted == 0 && found.counts.unchained == 0 && found.counts.lostBytes == 0
        )
        let text = String(decoding: store.bytes, as: UTF8.self)
        #expect(
            text.hasPrefix(
                "__CURSOR=s=00000000000000000000000000000000;i=1;b=01020304050607080000000000000009;m=a;"
                    + "t=60a24181e4001;x=0\n__REALTIME_TIMESTAMP=1700000000000001\n__MONOTONIC_TIMESTAMP=10\n"
                    + "_BOOT_ID=01020304050607080000000000000009\n_HOSTNAME=valmont\nMESSAGE=number 1\n\n"
            ))
        #expect(text.contains("MESSAGE=number 6\n"))
    }

    @Test("Entries that no array lists are found object by object")
    func unlisted() throws {
        let (sequences, found) = try walk(JournalBuilder.sample(listing: 2).bytes)
        #expect(sequences == [1, 2, 3, 4, 5, 6])
        #expect(found.counts.unlisted == 4)
    }

    @Test("Behind objects that cannot be followed the arrays lead on, or what looks like objects")
    func damagedChain() throws {
        for listing in [6, 0] {
            var builder = JournalBuilder.sample(listing: listing)
            // The size of the message of entry 3.
            let third = builder.entries[2]
            let message = builder.entries[1] + 96
            #expect(builder.bytes[message] == 1 && message < third)
            builder.put(1 << 40, at: message + 8)
            let (sequences, found) = try walk(builder.bytes)
            #expect(sequences == [1, 2, 3, 4, 5, 6])
            #expect(found.counts.lostBytes > 0)
            #expect(found.holes.count == 1)
        }
    }

    @Test("Wherever a file is cut off, the entries before the cut are found")
    func truncated() throws {
        let builder = JournalBuilder.sample()
        for cut in stride(from: 240, to: builder.bytes.count, by: 8) {
            let (sequences, _) = try walk(Array(builder.bytes[..<cut]))
            let whole = builder.entries.filter { $0 + 96 <= cut }.count
            #expect(sequences.count == whole, "cut at \(cut)")
        }
    }

    @Test("Whatever byte is flipped, reading ends, and no more than that entry changes")
    func flipped() throws {
        let builder = JournalBuilder.sample()
        for place in stride(from: 240, to: builder.bytes.count, by: 9) {
            var bytes = builder.bytes
            bytes[place] ^= 0x55
            let renderer = try JournalRenderer()
            var sink = Discarding()
            let (sequences, _) = try walk(bytes) { file, entry in
                _ = try renderer.render(entry, of: file, into: &sink)
            }
            #expect(sequences.count >= 5, "flipped at \(place)")
        }
    }

    @Test("A damaged value and a lost one are told apart")
    func flaws() throws {
        func flaws(_ change: (inout JournalBuilder) -> Void) throws -> [JournalRenderer.Flaws] {
            var builder = JournalBuilder.sample(1)
            change(&builder)
            let renderer = try JournalRenderer()
            var sink = Discarding()
            var all: [JournalRenderer.Flaws] = []
            _ = try walk(builder.bytes) { file, entry in
                all.append(try renderer.render(entry, of: file, into: &sink).1)
            }
            return all
        }
        let damaged = try flaws { $0.bytes[240 + 64 + 12] ^= 1 }
        #expect(damaged.map(\.damaged) == [1] && damaged.map(\.unreadable) == [0])
        let lost = try flaws { $0.bytes[240] = 2 }
        #expect(lost.map(\.unreadable) == [1])
    }

    @Test("Fields in LZ4 and XZ, which older releases wrote, are decompressed")
    func compressed() throws {
        var builder = JournalBuilder()
        let length: [UInt8] = [19, 0, 0, 0, 0, 0, 0, 0]
        // "A=abc", nine bytes from three back, "12345".
        let block = [0x55] + Array("A=abc".utf8) + [3, 0, 0x50] + Array("12345".utf8)
        let stream: [UInt8] = [
            0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x00, 0xff, 0x12, 0xd9, 0x41, 0x02, 0x00,
            0x21,
            0x01, 0x0c, 0x00, 0x00, 0x00, 0x8f, 0x98, 0x41, 0x9c, 0xe0, 0x00, 0x11, 0x00, 0x0a,
            0x5d,
            0x00, 0x20, 0x8f, 0x4b, 0x07, 0xaa, 0xac, 0x7c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
            0x00,
            0x01, 0x1e, 0x12, 0xbc, 0xfb, 0x7e, 0x07, 0x06, 0x72, 0x9e, 0x7a, 0x01, 0x00, 0x00,
            0x00,
            0x00, 0x00, 0x59, 0x5a,
        ]
        let lz4 = builder.data("A=abcabcabcabc12345", stored: (2, length + block))
        let xz = builder.data("A=xzxzxzxzxzxzxzxz", stored: (1, stream))
        builder.entry(1, [lz4, xz])
        builder.finish()
        let renderer = try JournalRenderer()
        let store = MemorySink.Store()
        var sink = MemorySink(store)
        _ = try walk(builder.bytes) { file, entry in
            let (_, flaws) = try renderer.render(entry, of: file, into: &sink)
            #expect(flaws.isEmpty)
            let description = try JournalScanner(file, JournalFilter()).describe(entry)
            #expect(description.size > 300)
        }
        try renderer.flush(into: &sink)
        let text = String(decoding: store.bytes, as: UTF8.self)
        #expect(text.hasSuffix("\nA=abcabcabcabc12345\nA=xzxzxzxzxzxzxzxz\n\n"))
    }

    @Test("What is no journal is refused, as is a feature that nobody knows here")
    func refused() throws {
        var builder = JournalBuilder.sample()
        builder.put(1 << 20, at: 12, size: 4)
        for bytes in [
            [], Array("LPKSHHRH".utf8), [UInt8](repeating: 0, count: 4096), builder.bytes,
        ] {
            #expect(throws: Failure(.sourceUnreadable, "")) { try walk(bytes) }
        }
    }
}
