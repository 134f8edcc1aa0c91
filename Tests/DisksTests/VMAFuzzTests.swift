import Basics
import Disks
import Glibc
import Primitives
import Streams
import TestKit
import Testing

/// Mutated streams: the reader must agree with a second one, which is simple and slow, on whether the
/// stream is good and on what it holds.
@Suite struct VMAFuzzTests {
    @Test func mutatedStreamsNeverCrashNorGiveWrongDisks() throws {
        let scratch = try TemporaryDirectory()
        let original = try VMASample.write(scratch, shuffle: true, seed: 5, slots: 4)
        var generator = Deterministic(seed: 20_261_126)
        var accepted = 0
        let end = time(nil) + 6
        var rounds = 0
        while rounds < 3000, time(nil) < end {
            rounds += 1
            var bytes = original
            let places = PlainReader.extents(of: bytes)
            for _ in 0...(generator.next() % 3) {
                Self.mutate(&bytes, places, &generator)
            }
            if generator.next() % 4 != 0 { Self.correctDigests(&bytes, places) }
            let expected = PlainReader.disks(of: bytes)
            let result = try? ReadBackup(bytes)
            #expect(
                (result == nil) == (expected == nil), "round \(rounds): one reader accepts")
            if let result, let expected {
                accepted += 1
                #expect(result.disks == expected, "round \(rounds): other bytes")
                #expect(result.faults == [], "round \(rounds)")
            }
        }
        #expect(rounds > 100)
        // Mutations that leave a good stream are part of the game: masks, blocks, orders, names.
        #expect(accepted > 0)
    }

    /// One change: of a byte or a field of the header, of a slot, of data, or of the length.
    private static func mutate(
        _ bytes: inout [UInt8], _ extents: [Int], _ generator: inout Deterministic
    ) {
        let random = Int(truncatingIfNeeded: generator.next() >> 8)
        let value = [0, 1, 0x7f, 0x80, 0xff, random & 0xff][random % 6]
        guard bytes.count > 13_000, let extent = extents.randomElement(using: &generator),
            extent + 512 <= bytes.count
        else { return }
        switch generator.next() % 10 {
        case 0: bytes[random % 64] = UInt8(value)
        case 1: bytes[[2044, 3068, 4096 + 32, 4096 + 64][random % 4] + random % 16] = UInt8(value)
        case 2: bytes[12_288 + random % 200] = UInt8(value)
        case 3: bytes[4096 + random % 128] = UInt8(value)
        case 4: bytes[extent + 40 + random % 32] = UInt8(value)
        case 5:
            // Two slots change places: their blocks then belong to the other one.
            for index in 0..<8 { bytes.swapAt(extent + 40 + index, extent + 48 + index) }
        case 6: bytes[extent + random % 512] = UInt8(value)
        case 7: bytes.removeLast(random % 3000)
        case 8: bytes[random % bytes.count] ^= 1 << UInt8(random % 8)
        default:
            // A bit of a mask moves: the number of blocks stays the same.
            let mask = extent + 40 + 8 * (random % 4)
            bytes[mask] = bytes[mask] << 1 | bytes[mask] >> 7
        }
    }

    private static func correctDigests(_ bytes: inout [UInt8], _ extents: [Int]) {
        let size = PlainReader.integer(bytes, 56, 4)
        if size >= 12_288, size <= bytes.count { PlainReader.seal(&bytes, 0..<size, at: 32) }
        for extent in extents where extent + 512 <= bytes.count {
            PlainReader.seal(&bytes, extent..<extent + 512, at: 24)
        }
    }
}

