import ArgumentParser
import Bags
import Basics
import Deadlines
import Dossiers
import Plans
import Primitives
import Runs
import Signatures
import Streams

struct AttestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest",
        abstract: "Sign the next document of an archive's dossier.",
        discussion: """
            The documents follow each other, and each names the one before by its digest: plan, seal, \
            receipt (of exeat import), acceptance, erasure request, erasure certificate. They are kept in \
            proof/ of the archive, beside a tar in NAME.proof/, or in the folder of --dossier. The \
            payload is not read again, so a copy of the proof alone is enough.

            EXAMPLES
              exeat attest plan plan.yaml --sign-with keys/hospital --output agreed/plan.json
              exeat attest accept archive --trust all.trust.json --sign-with keys/hospital
              exeat attest request-erasure archive --trust all.trust.json --sign-with keys/hospital
              exeat attest erase archive --trust all.trust.json --sign-with keys/hoster \
            --method overwrite --medium SN-4711
              exeat attest status archive --trust all.trust.json
            """,
        subcommands: [
            AttestPlan.self, AttestAccept.self, AttestRequest.self, AttestOverride.self,
            AttestErase.self, AttestStatus.self, AttestTimestamp.self,
        ])
}

/// What all steps need: the archive, whom to trust, and where documents lie.
struct DossierOptions: ParsableArguments {
    @Argument(help: "A directory or a tar file; a copy of the proof alone is enough.")
    var archive: String

    @Option(name: .customLong("trust"), help: "A trust file: who may sign what. Repeatable.")
    var trust: [String] = []

    @Option(
        help: ArgumentHelp(
            "A folder with documents, where new ones are written, too.",
            valueName: "folder"))
    var dossier: String?

    @Option(
        name: .customLong("tsa-ca"),
        help: "A PEM file with the root of a time-stamping authority to believe. Repeatable.")
    var authorities: [String] = []

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard !trust.isEmpty else {
            throw ValidationError("--trust FILE is missing: an archive cannot vouch for itself")
        }
        guard archive != "-" else {
            throw ValidationError("a dossier cannot be read from standard input")
        }
    }

    func open() async throws(Failure) -> OpenDossier {
        var options = TrustOptions(trust: trust)
        options.authorities = authorities
        return try await OpenDossier.open(
            archive, trust: options, folder: dossier, world: .real, progress: Progress())
    }
}

/// A step that signs: opens the dossier, makes the document, stores it.
struct SigningOptions: ParsableArguments {
    @OptionGroup var dossier: DossierOptions

    @Option(
        name: .customLong("sign-with"),
        help: "The stem given to exeat keys new, such as keys/hospital.")
    var signWith: String

    func sign(
        _ make: (Attestation) throws(Failure) -> Attestation.Made
    ) async throws {
        let signer = try SigningKey(file: KeyFiles.keyPath(stem: signWith))
        OpenDossier.mend(dossier.archive, dossier.dossier, signer.publicPair)
        let open = try await dossier.open()
        let attestation = try Attestation(
            open.dossier, signer: signer, world: .real, tool: Tool.version)
        let made = try make(attestation)
        let place = try open.place(for: dossier.dossier)
        do throws(Failure) { try place.add(made.files) } catch {
            guard error.code == .denied else { throw error }
            throw error.during(
                "cannot put \"\(made.document.file)\" into \"\(place.path)\"",
                hint: "Name a folder that may be written to with --dossier FOLDER.")
        }
        // Read again as everybody will read it.
        let after = try await dossier.open()
        guard let stored = after.dossier.documents.first(where: { $0.kind == made.document }) else {
            throw Failure(.failed, "\"\(made.document.file)\" was signed, but cannot be read again")
        }
        if !stored.isTrusted {
            Terminal.say(
                "warning: no trust file names \"\(signer.principal)\"; those who read the document "
                    + "need its trust file")
        }
        if dossier.json {
            Terminal.print([
                "document": .string(place.path + "/" + made.document.file),
                "sha256": .string(stored.sha256.hex),
                "stage": .string(after.dossier.stage.rawValue), "dossier": after.dossier.json,
            ])
        } else {
            Terminal.print("signed  \(place.path)/\(made.document.file)")
            Terminal.print("sha256  \(stored.sha256.hex)")
            Terminal.print("stage   \(after.dossier.stage.rawValue)")
            for line in after.dossier.lines { Terminal.print(line) }
        }
    }
}

struct AttestAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "The customer has integrated the data and can use it.",
        discussion: """
            Signed by a controller. It follows a receipt; one that tells of differences, of sources that \
            were not imported or of no comparison needs a --reservation.
            """)

    @OptionGroup var signing: SigningOptions

    @Option(help: "The number of the receipt that is accepted; the last one unless given.")
    var receipt: Int?

    @Option(
        name: .customLong("reservation"),
        help: "What is accepted with a reservation; no names of people. Repeatable.")
    var reservations: [String] = []

    func run() async throws {
        try await signing.sign { (attestation) throws(Failure) in
            try attestation.accept(receipt: receipt, reservations: reservations)
        }
    }
}

struct AttestRequest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request-erasure",
        abstract: "The customer asks that the source be erased.",
        discussion: "Signed by a controller. It follows the acceptance.")

    @OptionGroup var signing: SigningOptions

    @Option(help: "What is to be erased.")
    var scope = Attestation.wholeScope

    @Option(
        name: .customLong("formal-notice"), help: "The day on which the source gave formal notice.")
    var formalNotice: String?

    @Option(name: .customLong("not-before"), help: "A later day that was agreed.")
    var notBefore: String?

    func run() async throws {
        let notice = try DayOption.day(formalNotice, "--formal-notice")
        let later = try DayOption.day(notBefore, "--not-before")
        try await signing.sign { (attestation) throws(Failure) in
            try attestation.requestErasure(scope: scope, formalNotice: notice, notBefore: later)
        }
    }
}

