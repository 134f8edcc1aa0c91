import ArgumentParser
import Basics
import Runs
import Streams

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check an archive: every byte, both signatures, nothing more and nothing less.",
        discussion: """
            Needs no secret key: digests are over what is stored. With --decrypt-with the encrypted \
            manifest and every plaintext are checked too. Whom to trust comes from files outside \
            the archive. Status 3 when anything is wrong, 2 for a copy of the proof alone.

            EXAMPLES
              exeat verify archive --trust hoster.trust.json
              exeat verify a.tar --trust hoster.trust.json --decrypt-with hospital.agekey
              ssh vault cat archive.tar | exeat verify - --trust hoster.trust.json
            """)

    @Argument(help: "A directory, a tar file, or - for a tar on standard input.")
    var archive: String

    @Option(name: .customLong("trust"), help: "A trust file: who may seal. Repeatable.")
    var trust: [String]

    @Option(
        name: .customLong("tsa-ca"),
        help: ArgumentHelp(
            "A PEM file with the root of a time-stamping authority to believe. Repeatable.",
            discussion: "Certificates between the root and the authority may follow it."))
    var authorities: [String] = []

    @Option(
        name: .customLong("tsa-policy"),
        help: "A policy that time-stamps may be made under, such as 1.2.3.4. Repeatable.")
    var policies: [String] = []

    @Option(
        name: .customLong("token"),
        help: "A time-stamp that came by another way than the archive. Repeatable.")
    var tokens: [String] = []

    @Flag(help: "Fail unless trusted time-stamps open and close the archive.")
    var requireTimestamp = false

    @Flag(help: "Accept an archive that was to be restored before now.")
    var acceptExpired = false

    @OptionGroup var keys: KeyOptions

    @Option(
        help: ArgumentHelp(
            "A folder with documents about the archive, besides its proof/.", valueName: "folder"))
    var dossier: String?

    @Flag(
        name: .customLong("proof-only"),
        help: "Be content with a copy of the proof alone, whose data cannot be checked.")
    var proofOnly = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        guard !trust.isEmpty else {
            throw ValidationError("--trust FILE is missing: an archive cannot vouch for itself")
        }
        let keys = try keys.read()
        var options = TrustOptions(trust: trust)
        options.authorities = authorities
        options.policies = policies
        options.tokens = tokens
        options.requiresTimeStamps = requireTimestamp
        options.acceptsExpired = acceptExpired
        let counters = Progress()
        let display = ProgressDisplay(counters, progress.style)
        Interruption.watch(counters)
        display.enter("verifying")
        display.start()
        defer { display.stop() }
        let result: Verification
        do {
            result = try await Verification.run(
                archive, trust: options, keys: keys, auditors: AllConnectors.auditors,
                folder: dossier, isProofEnough: proofOnly, world: .real, progress: counters)
        } catch {
            // What cannot even be opened has no report, and still an answer.
            display.stop()
            if json {
                Terminal.print(Verification.json(of: error))
            } else if error.code.exitStatus == 3 {
                Terminal.print(Verification.text(of: error))
            }
            throw error
        }
        display.stop()
        if json {
            Terminal.print(result.json)
        } else {
            Terminal.print(result.text)
        }
        if let failure = result.failure {
            Terminal.say(failure)
            let status = failure.code.exitStatus
            try finish(with: status == 1 || failure.code == .payloadAbsent ? status : 3)
        }
    }
}
