import Basics
import Glibc
import TestKit
import Testing

@testable import Signatures

@Suite struct KeyFileTests {
    let folder: TemporaryDirectory
    let key: SigningKey
    var stem: String { folder.path + "/keys/hebergeur" }

    init() throws {
        folder = try TemporaryDirectory()
        key = try Fixture.key(1, "hebergeur")
    }

    private func code(_ path: String) -> Failure.Code? {
        do throws(Failure) {
            _ = try SigningKey(file: path)
            return nil
        } catch { return error.code }
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func writesTheWholeSet() throws {
        let written = try KeyFiles.write(
            stem: stem, key: key,
            extra: [
                .init(suffix: ".agekey", bytes: [1], mode: 0o600),
                .init(suffix: ".agepub", bytes: [2], mode: 0o644),
            ])
        let names = [
            ".key", ".trust.json", ".allowed_signers", ".mldsa65.pem", ".agekey", ".agepub",
        ]
        #expect(written == names.map { stem + $0 })
        #expect(mode(stem + ".key") == 0o600)
        #expect(mode(stem + ".agekey") == 0o600)
        #expect(try Files.read(stem + ".agepub") == [2])
        #expect(KeyFiles.principal(stem: stem) == "hebergeur")
        #expect(try Files.names(in: Files.parent(of: stem)).count == 6)

        let again = try SigningKey(file: KeyFiles.keyPath(stem: stem))
        #expect(again.publicPair == key.publicPair)
        let trust = try TrustedKeys(files: [stem + ".trust.json"])
        let pair = try again.sign(Fixture.document, as: .seal)
        #expect(Fixture.code(trust, pair.sshsig, pair.mldsa65) == nil)
    }

    @Test(arguments: [".key", ".trust.json", ".mldsa65.pem", ".agekey"])
    func neverOverwrites(suffix: String) throws {
        _ = try folder.file("keys/hebergeur" + suffix, [42])
        #expect(throws: Failure(.exists, "")) {
            try KeyFiles.write(
                stem: stem, key: key, extra: [.init(suffix: ".agekey", bytes: [1], mode: 0o600)])
        }
        #expect(try Files.names(in: folder.path + "/keys") == ["hebergeur" + suffix])
        #expect(try Files.read(stem + suffix) == [42])
    }

    @Test func aFailureHalfWayLeavesNothing() throws {
        #expect(throws: Failure.self) {
            try KeyFiles.write(
                stem: stem, key: key, extra: [.init(suffix: "/no/such", bytes: [], mode: 0o600)])
        }
        #expect(try Files.names(in: folder.path + "/keys").isEmpty)
    }

    @Test(arguments: [0o640, 0o604, 0o610, 0o602, 0o644, 0o666, 0o777] as [mode_t])
    func anExposedKeyFileIsRefused(mode: mode_t) throws {
        try KeyFiles.write(stem: stem, key: key)
        chmod(stem + ".key", mode)
        symlink(stem + ".key", stem + ".link")
        do throws(Failure) {
            _ = try SigningKey(file: stem + ".key")
            Issue.record("read")
        } catch {
            #expect(error.code == .keyFileExposed)
            #expect(error.hint?.contains("chmod 600 '\(stem).key'") == true)
        }
        #expect(code(stem + ".link") == .keyFileExposed)
        chmod(stem + ".key", 0o400)
        #expect(code(stem + ".link") == nil)
    }

    @Test func aTruncatedKeyFileIsRefused() throws {
        try KeyFiles.write(stem: stem, key: key)
        let whole = try Files.read(stem + ".key")
        for count in stride(from: 0, to: whole.count - 1, by: 5) {
            let path = try folder.file("cut", Array(whole[..<count]))
            chmod(path, 0o600)
            #expect(code(path) == .keyFileInvalid, "\(count) bytes")
        }
    }

    @Test func whatIsNotAKeyFileIsRefused() throws {
        let good = String(decoding: key.keyFile, as: UTF8.self)
        func changed(_ from: String, _ to: String) -> String {
            good.split(separator: from, omittingEmptySubsequences: false).joined(separator: to)
        }
        let variants = [
            changed("\"exeat-key\": 1", "\"exeat-key\": 2"), changed("\"exporter\"", "\"root\""),
            changed("\"exporter\"", "\"importer\""), changed("AQE=", "AQF="),
            changed("hebergeur", "*"),
            changed("AQEB", ""), changed("\"roles\"", "\"role\""),
            changed("{\n", "{\n  \"principal\": \"hebergeur\",\n"),
            changed("{\n", "{\n  \"comment\": \"\",\n"), good + "x", "[]",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        ]
        for variant in variants {
            #expect(variant != good)
            let path = try folder.file("bad", Array(variant.utf8))
            chmod(path, 0o600)
            #expect(code(path) == .keyFileInvalid, "\(variant)")
        }
        #expect(code(folder.path + "/absent") == .notFound)
        #expect(code(folder.path) == .keyFileInvalid)
        #expect(mkfifo(folder.path + "/fifo", 0o600) == 0)
        #expect(code(folder.path + "/fifo") == .keyFileInvalid)
    }

    @Test(arguments: [
        "", "a b", "a\"b", "a'b", "a,b", "a*b", "a?b", "!a", "a\nb", "a\u{7f}", "-a", "a\\b", "a/b",
        "#a", "$a", "a;b", "a\u{a0}b", "a\u{200b}b", "a\u{202e}b",
        String(repeating: "a", count: 129),
    ])
    func refusesPrincipalsThatFilesOrShellsWouldMisread(name: String) {
        #expect(throws: Failure(.invalidValue, "")) { try Fixture.key(1, name) }
    }

    @Test(arguments: ["exporter@ch-exemple.test", "Hébergeur_SA.2026", "a+b=c:d"])
    func takesPlainPrincipals(name: String) throws {
        #expect(try Fixture.key(1, name).principal == name)
    }

    @Test func aKeyNeedsARole() {
        #expect(throws: Failure(.invalidValue, "")) { try Fixture.key(1, "x", []) }
    }

    @Test func aKeyDoesNotPrintItsSeeds() {
        var text = ""
        dump(key, to: &text)
        #expect("\(key)" == "signing key of hebergeur")
        #expect(!text.contains("rivate"))
    }
}
