import Bags
import Basics
import Glibc
import TestKit
import Testing

/// Damages good bags at random, always the same way: whatever is done to a single place, the
/// verification fails, and for a reason that fits the place.
@Suite struct BagMutationTests {
    /// SplitMix64, so that a failure can be looked at again.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }

    /// What may be said of a file whose bytes are not those that were sealed.
    private static func codesOfContent(_ path: String) -> Set<Failure.Code> {
        switch path {
        case "bagit.txt": [.bagDeclaration]
        // A record that is longer or shorter, but still in the form, differs from its digest only.
        case "bag-info.txt": [.bagFileChanged, .bagInfoMalformed, .bagInfoMismatch]
        case "exeat/journal.jsonl":
            [.bagFileChanged, .journalMalformed, .journalBroken, .journalMismatch]
        case _ where path.hasPrefix("manifest-"):
            [
                .bagFileChanged, .bagManifestMalformed, .bagManifestDuplicate, .bagPathUnsafe,
                .bagPathTooLong, .bagFileMissing, .bagFileUnexpected,
            ]
        case _ where path.hasPrefix("tagmanifest-"):
            [
                .sealSubjectMismatch, .bagTagManifestMalformed, .bagManifestDuplicate,
                .bagPathUnsafe, .bagPathTooLong, .bagFileMissing, .bagFileUnexpected,
                .bagFileChanged,
            ]
        case "proof/seal.json", "proof/seal.json.sig", "proof/seal.json.mldsa65":
            [.signatureInvalid, .signatureMalformed, .sealMalformed]
        case _ where path.hasPrefix("proof/receipt"): [.signatureInvalid, .signatureMalformed]
        case _ where path.hasSuffix(".tsr"):
            [.bagFileChanged, .timeStampImprint, .timeStampMalformed, .timeStampBackdated]
        case "proof/timestamped.txt": [.bagFileChanged]
        default: [.bagFileChanged]
        }
    }

    private static func codesOfAbsence(_ path: String) -> Set<Failure.Code> {
        switch path {
        case "bagit.txt": [.bagDeclaration]
        case _ where path.hasPrefix("manifest-"): [.bagManifestMissing]
        case _ where path.hasPrefix("tagmanifest-"): [.bagTagManifestMissing]
        case "proof/seal.json": [.bagUnsealed]
        case _ where path.hasPrefix("proof/") && (path.hasSuffix(".sig") || path.hasSuffix("65")):
            [.signatureMissing]
        default: [.bagFileMissing, .bagDirectoryEmpty]
        }
    }

    private static let codesOfPresence: Set<Failure.Code> = [
        .bagFileUnexpected, .bagProofUnexpected, .bagPathUnsafe, .bagPathTooLong,
        .bagManifestUnsupported, .bagFetchForbidden, .bagUnfinished, .signatureMissing,
        .bagFileMissing, .bagNameTwins,
    ]

    private static let newNames = [
        "a", "z.txt", "data/s01/table-00001/a", "data/s01/x/y", "data/z/z/z", "data/x",
        "data/s01/table-00001/segment-00000.copy.zst.age", "exeat/z", "proof/a", "proof/keys/a",
        "proof/receipt-2.json", "proof/erasure.json", "proof/seal.json.asc", "manifest-md5.txt",
        "fetch.txt", "Data/s01/x/y", "proof/acceptance.json.sig", ".a", "exeat/manifest.json.age",
        "data/s01/table-00001/b/c", "data/s01/table-00001/segment-00000.copy.zst ",
    ]

    /// One damage to the files of a directory; nil when it would have changed nothing.
    private struct Damage {
        var remove: [String] = []
        var write: [String: [UInt8]] = [:]
        var codes: Set<Failure.Code> = []

