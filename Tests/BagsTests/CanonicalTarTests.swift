import Bags
import Basics
import TestKit
import Testing

@Suite struct CanonicalTarTests {
    private let maker = BagMaker()

    /// The code of a tar as a file; the pipe has to agree.
    private func code(_ tar: [UInt8]) async throws -> Failure.Code? {
        let scratch = try TemporaryDirectory()
        try BagMaker.overwrite(scratch.path + "/bag.tar", tar)
        let code = try await examine(scratch.path + "/bag.tar")?.code
        #expect(try await examineStream(tar)?.code == code)
        return code
    }

    /// A header with bytes put in and the checksum made right again.
    private func forged(_ header: [UInt8], at offset: Int, _ bytes: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        let sum = header.enumerated().reduce(0) {
            $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element))
        }
        let digits = String(sum, radix: 8)
        let field = String(repeating: "0", count: 6 - digits.utf8.count) + digits
        header.replaceSubrange(148..<156, with: Array(field.utf8) + [0, 0x20])
        return header
    }

    @Test func headerIsThatOfUstar() throws {
        let path = try BagPath(String(repeating: "a", count: 100))
        let name = try BagName(String(repeating: "N", count: 155))
        for size: Int64 in [0, 1, 511, 512, 1 << 30, CanonicalTar.largestFile] {
            let header = try CanonicalTar.header(name: name, path: path, size: size)
            let read = try CanonicalTar.parse(header)
            #expect(read.name == name && read.path == path && read.size == size)
        }
        #expect(throws: Failure(.invalidValue, "")) {
            try CanonicalTar.header(name: name, path: path, size: CanonicalTar.largestFile + 1)
        }
        #expect([0, 1, 511, 512, 513].map(CanonicalTar.padding) == [0, 511, 1, 0, 511])
    }

    @Test func wholeHeaderOfAnotherKindHasItsOwnCause() throws {
        let header = try CanonicalTar.header(
            name: try BagName("bag"), path: try BagPath("data/a/b/c"), size: 5)
        let cases: [(Int, [UInt8], Failure.Code)] = [
            (156, Array("1".utf8), .bagFileKind), (156, Array("2".utf8), .bagFileKind),
            (156, Array("3".utf8), .bagFileKind), (156, Array("5".utf8), .bagFileKind),
            (156, Array("6".utf8), .bagFileKind), (156, Array("x".utf8), .tarHeader),
            (156, Array("L".utf8), .tarHeader), (156, [0], .tarHeader),
            (0, Array("../x/b/c\u{0}\u{0}".utf8), .bagPathUnsafe),
            (0, Array("/etc".utf8), .bagPathUnsafe), (0, [0x44], .bagPathUnsafe),
            (345, Array("..\u{0}".utf8), .bagPathUnsafe),
            (345, Array("/ab".utf8), .bagPathUnsafe), (345, [0, 0, 0], .bagPathUnsafe),
            (100, Array("0004755".utf8), .tarHeader), (108, Array("0001000".utf8), .tarHeader),
            (116, Array("0001000".utf8), .tarHeader), (136, Array("1".utf8), .tarHeader),
            (157, Array("/etc/passwd".utf8), .tarHeader), (265, Array("root".utf8), .tarHeader),
            (297, Array("root".utf8), .tarHeader), (257, Array("ustar  \u{0}".utf8), .tarHeader),
            (124, [0x80], .tarHeader), (124, Array("     ".utf8), .tarHeader),
            (329, [0x31], .tarHeader), (511, [1], .tarHeader), (99, [1], .tarHeader),
        ]
        for (offset, bytes, expected) in cases {
            #expect(throws: Failure(expected, ""), "\(offset) \(bytes)") {
                try CanonicalTar.parse(forged(header, at: offset, bytes))
            }
        }
        #expect(throws: Failure(.tarTruncated, "")) { try CanonicalTar.parse([1, 2]) }
    }

    @Test func archivesThatSomebodyPackedAreTold() {
        let packed: [(beginning: [UInt8], packer: String?)] = [
            ([0x1f, 0x8b, 8], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd, 4], "zstd"),
            (Array("age-encryption.org/v1".utf8), "age"), ([1, 2, 3], nil),
        ]
        for (beginning, packer) in packed {
            let block = beginning + [UInt8](repeating: 7, count: 512 - beginning.count)
            do throws(Failure) {
                _ = try CanonicalTar.parse(block)
                Issue.record("\(beginning) is taken for a header")
            } catch {
                #expect(error.code == .tarHeader)
                #expect(packer.map { error.hint?.contains($0) == true } ?? (error.hint == nil))
            }
        }
    }

    @Test func everyBitOfAHeaderCounts() throws {
        let header = try CanonicalTar.header(
            name: try BagName("bag"), path: try BagPath("data/a/b/c"), size: 5)
        for bit in 0..<512 * 8 {
            var flipped = header
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: Failure(.tarHeader, ""), "bit \(bit)") {
                try CanonicalTar.parse(flipped)
            }
        }
    }

    @Test func truncationIsNoticedAtEveryBoundary() async throws {
        let tar = try maker.tar()
        var cuts: Set<Int> = [0, 1, 511, tar.count - 1, tar.count - 512, tar.count - 1024]
        for cut in stride(from: 512, to: tar.count, by: 512 * 7) { cuts.insert(cut) }
        for cut in cuts where cut < tar.count {
            #expect(try await code(Array(tar[..<cut])) == .tarTruncated, "cut at \(cut)")
        }
    }

    @Test func nothingMayFollowTheEnd() async throws {
        let tar = try maker.tar()
        #expect(try await code(tar + [0]) == .tarTrailing)
        #expect(try await code(tar + [UInt8](repeating: 0, count: 8192)) == .tarTrailing)
        #expect(try await code(tar + tar) == .tarTrailing)
        var late = tar
        late[tar.count - 1] = 1
        #expect(try await code(late) == .tarHeader)
    }

    @Test func orderAndUniquenessAreChecked() async throws {
        let members = try BagMaker.members(try maker.files())
        func tar(_ members: [(path: BagPath, bytes: [UInt8])]) throws -> [UInt8] {
            try members.flatMap { try BagMaker.member(maker.name, $0.path, $0.bytes) }
                + CanonicalTar.end
        }
        #expect(try await code(try tar(members)) == nil)
        #expect(try await code(try tar(members.reversed())) == .tarOrder)
        for index in 4..<members.count - 3 {
            var swapped = members
            swapped.swapAt(index, index - 1)
            if members[index].path.text.hasPrefix("proof/receipt") { continue }
            #expect(try await code(try tar(swapped)) == .tarOrder, "\(members[index].path)")
        }
        #expect(try await code(try tar([members[0]] + members)) == .tarDuplicate)
        #expect(try await code(try tar(members + [members[0]])) == .tarDuplicate)
        // Payload comes as it was produced, in whatever order that was.
        var payload = members
        payload.swapAt(0, 2)
        #expect(try await code(try tar(payload)) == nil)
    }

    @Test func secondTopFolderIsRefused() async throws {
        var tar: [UInt8] = []
        for (index, (path, bytes)) in try BagMaker.members(try maker.files()).enumerated() {
            tar += try BagMaker.member(index == 5 ? "other" : maker.name, path, bytes)
        }
        #expect(try await code(tar + CanonicalTar.end) == .tarHeader)
    }
}