struct AttestOverride: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract: "One of two people approves an erasure that the lock does not allow yet.",
        discussion: """
            Two people, each with a key of their own (controller or eraser), a name and a reason. It \
            stays visible in the certificate, in verify and in the report.
            """)

    @OptionGroup var signing: SigningOptions

    @Option(help: "The name of the person who approves.")
    var name: String

    @Option(help: "Why the lock is overridden.")
    var reason: String

    func run() async throws {
        try await signing.sign { (attestation) throws(Failure) in
            try attestation.override(name: name, reason: reason)
        }
    }
}

struct AttestErase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Certify that the source was erased.",
        discussion: """
            Signed by an eraser. Locked (status 1) until an accepted receipt and the customer's request \
            exist and the earliest legal date has passed, or two people have approved with exeat attest \
            override.
            """)

    @OptionGroup var signing: SigningOptions

    @Option(
        name: .customLong("method"),
        help: "overwrite, key-destruction, physical-destruction, secure-recycling. Repeatable.")
    var methods: [String]

    @Option(
        name: .customLong("medium"),
        help: "A medium that was erased: serial number, volume. Repeatable.")
    var media: [String] = []

    @Option(name: .customLong("key-id"), help: "A key that was destroyed. Repeatable.")
    var keys: [String] = []

    @Option(help: "When it began, such as 2027-04-02T08:00:00Z; now unless given.")
    var started: String?

    @Option(help: "When it ended; now unless given.")
    var completed: String?

    @Option(
        name: .customLong("formal-notice"), help: "The day on which the formal notice was given.")
    var formalNotice: String?

    func run() async throws {
        let chosen = try methods.map { word in
            guard let method = Attestation.Erasure.Method(rawValue: word) else {
                throw ValidationError(
                    "unknown method \"\(word)\"; methods are "
                        + Attestation.Erasure.Method.allCases.map(\.rawValue)
                        .joined(separator: ", "))
            }
            return method
        }
        let now = World.real.now()
        let erasure = Attestation.Erasure(
            methods: chosen, media: media, keys: keys,
            startedAt: try DayOption.moment(started, "--started") ?? now,
            completedAt: try DayOption.moment(completed, "--completed") ?? now,
            formalNotice: try DayOption.day(formalNotice, "--formal-notice"))
        try await signing.sign { (attestation) throws(Failure) in try attestation.erase(erasure) }
    }
}

struct AttestStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show documents, dates and the lock of the erasure.",
        discussion: "Status 3 when something is wrong with a document.")

    @OptionGroup var options: DossierOptions

    func run() async throws {
        let dossier = try await options.open().dossier
        if options.json {
            Terminal.print(dossier.json)
        } else {
            Terminal.print("stage   \(dossier.stage.rawValue)")
            for line in dossier.lines { Terminal.print(line) }
        }
        for problem in dossier.problems { Terminal.say(problem.failure) }
        try finish(with: dossier.problems.isEmpty ? 0 : 3)
    }
}

struct AttestPlan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "The customer agrees to a plan, before anything leaves.",
        discussion: """
            Signed by a controller. The export of a plan that names the file in run.agreement carries \
            it in proof/, and its seal names it. The plan must not change afterwards.
            """)

    @Argument(help: "The plan, a YAML file.")
    var plan: String

    @Option(
        name: .customLong("sign-with"),
        help: "The stem given to exeat keys new, such as keys/hospital.")
    var signWith: String

    @Option(help: "Where to write; run.agreement of the plan unless given.")
    var output: String?

    func run() throws {
        let plan = try PlanLoading.export(plan)
        let signer = try SigningKey(file: KeyFiles.keyPath(stem: signWith))
        guard let output = output ?? plan.run.agreement else {
            throw ValidationError("--output FILE is missing: the plan has no run.agreement")
        }
        let made = try AgreedPlan.sign(
            plan: plan.digest, facts: ContractFacts.json(of: plan.run),
            inventory: AgreedPlan.inventory(of: plan),
            signer: signer, world: .real, tool: Tool.version)
        for suffix in ["", ".sig", ".mldsa65"] where Files.exists(output + suffix) {
            throw Failure(
                .exists, "\"\(output + suffix)\" is there already",
                hint: "A signed document is never replaced: name another output.")
        }
        try Files.makeDirectory(Files.parent(of: output))
        for (name, bytes) in made.files.reversed() {
            try Files.write(bytes, to: output + name.dropFirst(made.document.file.count))
        }
        Terminal.print("signed  \(output)")
        Terminal.print("plan    \(plan.digest.hex)")
    }
}

/// Days and moments as options give them.
enum DayOption {
    static func day(_ text: String?, _ option: String) throws -> Day? {
        guard let text else { return nil }
        guard let day = Day(text), Day.ofContracts.contains(day) else {
            throw ValidationError("\(option) takes a day such as 2027-01-12, not \"\(text)\"")
        }
        return day
    }

    static func moment(_ text: String?, _ option: String) throws -> Timestamp? {
        guard let text else { return nil }
        guard let moment = Timestamp(text), text.hasPrefix(moment.date) else {
            throw ValidationError(
                "\(option) takes a time in UTC such as 2027-04-02T08:00:00Z, not \"\(text)\"")
        }
        return moment
    }
}
