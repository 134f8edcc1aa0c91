import Basics
import Encryption
import Streams
import Testing

/// A file that was changed anywhere fails, and gives only what is whole before the change.
@Suite struct DamageTests {
    let identity: Identity
    let plain = Age.sample(3 * 65_536 + 100)
    let file: [UInt8]
    let payload: Int

    init() throws {
        identity = try Identity.generate(postQuantum: false)
        file = try Age.seal(plain, to: [identity.recipient])
        payload = file.count - plain.count - 4 * 16
    }

    func check(_ changed: [UInt8], _ what: String, atMost limit: Int) {
        let released = Age.open(changed, with: [identity])
        #expect(released.failure != nil, "\(what)")
        #expect(released.bytes.count <= limit, "\(what)")
        #expect(plain.starts(with: released.bytes), "\(what)")
        for step in [65_552, 50_021] {
            let other = Age.open(changed, with: [identity], step: step, capacity: 30_000)
            #expect(other.failure?.code == released.failure?.code, "\(what)")
            #expect(other.bytes == released.bytes, "\(what)")
        }
    }

    @Test func anyFlippedBitOfTheBeginningIsNoticed() {
        for index in 0..<200 {
            for bit in [0, 5, 7] {
                var changed = file
                changed[index] ^= 1 << UInt8(bit)
                check(changed, "bit \(bit) of byte \(index)", atMost: 0)
            }
        }
    }

    @Test func aFlippedBitAtTheEdgesOfChunksIsNoticed() {
        for number in 0..<4 {
            let start = payload + number * 65_552
            let end = min(start + 65_552, file.count)
            for index in [start, start + 1, (start + end) / 2, end - 17, end - 16, end - 1] {
                var changed = file
                changed[index] ^= 0x10
                check(changed, "byte \(index)", atMost: number * 65_536)
            }
        }
    }

    @Test func aCutAnywhereInTheHeaderIsNoticed() {
        for count in 0..<payload {
            let released = Age.open(Array(file[..<count]), with: [identity])
            #expect(released.failure?.code == .ageHeader, "cut at \(count)")
            #expect(released.bytes.isEmpty)
        }
    }

    @Test func aCutAtTheEdgesOfChunksIsNoticed() {
        for number in 0..<4 {
            for offset in [0, 1, 15, 16, 17, 4096, 65_551] {
                let count = payload + number * 65_552 + offset
                guard count < file.count else { continue }
                check(Array(file[..<count]), "cut at \(count)", atMost: number * 65_536)
                let code = Age.open(Array(file[..<count]), with: [identity]).failure?.code
                #expect(code == (offset < 16 ? .truncated : .agePayload))
            }
        }
        check(Array(file.dropLast()), "without the last byte", atMost: 3 * 65_536)
    }

    @Test func anythingAfterTheEndIsNoticed() {
        check(file + [0], "a byte more", atMost: 3 * 65_536)
        check(file + file, "the file twice", atMost: 3 * 65_536)
        check(file + file[(payload + 3 * 65_552)...], "the last chunk twice", atMost: 3 * 65_536)
    }

    @Test func chunksThatChangedPlacesAreNoticed() {
        func joined(_ numbers: [Int]) -> [UInt8] {
            file[..<payload] + numbers.flatMap { file[(payload + $0 * 65_552)...].prefix(65_552) }
        }
        #expect(joined([0, 1, 2, 3]) == file)
        check(joined([1, 0, 2, 3]), "swapped", atMost: 0)
        check(joined([0, 2, 3]), "one left out", atMost: 65_536)
        check(joined([0, 0, 1, 2, 3]), "one repeated", atMost: 65_536)
    }

    @Test func aFailureStays() throws {
        var changed = file
        changed[changed.count - 1] ^= 1
        var opening = try Opening(BytesSource(changed), identities: [identity])
        var chunk = Chunk(capacity: 1 << 20)
        try opening.read(into: &chunk)
        let count = chunk.count
        #expect(count == 3 * 65_536)
        for _ in 0..<3 {
            var code: Failure.Code?
            do throws(Failure) { try opening.read(into: &chunk) } catch { code = error.code }
            let count = chunk.count
            #expect(code == .agePayload && count == 0)
        }
    }

    @Test func theEndStays() throws {
        var opening = try Opening(BytesSource(file), identities: [identity])
        var chunk = Chunk(capacity: 1 << 20)
        try opening.read(into: &chunk)
        let count = chunk.count
        #expect(count == plain.count)
        for _ in 0..<3 {
            try opening.read(into: &chunk)
            let count = chunk.count
            #expect(count == 0)
        }
    }

    @Test func aHeaderWithoutAnEndIsRefusedEarly() {
        let start = Array("age-encryption.org/v1\n-> x ".utf8)
        let endless = start + [UInt8](repeating: 0x61, count: 3 << 20)
        #expect(Age.open(endless, with: [identity]).failure?.code == .ageHeader)
        let lines = start + (0..<(1 << 18)).flatMap { _ in Array("\n-> x\n".utf8) }
        #expect(Age.open(lines, with: [identity]).failure?.code == .ageHeader)
    }

    @Test func aSourceThatFailsIsHeard() {
        struct BrokenSource: ByteSource, ~Copyable {
            mutating func read(into chunk: inout Chunk) throws(Failure) {
                throw Failure(.inputOutput, "broken")
            }
        }
        #expect(throws: Failure(.inputOutput, "")) {
            _ = try Opening(BrokenSource(), identities: [identity])
        }
    }
}
