import ArgumentParser
import Bags
import Basics
import Manifests
import Reports
import Runs
import Streams

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the dossier of an archive as one HTML file, in French or English.",
        discussion: """
            The report is drawn from the evidence in the archive alone: manifest, catalogue, journal, \
            seal, receipts and later documents, all verified first. It needs no network and no script, \
            prints on A4, and says how to check everything without exeat. --json prints the same for \
            programs. Names of objects are shown with --names only, where the manifest can be read and \
            the plan of the export allowed it (run.names: public).

            Status 3 when verification or the last comparison failed: the report is written all the \
            same, and says so. Without --trust nobody has said whom to believe, and the report says so.

            A copy of the proof alone has reports, too. --proof-only makes one: a few megabytes without \
            the data, which hold the whole dossier and are verified with exeat verify --proof-only.

            EXAMPLES
              exeat report archive --trust hoster.trust.json --output dossier.html
              exeat report archive --lang en --trust all.trust.json --output dossier.html
              exeat report a.tar --trust hoster.trust.json --decrypt-with hospital.agekey --names \
            --output dossier.html
              exeat report archive --trust hoster.trust.json --json
              exeat report archive --trust all.trust.json --proof-only --output proof
            """)

    @Argument(help: "A directory or a tar file.")
    var archive: String

    @Option(help: "The language of the report: fr or en.")
    var lang: ReportLanguage = .fr

    @Option(name: .customLong("trust"), help: "A trust file: who may sign. Repeatable.")
    var trust: [String] = []

    @Option(
        name: .customLong("tsa-ca"),
        help: ArgumentHelp(
            "A PEM file with the root of a time-stamping authority to believe. Repeatable.",
            discussion: "Certificates between the root and the authority may follow it."))
    var authorities: [String] = []

    @Option(
        name: .customLong("token"),
        help: "A time-stamp that came by another way than the archive. Repeatable.")
    var tokens: [String] = []

    @OptionGroup var keys: KeyOptions

    @Flag(help: "Show the real names of objects, where the plan allowed it.")
    var names = false

    @Option(help: "The file to write; without it the report goes to standard output.")
    var output: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "A folder with documents about the archive, besides its proof/.", valueName: "folder"))
    var dossier: String?

    @Flag(
        name: .customLong("proof-only"),
        help: "In place of a report, copy the archive without data/ to --output.")
    var proofOnly = false

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        try checkOutput()
        if proofOnly { return try await copyProof() }
        let keys = try keys.read()
        let counters = Progress()
        let display = ProgressDisplay(counters, progress.style)
        Interruption.watch(counters)
        display.enter("verifying")
        display.start()
        defer { display.stop() }
        let evidence = try await gather(keys, counters)
        display.stop()
        guard !names || evidence.manifest == nil || evidence.allowsNames else {
            throw Failure(
                .namesPrivate, "the plan of the archive keeps names of objects private",
                hint: "Leave --names out; exeat inspect shows them to whoever has the key.")
        }
        let model = ReportModel(
            evidence, names: names, madeAt: World.real.now(), tool: Tool.version)
        if let output {
            try Files.write(Array(model.html(in: lang.language).utf8), to: output)
            Terminal.say("report: \(output)")
        } else if !json {
            Terminal.print(model.html(in: lang.language))
        }
        if json { Terminal.print(model.json) }
        if let failure = model.verdict.failure { Terminal.say(failure) }
        if trust.isEmpty {
            Terminal.say("note: who sealed the archive was not established; --trust FILE does that")
        }
        try finish(with: model.verdict.exitStatus)
    }

    private func copyProof() async throws {
        guard let output else {
            throw ValidationError("--output is missing: a directory, or a file that ends in .tar")
        }
        guard !trust.isEmpty else {
            throw ValidationError("--trust FILE is missing: an archive cannot vouch for itself")
        }
        try await ProofCopying.run(
            archive, trust: trust, folder: dossier, output: output, json: json)
    }

    private func checkOutput() throws {
        guard archive != "-" else {
            throw ValidationError(
                "a report cannot be made of standard input: store the archive first")
        }
        guard let output else {
            if !json, !proofOnly, Terminal.outputIsTerminal {
                throw ValidationError(
                    "--output FILE.html is missing: a report would fill the terminal")
            }
            return
        }
        try ArchiveBounds.check(
            output, outside: archive, hint: "Name another place with --output.")
    }

    /// Verifies first. What fails verification has a report too, made of what the archive claims.
    private func gather(
        _ keys: ArchiveKeys, _ counters: Progress
    ) async throws(Failure) -> Evidence {
        var believed = TrustOptions(trust: trust)
        believed.authorities = authorities
        believed.tokens = tokens
        let verification: Verification
        do throws(Failure) {
            verification =
                trust.isEmpty
                ? try await Verification.runUntrusting(
                    archive, keys: keys, auditors: AllConnectors.auditors, folder: dossier,
                    isProofEnough: true, world: .real, progress: counters)
                : try await Verification.run(
                    archive, trust: believed, keys: keys,
                    auditors: AllConnectors.auditors, folder: dossier, isProofEnough: true,
                    world: .real, progress: counters)
        } catch {
            guard error.code.exitStatus == 3, error.code != .bagNotFound else { throw error }
            // A tar that cannot even be listed.
            return Evidence(
                standing: .failed(error), report: nil, bag: nil as UnverifiedBag?, dossier: nil,
                manifest: nil, retaken: .null, instructions: "")
        }
        if let failure = verification.failure {
            // What is no fault of the archive has no report: a wrong key, a machine that cannot read.
            guard failure.code.exitStatus == 3 else { throw failure }
            let bag = try Bag(opening: archive).unverified()
            let told =
                names || !verification.namesObjects
                ? failure
                : Failure(
                    failure.code,
                    "the content is not what the archive says of it: exeat verify tells which object"
                )
            return evidence(
                .failed(told), verification, bag,
                manifest: try? OpenArchive(bag, keys: keys).manifest)
        }
        let standing: Evidence.Standing = trust.isEmpty ? .unknownSigner : .verified
        if let bag = verification.bag {
            return evidence(standing, verification, bag, manifest: verification.manifest)
        }
        // A copy of the proof: all that it holds but the payload was examined.
        return evidence(
            standing, verification, try Bag(opening: archive).unverified(), manifest: nil)
    }

    private func evidence(
        _ standing: Evidence.Standing, _ verification: Verification, _ bag: some BagContents,
        manifest: Manifest?
    ) -> Evidence {
        let isEncrypted = bag.entries.contains { $0.path.text == "exeat/manifest.json.age" }
        let seal = (try? bag.read(Seal.path)).flatMap { try? JSON(parsing: $0) }
        let principal = seal?["predicate"]?["signer"]?["principal"]?.string
        return Evidence(
            standing: standing, report: verification.report, bag: bag,
            dossier: verification.dossier, manifest: manifest,
            retaken: names ? verification.content : verification.namelessContent,
            instructions: principal.flatMap {
                VerificationInstructions.text(principal: $0, isEncrypted: isEncrypted)
            } ?? "")
    }
}

/// The word after --lang.
enum ReportLanguage: String, ExpressibleByArgument, CaseIterable {
    case fr, en

    var language: Language { self == .fr ? .french : .english }
}