        init?(_ files: [String: [UInt8]], _ paths: [String], _ dice: inout Dice) {
            guard let path = paths.randomElement(using: &dice), var bytes = files[path] else {
                return nil
            }
            codes = codesOfContent(path)
            switch Int.random(in: 0..<8, using: &dice) {
            case 0, 1, 2:
                guard !bytes.isEmpty else { return nil }
                bytes[Int.random(in: 0..<bytes.count, using: &dice)] ^=
                    1 << UInt8.random(in: 0..<8, using: &dice)
                write[path] = bytes
            case 3:
                guard !bytes.isEmpty else { return nil }
                write[path] = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &dice)))
            case 4:
                let place = Int.random(in: 0...bytes.count, using: &dice)
                bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
                write[path] = bytes
            case 5:
                guard let other = paths.randomElement(using: &dice), let theirs = files[other],
                    theirs != bytes
                else { return nil }
                write = [path: theirs, other: bytes]
                codes.formUnion(codesOfContent(other))
            case 6:
                remove = [path]
                codes = codesOfAbsence(path)
            default:
                guard let name = newNames.randomElement(using: &dice) else { return nil }
                write[name] = bytes
                codes = codesOfPresence
                if Bool.random(using: &dice) {
                    remove = [path]
                    codes.formUnion(codesOfAbsence(path))
                }
            }
        }
    }

    @Test func noDamageToADirectoryPasses() async throws {
        var dice = Dice(state: 20_261_123)
        let files = try BagMaker().files()
        let paths = files.keys.sorted()
        let scratch = try TemporaryDirectory()
        try BagMaker.write(files, to: scratch.path)
        var done = 0
        while done < 1500 {
            guard let damage = Damage(files, paths, &dice) else { continue }
            for path in damage.remove { unlink(scratch.path + "/" + path) }
            try BagMaker.write(damage.write, to: scratch.path)
            let code = try await examine(scratch.path)?.code
            let wrong = code.map { !damage.codes.contains($0) } ?? true
            #expect(
                !wrong, "\(done): \(String(describing: code)) \(damage.remove) \(damage.write.keys)"
            )
            // Back to the good bag, new folders included.
            for path in damage.write.keys where files[path] == nil {
                unlink(scratch.path + "/" + path)
                var folder = Files.parent(of: path)
                while folder != ".", rmdir(scratch.path + "/" + folder) == 0 {
                    folder = Files.parent(of: folder)
                }
            }
            let spoiled = damage.remove + damage.write.keys
            try BagMaker.write(files.filter { spoiled.contains($0.key) }, to: scratch.path)
            done += 1
        }
        #expect(try await examine(scratch.path) == nil)
    }

    /// The bytes of a tar, each with what may be said when it is another.
    private struct Map {
        var regions: [(range: Range<Int>, codes: Set<Failure.Code>)] = []

        init(_ members: [(path: BagPath, bytes: [UInt8])]) {
            var position = 0
            func next(_ count: Int, _ codes: Set<Failure.Code>) {
                if count > 0 { regions.append((position..<position + count, codes)) }
                position += count
            }
            for (path, bytes) in members {
                next(512, [.tarHeader])
                next(bytes.count, codesOfContent(path.text))
                next(CanonicalTar.padding(after: Int64(bytes.count)), [.tarPadding])
            }
            next(1024, [.tarHeader])
        }

        func codes(at offset: Int) -> Set<Failure.Code> {
            regions.first { $0.range.contains(offset) }?.codes ?? []
        }

        func codes(in range: Range<Int>) -> Set<Failure.Code> {
            regions.filter { $0.range.overlaps(range) }.reduce(into: Set()) {
                $0.formUnion($1.codes)
            }
        }
    }

    private static let structural: Set<Failure.Code> = [
        .tarHeader, .tarPadding, .tarTruncated, .tarTrailing, .tarOrder, .tarDuplicate,
    ]

    /// One damage to a tar, and what may be said of it.
    private static func damage(
        _ tar: [UInt8], _ members: [(path: BagPath, bytes: [UInt8])], _ map: Map,
        _ dice: inout Dice
    ) throws -> (tar: [UInt8], codes: Set<Failure.Code>) {
        var spoiled = tar
        let place = Int.random(in: 0..<tar.count, using: &dice)
        switch Int.random(in: 0..<8, using: &dice) {
        case 0, 1, 2:
            spoiled[place] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
            return (spoiled, map.codes(at: place))
        case 3: return (Array(tar[..<place]), [.tarTruncated])
        case 4:
            let count = Int.random(in: 1...1024, using: &dice)
            return (tar + [UInt8](repeating: 0, count: count), [.tarTrailing])
        case 5:
            // Two blocks change places.
            let one = place & ~511
            let other = Int.random(in: 0..<tar.count, using: &dice) & ~511
            for index in 0..<512 { spoiled.swapAt(one + index, other + index) }
            let codes = map.codes(in: one..<one + 512).union(map.codes(in: other..<other + 512))
            return (
                spoiled,
                codes.union(structural).union([.bagFileMissing, .bagUnsealed, .bagFileKind])
            )
        case 6:
            // A member goes away, or comes twice.
            let index = Int.random(in: 0..<members.count, using: &dice)
            var list = members
            if Bool.random(using: &dice) {
                list.remove(at: index)
                return (
                    try list.flatMap {
                        try BagMaker.member(BagMaker().name, $0.path, $0.bytes)
                    } + CanonicalTar.end, codesOfAbsence(members[index].path.text)
                )
            }
            list.insert(members[index], at: Int.random(in: 0...list.count, using: &dice))
            return (
                try list.flatMap { try BagMaker.member(BagMaker().name, $0.path, $0.bytes) }
                    + CanonicalTar.end, [.tarDuplicate, .tarOrder]
            )
        default:
            // A member gets a name that nobody listed.
            let names = newNames.compactMap { try? BagPath($0) }
            let index = Int.random(in: 0..<members.count, using: &dice)
            guard let name = names.randomElement(using: &dice) else { return (spoiled, []) }
            var list = members
            list[index].path = name
            return (
                try list.flatMap { try BagMaker.member(BagMaker().name, $0.path, $0.bytes) }
                    + CanonicalTar.end,
                codesOfPresence.union(codesOfAbsence(members[index].path.text))
                    .union([.tarOrder])
            )
        }
    }

    @Test func noDamageToATarPasses() async throws {
        var dice = Dice(state: 7)
        let files = try BagMaker().files()
        let members = try BagMaker.members(files)
        let tar = try BagMaker().tar(files)
        let map = Map(members)
        #expect(map.regions.last?.range.upperBound == tar.count)
        let scratch = try TemporaryDirectory()
        let path = scratch.path + "/bag.tar"
        var done = 0
        while done < 2500 {
            let damage = try Self.damage(tar, members, map, &dice)
            if damage.tar == tar { continue }
            try BagMaker.overwrite(path, damage.tar)
            let code = try await examine(path)?.code
            let wrong = code.map { !damage.codes.contains($0) } ?? true
            #expect(!wrong, "\(done): \(String(describing: code)) of \(damage.codes)")
            if done % 4 == 0 {
                #expect(try await examineStream(damage.tar)?.code == code, "\(done)")
            }
            done += 1
        }
    }
}