/// The format once more, as plainly as it can be said.
private enum PlainReader {
    static func integer(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> Int {
        bytes[offset..<offset + size].reduce(0) { ($0 & 0x7f_ffff_ffff_ffff) << 8 | Int($1) }
    }

    static func digest(_ bytes: ArraySlice<UInt8>, zeroAt place: Int) -> [UInt8] {
        var copy = Array(bytes)
        copy.replaceSubrange(place..<place + 16, with: [UInt8](repeating: 0, count: 16))
        guard var digest = try? MessageDigest(.md5) else { return [] }
        copy.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }

    static func seal(_ bytes: inout [UInt8], _ range: Range<Int>, at place: Int) {
        let digest = digest(bytes[range], zeroAt: place)
        let start = range.lowerBound + place
        bytes.replaceSubrange(start..<start + 16, with: digest)
    }

    /// Where the extents of a good stream begin.
    static func extents(of bytes: [UInt8]) -> [Int] {
        var places: [Int] = []
        var place = integer(bytes, 56, 4)
        while place + 512 <= bytes.count {
            places.append(place)
            place += 512 + 4096 * integer(bytes, place + 6, 2)
        }
        return places
    }

    static func blob(_ bytes: [UInt8], _ pointer: Int) -> [UInt8]? {
        let table = integer(bytes, 48, 4)
        let end = table + integer(bytes, 52, 4)
        let start = table + pointer
        guard pointer > 0, start + 2 <= end else { return nil }
        let length = Int(bytes[start]) + 256 * Int(bytes[start + 1])
        guard start + 2 + length <= end else { return nil }
        return Array(bytes[start + 2..<start + 2 + length])
    }

    static func name(_ bytes: [UInt8], _ pointer: Int) -> String? {
        guard let blob = blob(bytes, pointer), blob.last == 0, blob.count > 1, blob.count <= 65
        else { return nil }
        let text = String(decoding: blob.dropLast(), as: UTF8.self)
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
        guard text.utf8.count == blob.count - 1, text.allSatisfy(letters.contains),
            !text.hasPrefix("."), !text.hasPrefix("-")
        else { return nil }
        return text
    }

    static func disks(of bytes: [UInt8]) -> [[UInt8]]? {
        guard bytes.count > 12_288, Array(bytes[..<8]) == Array("VMA\0\0\0\0\u{1}".utf8) else {
            return nil
        }
        let size = integer(bytes, 56, 4)
        guard size > 12_288, size % 512 == 0, size <= bytes.count,
            Array(bytes[32..<48]) == digest(bytes[..<size], zeroAt: 32),
            integer(bytes, 48, 4) >= 12_288, integer(bytes, 52, 4) >= 1,
            integer(bytes, 48, 4) + integer(bytes, 52, 4) <= size,
            bytes[24] == 0, integer(bytes, 24, 8) < 253_402_300_800
        else { return nil }
        var names: [String] = []
        for index in 0..<256 {
            let name = integer(bytes, 2044 + 4 * index, 4)
            let data = integer(bytes, 3068 + 4 * index, 4)
            if name == 0 && data == 0 { continue }
            guard let text = Self.name(bytes, name), blob(bytes, data) != nil else { return nil }
            names.append(text)
        }
        guard Set(names).count == names.count else { return nil }
        names = []
        var disks: [Int: [UInt8]] = [:]
        var memory: Int?
        for index in 0..<256 {
            let place = 4096 + 32 * index
            if bytes[place + 8..<place + 16].allSatisfy({ $0 == 0 }) { continue }
            guard index > 0, index < 255, let name = name(bytes, integer(bytes, place, 4)),
                bytes[place + 8] == 0
            else { return nil }
            let size = integer(bytes, place + 8, 8)
            guard name == "vmstate" || size % 512 == 0, size <= 1 << 48 else { return nil }
            // A stream of this length has not so many clusters.
            guard size < 1 << 24 || name == "vmstate" else { return nil }
            names.append(name)
            if name == "vmstate" { memory = index }
            disks[index] = [UInt8](repeating: 0, count: name == "vmstate" ? 0 : size)
        }
        guard Set(names).count == names.count else { return nil }
        return fill(disks, memory, from: bytes, at: size)
    }

    private static func fill(
        _ empty: [Int: [UInt8]], _ memory: Int?, from bytes: [UInt8], at start: Int
    ) -> [[UInt8]]? {
        var disks = empty
        var seen: [Int: Set<Int>] = [:]
        var place = start
        while place < bytes.count {
            guard place + 512 <= bytes.count,
                Array(bytes[place..<place + 6]) == Array("VMAE\0\0".utf8),
                Array(bytes[place + 8..<place + 24]) == Array(bytes[8..<24]),
                Array(bytes[place + 24..<place + 40])
                    == digest(bytes[place..<place + 512], zeroAt: 24)
            else { return nil }
            var data = place + 512
            for slot in 0..<59 {
                let entry = place + 40 + 8 * slot
                let device = Int(bytes[entry + 3])
                if device == 0 { continue }
                let cluster = integer(bytes, entry + 4, 4)
                guard let disk = disks[device] else { return nil }
                if device == memory {
                    guard cluster == seen[device]?.count ?? 0 else { return nil }
                } else if cluster * 65_536 >= disk.count {
                    return nil
                }
                guard seen[device, default: []].insert(cluster).inserted else { return nil }
                let mask = integer(bytes, entry, 2)
                for block in 0..<16 where mask & 1 << block != 0 {
                    guard data + 4096 <= bytes.count else { return nil }
                    let offset = cluster * 65_536 + block * 4096
                    if device != memory, offset < disk.count {
                        let count = min(4096, disk.count - offset)
                        disks[device]?.replaceSubrange(
                            offset..<offset + count, with: bytes[data..<data + count])
                    }
                    data += 4096
                }
            }
            guard data - place - 512 == 4096 * integer(bytes, place + 6, 2) else { return nil }
            place = data
        }
        for (device, disk) in disks where device != memory {
            guard seen[device]?.count ?? 0 == (disk.count + 65_535) / 65_536 else { return nil }
        }
        return disks.keys.sorted().compactMap { disks[$0] }
    }
}
