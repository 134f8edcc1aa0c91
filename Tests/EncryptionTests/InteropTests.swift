import Basics
import Encryption
import TestKit
import Testing

/// Files go both ways between this module and the `age` of the system.
@Suite(.enabled(if: Shell.has("age") && Shell.has("age-keygen"), "age is not installed"))
struct InteropTests {
    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 1 << 20, (3 << 20) + 7])
    func filesOfEitherSideOpenOnTheOther(size: Int) throws {
        let directory = try TemporaryDirectory()
        let generated = try Shell.run(["age-keygen"])
        try #require(generated.status == 0)
        let keys = try directory.file("key.txt", generated.output)
        let identities = try Identity.parse(file: generated.text)
        let recipient = identities[0].recipient
        let shown = try Shell.run(["age-keygen", "-y", keys])
        #expect(shown.text == recipient.text + "\n")

        let plain = Age.sample(size)
        let ours = try Age.seal(plain, to: [recipient])
        let opened = try Shell.run(["age", "-d", "-i", keys], input: ours)
        #expect(opened.status == 0 && opened.output == plain)

        let theirs = try Shell.run(["age", "-r", recipient.text], input: plain)
        let released = Age.open(theirs.output, with: identities)
        #expect(released.failure == nil && released.bytes == plain)

        let armored = try Shell.run(["age", "-a", "-r", recipient.text], input: plain)
        let stripped = Age.openArmored(armored.output, .detected, with: identities)
        #expect(stripped.failure == nil && stripped.bytes == plain)
        // The same with the line ends of another system.
        let text = String(decoding: armored.output, as: UTF8.self).replacing("\n", with: "\r\n")
        let crlf = Age.openArmored(Array(text.utf8), .detected, with: identities, step: 1000)
        #expect(crlf.failure == nil && crlf.bytes == plain)
    }

    @Test func aKeyMadeHereOpensForAge() throws {
        let directory = try TemporaryDirectory()
        let identity = try Identity.generate(postQuantum: false)
        let keys = try directory.file(
            "key.txt", Array("# a comment\n\(identity.secretText.revealed())\n".utf8))
        let theirs = try Shell.run(["age", "-r", identity.recipient.text], input: [1, 2, 3])
        #expect(Age.open(theirs.output, with: [identity]).bytes == [1, 2, 3])
        let opened = try Shell.run(
            ["age", "-d", "-i", keys], input: try Age.seal([4, 5], to: [identity.recipient]))
        #expect(opened.output == [4, 5])
    }

    /// age asks for a passphrase on a terminal only, which script(1) gives it.
    @Test(.enabled(if: Shell.has("script"), "script is not installed"))
    func passphrasesOpenOnTheOtherSide() throws {
        let directory = try TemporaryDirectory()
        let passphrase = try Passphrase(Secret("un deux trois"), workFactor: 12)
        let ours = try directory.file(
            "ours.age", try Age.seal(Age.sample(1000), to: [Recipient(passphrase)]))
        let plain = directory.path + "/plain"
        let opened = try Shell.run(
            ["script", "-qec", "age -d -o \(plain) \(ours)", "/dev/null"],
            input: Array("un deux trois\n".utf8))
        #expect(opened.status == 0, "\(opened.text)")
        #expect(try Files.read(plain) == Age.sample(1000))

        let theirs = directory.path + "/theirs.age"
        let sealed = try Shell.run(
            ["script", "-qec", "age -p -o \(theirs) \(plain)", "/dev/null"],
            input: Array("un deux trois\nun deux trois\n".utf8))
        #expect(sealed.status == 0, "\(sealed.text)")
        let released = Age.open(try Files.read(theirs), with: [Identity(passphrase)])
        #expect(released.failure == nil && released.bytes == Age.sample(1000))
    }
}
