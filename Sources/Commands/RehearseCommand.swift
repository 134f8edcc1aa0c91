import ArgumentParser
import Basics
import Glibc
import Plans
import Rehearsals
import Runs
import Streams

struct RehearseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Restore an archive in throw-away targets, probe it, time it, sign the result.",
        discussion: """
            The disaster-recovery exercise: servers, directories and virtual machines are made, filled from \
            the archive, compared with it, started and asked questions, timed against the objective, and \
            removed again. Nothing needs to be prepared. The plan is an import plan with what is said \
            about rehearsals; without one, the options say whom to trust and who signs.

            Status 0 only when every comparison and probe held and the objective was met; 3 when one \
            failed or the archive is damaged, 4 when the objective was missed, 1 when something could not \
            be restored, 2 with reservations.

            EXAMPLES
              exeat rehearse archive --trust hoster.trust.json --sign-with keys/hospital
              exeat rehearse archive rehearsal.yaml --only dpi
              exeat rehearse archive.tar rehearsal.yaml --work /srv/rehearsals --json
            """)

    @Argument(help: "A directory or a tar file.")
    var archive: String

    @Argument(help: "An import plan, a YAML file.")
    var plan: String?

    @Option(name: .customLong("trust"), help: "A trust file: who may seal. Repeatable.")
    var trust: [String] = []

    @Option(
        name: .customLong("decrypt-with"),
        help: "A file with age identities, encrypted with a passphrase or not. Repeatable.")
    var decryptWith: [String] = []

    @Option(name: .customLong("sign-with"), help: "The stem of the keys that sign the receipt.")
    var signWith: String?

    @Option(help: "Within what time all must be restored and checked, such as 4h (the default).")
    var objective: String?

    @Option(help: "A time after which the rehearsal stops, such as 6h.")
    var timeLimit: String?

    @Option(help: "Rehearse this source alone. Repeatable.")
    var only: [String] = []

    @Option(
        help:
            "Where targets, receipts and the history are kept (default: ./NAME.rehearsals).")
    var work: String?

    @Flag(help: "Leave the targets as they are, servers and machines running.")
    var keep = false

    @OptionGroup var passphrase: PassphraseOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        for (option, text) in [("--objective", objective), ("--time-limit", timeLimit)] {
            guard let text, !RehearsalPlan.isLength(text) else { continue }
            throw ValidationError(
                "\(option) takes a length of time such as 4h, 90min, 1h30min or 45s, not \"\(text)\""
            )
        }
        if plan != nil {
            guard trust.isEmpty, decryptWith.isEmpty, signWith == nil, objective == nil,
                timeLimit == nil
            else {
                throw ValidationError(
                    "the plan says whom to trust, the keys and the times: leave the options out")
            }
        } else if trust.isEmpty || signWith == nil {
            throw ValidationError(
                "give a plan, or --trust FILE and --sign-with STEM: an archive cannot vouch for itself"
            )
        }
    }

    func run() async throws {
        let plan = try readPlan()
        let keys = try passphrase.keys(plan.decryptWith)
        let outcome = try await progress.shown { (counters, display) throws(Failure) in
            try await rehearse(plan, keys, counters, display)
        }
        if json { Terminal.print(outcome.json) } else { Terminal.print(outcome.summary) }
        try finish(with: outcome.status)
    }

    private func rehearse(
        _ plan: ImportPlan, _ keys: ArchiveKeys, _ counters: Progress, _ display: ProgressDisplay
    ) async throws(Failure) -> RehearsalOutcome {
        let isQuiet = progress.style == .none || progress.style == .json
        do throws(Failure) {
            return try await Rehearsal.run(
                Rehearsal.Request(
                    archive: archive, plan: plan, keys: keys, folder: work, only: only,
                    keeps: keep, connectors: AllConnectors.importers),
                world: .real, progress: counters
            ) { stage in
                switch stage {
                case .verify: display.enter("verifying")
                case .rehearse: display.enter("rehearsing")
                case .source(let name, let what):
                    if !isQuiet {
                        Terminal.say(
                            "\(Terminal.errorIsTerminal ? "\r\u{1b}[2K" : "")\(name): \(what)")
                    }
                case .cleanUp: display.enter("cleaning up")
                }
            }
        } catch {
            display.stop()
            guard error.code == .cancelled else { throw error }
            throw error.during(
                "the rehearsal was interrupted; its targets are removed",
                hint: "Run the same command again: it begins anew.")
        }
    }

    /// The plan, or one made of the options.
    private func readPlan() throws(Failure) -> ImportPlan {
        if let plan { return try PlanLoading.rehearsal(plan) }
        func absolute(_ path: String) -> JSON {
            .string(path.hasPrefix("/") ? path : Files.absolute(".") + "/" + path)
        }
        var members: [JSON.Member] = [
            .init("exeat", 1), .init("trust", .array(trust.map(absolute))),
            .init("sign-with", absolute(signWith ?? "")),
        ]
        if !decryptWith.isEmpty {
            members.append(.init("decrypt-with", .array(decryptWith.map(absolute))))
        }
        var times: [JSON.Member] = []
        if let objective { times.append(.init("objective", .string(objective))) }
        if let timeLimit { times.append(.init("time-limit", .string(timeLimit))) }
        if !times.isEmpty { members.append(.init("rehearse", .object(times))) }
        return try PlanLoading.rehearsal(parsing: Array(JSON.object(members).pretty.utf8))
    }
}
