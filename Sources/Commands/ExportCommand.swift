import ArgumentParser
import Basics
import Plans
import Runs
import Streams

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Run a plan: pull its sources into a sealed archive.",
        discussion: """
            The archive is a directory while it is made, and stays one unless the output ends in \
            .tar or is - (standard output). An interrupted run is resumed by the same command; an \
            output that is sealed already is verified again. Folders above the output that are not \
            there are made, and told.

            EXAMPLES
              exeat export plan.yaml --output /mnt/usb/archive
              exeat export plan.yaml --output archive.tar
              exeat export plan.yaml --output - | ssh vault 'cat > archive.tar'
            """)

    @Argument(help: "The plan, a YAML file.")
    var plan: String

    @Option(help: "A directory, a file ending in .tar, or - for standard output.")
    var output: String

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        guard output != "-" || !Terminal.outputIsTerminal else {
            throw Failure(
                .usage, "an archive is not written to a terminal",
                hint: "Name a file with --output, or send the output to a file or a program.")
        }
        let plan = try PlanLoading.export(plan)
        let counters = Progress()
        let display = ProgressDisplay(counters, progress.style)
        Interruption.watch(counters)
        display.start()
        defer { display.stop() }
        let outcome = try await export(plan, counters, display)
        display.stop()
        // With an archive on standard output, the result moves over to standard error.
        if output == "-" {
            if json {
                Terminal.say(outcome.json)
            } else {
                Terminal.say(outcome.summary)
            }
        } else if json {
            Terminal.print(outcome.json)
        } else {
            Terminal.print(outcome.summary)
        }
        try finish(with: outcome.status)
    }

    private func export(
        _ plan: ExportPlan, _ counters: Progress, _ display: ProgressDisplay
    ) async throws(Failure) -> ExportOutcome {
        do throws(Failure) {
            return try await ExportRun.run(
                plan, output: output, connectors: AllConnectors.exporters, world: .real,
                progress: counters
            ) { stage in
                switch stage {
                case .madeFolder(let folder): display.tell("made the folder \"\(folder)\"")
                case .checking: display.enter("checking what is stored")
                case .stamping: display.enter("asking for the time-stamp")
                case .inventory: display.enter("taking inventory")
                case .export(let bytes): display.enter("exporting", total: bytes)
                case .sealing: display.enter("sealing")
                }
            }
        } catch {
            display.stop()
            guard error.code == .cancelled, output != "-" else { throw error }
            throw error.during(
                "the export was interrupted; what is stored is kept",
                hint: "Run the same command again to resume.")
        }
    }
}
