import Basics
import TestKit
import Testing

@testable import Signatures

@Suite struct TrustTests {
    let first: PublicKeyPair
    let second: PublicKeyPair
    let file: String

    init() throws {
        first = try Fixture.key(1, "hebergeur").publicPair
        second = try Fixture.key(2, "valmont", [.importer]).publicPair
        file = String(decoding: TrustedKeys.file([TrustedKey(first)]), as: UTF8.self)
    }

    private func code(_ text: String) -> Failure.Code? {
        do throws(Failure) {
            _ = try TrustedKeys(parsing: Array(text.utf8))
            return nil
        } catch { return error.code }
    }

    private func changed(_ from: String, _ to: String) -> String {
        file.split(separator: from, omittingEmptySubsequences: false).joined(separator: to)
    }

    @Test func readsWhatItWrites() throws {
        let keys = [
            TrustedKey(first, notBefore: Fixture.now), TrustedKey(second, notAfter: Fixture.now),
        ]
        #expect(try TrustedKeys(parsing: TrustedKeys.file(keys)).keys == keys)
    }

    @Test func filesMergeByConcatenation() throws {
        let folder = try TemporaryDirectory()
        let other = TrustedKeys.file([TrustedKey(second)])
        let paths = [
            try folder.file("a", Array(file.utf8)), try folder.file("b", other),
            try folder.file("both", Array(file.utf8) + other),
        ]
        let both = [TrustedKey(first), TrustedKey(second)]
        #expect(try TrustedKeys(files: [paths[0], paths[1]]).keys == both)
        #expect(try TrustedKeys(files: [paths[2]]).keys == both)
        #expect(try TrustedKeys(files: paths).keys == both)
        #expect(throws: Failure(.notFound, "")) { try TrustedKeys(files: [folder.path + "/none"]) }
        #expect(throws: Failure(.trustInvalid, "")) { try TrustedKeys(files: []) }
    }

    @Test func contradictionsAreConflicts() throws {
        func pair(
            _ principal: String, _ one: PublicKeyPair, _ other: PublicKeyPair,
            _ roles: Set<Role> = [.exporter, .importer]
        ) -> TrustedKey {
            TrustedKey(
                PublicKeyPair(
                    principal: principal, roles: roles, ed25519: one.ed25519,
                    mldsa65: other.mldsa65))
        }
        let contradictions = [
            pair("hebergeur", second, second), pair("hebergeur", first, second),
            pair("autre", first, second), pair("autre", second, first),
            pair("autre", first, first), pair("hebergeur", first, first, [.exporter]),
            TrustedKey(first, notAfter: Fixture.now),
        ]
        for other in contradictions {
            #expect(throws: Failure(.trustConflict, "")) {
                try TrustedKeys([TrustedKey(first), other])
            }
        }
    }

    @Test func malformedFilesAreRefused() {
        let variants = [
            "", "{}", "[]", "null", file + "x", "x" + file, file + "{", "}" + file,
            changed("\"exeat-trust\": 1", "\"exeat-trust\": 2"),
            changed("\"exeat-trust\": 1,", ""),
            changed("\"exeat-trust\": 1", "\"exeat-trust\": 1, \"exeat-trust\": 1"),
            changed("\"exeat-trust\": 1", "\"exeat-trust\": 1, \"note\": \"\""),
            changed("\"principal\"", "\"name\""),
            changed("\"hebergeur\"", "\"a b\""), changed("\"hebergeur\"", "7"),
            changed("\"principal\": \"hebergeur\"", "\"principal\": \"x\", \"principal\": \"x\""),
            changed("\"exporter\"", "\"admin\""), changed("\"exporter\"", "\"importer\""),
            changed("\"notBefore\": null", "\"notBefore\": \"2026-02-30T00:00:00Z\""),
            changed("\"notBefore\": null", "\"notBefore\": \"tomorrow\""),
            changed("\"notBefore\": null", "\"notBefore\": 0"),
            changed("\"notBefore\": null", "\"valid\": null"),
            changed("ssh-ed25519 ", "ssh-rsa "), changed("ssh-ed25519 ", "ssh-ed25519  "),
            changed(first.openSSHText, first.openSSHText + " comment"),
            changed(first.openSSHText, ""), changed("\"mldsa65\": \"", "\"mldsa65\": \"AAAA"),
        ]
        for variant in variants {
            #expect(variant != file)
            #expect(code(variant) == .trustInvalid, "\(variant.prefix(300))")
        }
        #expect(code(changed("\"notBefore\": null,", "")) == nil)
        #expect(
            code(changed("\"notBefore\": null", "\"notBefore\": \"2026-01-01T00:00:00Z\"")) == nil)
    }

    @Test func keysOfSmallOrderAreNotTrusted() {
        var zero = PublicKeyPair(
            principal: "x", roles: [.exporter], ed25519: [UInt8](repeating: 0, count: 32),
            mldsa65: first.mldsa65)
        #expect(
            code(String(decoding: TrustedKeys.file([TrustedKey(zero)]), as: UTF8.self))
                == .trustInvalid)
        zero = first
        #expect(
            code(String(decoding: TrustedKeys.file([TrustedKey(zero)]), as: UTF8.self)) == nil)
    }
}
