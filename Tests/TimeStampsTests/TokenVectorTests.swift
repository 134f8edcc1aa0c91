import Basics
import TestKit
import Testing

@testable import TimeStamps

/// Tokens of OpenSSL, good and bad, each with the one failure that fits.
@Suite struct TokenVectorTests {
    private static let folder = Vectors.folder("generated-here/rfc3161")

    private static func file(_ name: String) throws -> [UInt8] {
        try Files.read((folder ?? "") + "/" + name)
    }

    private static func trust(
        _ files: String..., policies: [String] = []
    ) throws -> TimeStampTrust {
        var certificates: [Certificate] = []
        for name in files { certificates += try Certificate.list(of: file(name)) }
        return try TimeStampTrust(
            certificates, policies: policies.compactMap { ObjectIdentifier($0) })
    }

    private static func code(
        _ token: [UInt8], _ trust: TimeStampTrust, over message: [UInt8]? = nil
    ) throws -> Failure.Code? {
        let message = try message ?? file("data.txt")
        do throws(Failure) {
            let stamp = try trust.judge(token, over: message)
            #expect(stamp.isTrusted == !trust.isEmpty)
            return nil
        } catch { return error.code }
    }

    @Test(
        .enabled(if: folder != nil),
        arguments: [
            ("ok-sha256.tsr", nil), ("ok-sha512.tsr", nil),
            ("ok-no-embedded-cert.tsr", .timeStampCertificate),
            ("bad-other-imprint.tsr", .timeStampImprint),
            ("bad-signature-bitflip.tsr", .timeStampSignature),
            ("bad-truncated.tsr", .timeStampMalformed),
            ("rejection-unaccepted-alg.tsr", .timeStampRefused),
        ] as [(String, Failure.Code?)])
    func tokensAreJudgedByTheRoot(name: String, expected: Failure.Code?) throws {
        #expect(try Self.code(Self.file(name), Self.trust("ca.pem")) == expected)
    }

    @Test(.enabled(if: folder != nil)) func certificateMayComeWithTheRoot() throws {
        let token = try Self.file("ok-no-embedded-cert.tsr")
        #expect(try Self.code(token, Self.trust("ca.pem", "tsa.pem")) == nil)
        #expect(try Self.code(token, .none) == nil)
    }

    @Test(.enabled(if: folder != nil)) func otherAuthorityIsNotTrusted() throws {
        #expect(
            try Self.code(Self.file("ok-sha256.tsr"), Self.trust("other-ca.pem"))
                == .timeStampUntrusted)
        #expect(throws: Failure(.trustInvalid, "")) { try Self.trust("tsa.pem") }
    }

    @Test(.enabled(if: folder != nil)) func whatItCertifiesIsTold() throws {
        let stamp = try Self.trust("ca.pem").judge(
            Self.file("ok-sha256.tsr"), over: Self.file("data.txt"))
        #expect(stamp.moment.text == "2026-11-23T18:27:26.000Z")
        #expect(stamp.authority == "CN=TEST ONLY TSA")
        #expect(stamp.policy.text == "1.2.3.4.1")
        #expect(stamp.serial == "05")
        #expect(stamp.accuracy == 1_000_000)
    }

    @Test(.enabled(if: folder != nil)) func policyMustBeOneOfThoseAccepted() throws {
        let token = try Self.file("ok-sha256.tsr")
        #expect(try Self.code(token, Self.trust("ca.pem", policies: ["1.2.3.4.1"])) == nil)
        #expect(
            try Self.code(token, Self.trust("ca.pem", policies: ["1.2.3.4.2"])) == .timeStampPolicy)
    }

    /// Whoever takes any policy of one authority does not take any of another's.
    @Test(.enabled(if: folder != nil)) func policiesAreAskedOfTheAuthorityThatTheyAreNamedWith()
        throws
    {
        let token = try Self.file("ok-sha256.tsr")
        let (any, good, bad) = try (
            Self.trust("other-ca.pem"), Self.trust("ca.pem", policies: ["1.2.3.4.1"]),
            Self.trust("ca.pem", policies: ["1.2.3.4.2"])
        )
        for (one, two) in [(any, bad), (bad, any)] {
            #expect(try Self.code(token, one.joined(two)) == .timeStampPolicy)
        }
        for (one, two) in [(any, good), (good, any), (good, bad), (bad, good)] {
            #expect(try Self.code(token, one.joined(two)) == nil)
        }
    }

    @Test(.enabled(if: folder != nil)) func requestMustBeTheOneThatWasAnswered() throws {
        let message = try Self.file("data.txt")
        let request = try TimeStampRequest(
            for: message, by: .sha256, policy: nil, world: .real)
        #expect(throws: Failure(.timeStampNonce, "")) {
            try Self.trust("ca.pem").judge(
                Self.file("ok-sha256.tsr"), over: message, request: request)
        }
    }

    /// Whatever bit is turned over, a token holds only where the bit does not matter: in what follows
    /// from elsewhere, which a second reader then confirms.
    @Test(.enabled(if: folder != nil)) func noBitOfWhatIsSignedMayChange() throws {
        let token = try Self.file("ok-sha256.tsr")
        let trust = try Self.trust("ca.pem")
        let message = try Self.file("data.txt")
        var unnoticed: [Int] = []
        for index in token.indices {
            var damaged = token
            damaged[index] ^= 1 << UInt8(index % 8)
            if try Self.code(damaged, trust, over: message) == nil { unnoticed.append(index) }
        }
        // The root that comes with the token is not used: the trusted one is.
        let root = try Self.trust("ca.pem").anchors[0].der
        let start = try #require(
            (0...token.count - root.count).first { token[$0..<$0 + root.count].elementsEqual(root) }
        )
        let outside = unnoticed.filter { !(start..<start + root.count).contains($0) }
        // Versions and the set of digests that CMS only announces.
        #expect(outside.count < 24, "\(outside)")
        #expect(outside.allSatisfy { $0 < 60 || $0 > start + root.count }, "\(outside)")
    }

    @Test(.enabled(if: folder != nil)) func noTruncationPasses() throws {
        let token = try Self.file("ok-sha512.tsr")
        let trust = try Self.trust("ca.pem")
        for length in stride(from: 0, to: token.count, by: 7) {
            #expect(try Self.code(Array(token[..<length]), trust) == .timeStampMalformed)
        }
        #expect(try Self.code(token + [0], trust) == .timeStampMalformed)
    }
}
