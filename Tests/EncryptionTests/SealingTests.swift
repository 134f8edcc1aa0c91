import Basics
import Encryption
import Streams
import Testing

@Suite struct SealingTests {
    static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 1 << 20, (3 << 20) + 7]

    @Test(arguments: [false, true])
    func whatIsSealedOpensWhateverThePieces(postQuantum: Bool) throws {
        let identity = try Identity.generate(postQuantum: postQuantum)
        for size in Self.sizes {
            let plain = Age.sample(size)
            for step in [4093, 65_536, 65_537, Int.max] {
                let file = try Age.seal(plain, to: [identity.recipient], step: step)
                for (source, capacity) in [(Int.max, 1 << 20), (65_552, 65_536), (50_021, 70_000)] {
                    let released = Age.open(
                        file, with: [identity], step: source, capacity: capacity)
                    #expect(released.failure == nil)
                    #expect(released.bytes == plain)
                }
            }
        }
    }

    @Test func aPieceOfOneByteIsAsGoodAsAny() throws {
        let identity = try Identity.generate(postQuantum: false)
        let plain = Age.sample(65_537)
        let file = try Age.seal(plain, to: [identity.recipient], step: 1)
        let released = Age.open(file, with: [identity], step: 1, capacity: 1)
        #expect(released.failure == nil && released.bytes == plain)
    }

    @Test func theSizeOfTheFileFollowsFromTheSizeOfItsContent() throws {
        let identity = try Identity.generate(postQuantum: false)
        let empty = try Age.seal([], to: [identity.recipient]).count
        for size in Self.sizes.dropFirst() {
            let file = try Age.seal(Age.sample(size), to: [identity.recipient])
            #expect(file.count == empty + size + 16 * ((size + 65_535) / 65_536 - 1))
        }
    }

    @Test func theNextStageGetsLargePieces() throws {
        let kept = Kept()
        let recipient = try Identity.generate(postQuantum: true).recipient
        var sealing = try Sealing(to: [recipient], into: KeepingSink(kept: kept))
        for _ in 0..<64 { try sealing.write(Age.sample(100_000)) }
        #expect(!kept.isFinished)
        try sealing.finish()
        #expect(kept.isFinished)
        #expect(kept.writes.dropLast().allSatisfy { $0 >= 65_552 })
        #expect(kept.writes.count <= 7)
    }

    @Test func eachOfSeveralRecipientsOpensTheFileAndNobodyElse() throws {
        for postQuantum in [false, true] {
            let identities = try (0..<3).map { _ in try Identity.generate(postQuantum: postQuantum)
            }
            let other = try Identity.generate(postQuantum: postQuantum)
            let kind = try Identity.generate(postQuantum: !postQuantum)
            let file = try Age.seal([1, 2, 3], to: identities.map(\.recipient))
            for identity in identities {
                #expect(Age.open(file, with: [other, kind, identity]).bytes == [1, 2, 3])
            }
            let refused = Age.open(file, with: [other, kind])
            #expect(refused.failure?.code == .ageNoMatch && refused.bytes.isEmpty)
            #expect(Age.open(file, with: []).failure?.code == .ageNoMatch)
        }
    }

    @Test func aHeaderLargerThanTheBufferPasses() throws {
        let identities = try (0..<20).map { _ in try Identity.generate(postQuantum: true) }
        let all = (0..<30).flatMap { _ in identities.map(\.recipient) }
        let file = try Age.seal([7], to: all)
        #expect(Age.open(file, with: [identities[19]]).bytes == [7])
        let tooMany = try Age.seal([7], to: all + all)
        #expect(Age.open(tooMany, with: [identities[0]]).failure?.code == .ageHeader)
    }

    @Test func kindsOfRecipientsThatWeakenEachOtherAreRefused() throws {
        let classical = try Identity.generate(postQuantum: false).recipient
        let hybrid = try Identity.generate(postQuantum: true).recipient
        let passphrase = Recipient(try Passphrase(Secret("one"), workFactor: 1))
        #expect(!classical.isPostQuantum && hybrid.isPostQuantum)
        for mixture in [
            [classical, hybrid], [hybrid, passphrase], [passphrase, classical],
            [passphrase, passphrase],
        ] {
            #expect(throws: Failure(.ageRecipientsMixed, "")) { try Age.seal([], to: mixture) }
        }
        #expect(throws: Failure(.ageKeyInvalid, "")) { try Age.seal([], to: []) }
    }

    @Test func aPassphraseOpensWhatItSealed() throws {
        let right = try Passphrase(Secret("correct horse"), workFactor: 10)
        let wrong = try Passphrase(Secret("correct house"))
        let file = try Age.seal([1, 2], to: [Recipient(right)])
        #expect(Age.open(file, with: [Identity(wrong), Identity(right)]).bytes == [1, 2])
        #expect(Age.open(file, with: [Identity(wrong)]).failure?.code == .ageNoMatch)
        let key = try Identity.generate(postQuantum: false)
        #expect(Age.open(file, with: [key]).failure?.code == .ageNoMatch)
    }

    @Test func aPassphraseThatIsEmptyOrTooDearIsRefused() {
        #expect(throws: Failure(.ageKeyInvalid, "")) { try Passphrase(Secret("")) }
        for factor in [0, -1, Passphrase.maximumWorkFactor + 1, 64] {
            #expect(throws: Failure(.ageKeyInvalid, "")) {
                try Passphrase(Secret("x"), workFactor: factor)
            }
        }
    }

    @Test func noTwoFilesAreAlike() throws {
        let identity = try Identity.generate(postQuantum: false)
        let files = try (0..<8).map { _ in try Age.seal([0], to: [identity.recipient]) }
        #expect(Set(files).count == 8)
    }

    @Test func aSinkThatFailsIsHeard() throws {
        struct FullSink: ByteSink, ~Copyable {
            mutating func write(_ bytes: RawSpan) throws(Failure) {
                throw Failure(.noSpace, "full")
            }

            mutating func finish() throws(Failure) {}
        }
        let recipient = try Identity.generate(postQuantum: false).recipient
        var sealing = try Sealing(to: [recipient], into: FullSink())
        #expect(throws: Failure(.noSpace, "")) {
            for _ in 0..<32 { try sealing.write(Age.sample(65_536)) }
        }
    }
}
