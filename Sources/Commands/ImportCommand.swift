import ArgumentParser
import Basics
import Plans
import Runs
import Streams

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Replay an archive on targets, re-read them, and sign a receipt.",
        discussion: """
            The whole archive is verified before anything is written. An interrupted import is \
            resumed by the same command. Status 2 when the target did not take everything (owners \
            without root, …), 3 when the target is not equal to the archive.

            EXAMPLES
              exeat import archive import.yaml
              exeat import archive.tar import.yaml --work /var/lib/exeat/import-1
            """)

    @Argument(help: "A directory or a tar file.")
    var archive: String

    @Argument(help: "The import plan, a YAML file.")
    var plan: String

    @Option(help: "Where state and receipt are kept (default: ./NAME.import).")
    var work: String?

    @Option(
        help: ArgumentHelp(
            "Where it is remembered which archives were imported.",
            discussion:
                "By default ~/.local/state/exeat/seen.json: an archive older than one of the same series is refused."
        ))
    var seen: String?

    @Flag(help: "Accept an archive although a newer one of its series was imported.")
    var acceptOlder = false

    @Flag(help: "Accept an archive that was to be restored before now.")
    var acceptExpired = false

    @Option(
        name: .customLong("approved-by"),
        help: "Who accepts it; two different people. They stand in the receipt.")
    var approvers: [String] = []

    @Option(help: "Why it is accepted.")
    var reason: String?

    @OptionGroup var passphrase: PassphraseOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let plan = try PlanLoading.import(plan)
        let keys = try passphrase.keys(plan.decryptWith)
        let outcome = try await progress.shown { (counters, display) throws(Failure) in
            try await replay(plan, keys, counters, display)
        }
        if json { Terminal.print(outcome.json) } else { Terminal.print(outcome.summary) }
        try finish(with: outcome.status)
    }

    private func replay(
        _ plan: ImportPlan, _ keys: ArchiveKeys, _ counters: Progress, _ display: ProgressDisplay
    ) async throws(Failure) -> ImportOutcome {
        do throws(Failure) {
            return try await ImportRun.run(
                plan, archive: archive, keys: keys, work: work, seen: seen, exception: exception,
                connectors: AllConnectors.importers, world: .real, progress: counters
            ) { stage in
                switch stage {
                case .verify: display.enter("verifying")
                case .replay(let bytes): display.enter("importing", total: bytes)
                case .compare: display.enter("comparing the target")
                }
            }
        } catch {
            display.stop()
            guard error.code == .cancelled else { throw error }
            throw error.during(
                "the import was interrupted; what is written is kept",
                hint: "Run the same command again to resume.")
        }
    }

    private var exception: Exception {
        var exception = Exception()
        exception.acceptsOlder = acceptOlder
        exception.acceptsExpired = acceptExpired
        exception.approvers = approvers
        exception.reason = reason ?? ""
        return exception
    }
}
