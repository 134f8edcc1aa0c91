import ArgumentParser
import Basics
import Plans
import Rehearsals
import Runs
import Streams

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Look at the sources of a plan: volumes, risks, omissions, duration.",
        discussion: """
            Changes nothing anywhere. Ends with status 2 when an export would, because of \
            omissions that the plan does not cover.

            EXAMPLES
              exeat plan plan.yaml
              exeat plan plan.yaml --json
              exeat plan plan.yaml --rehearsals /srv/rehearsals
            """)

    @Argument(help: "The plan, a YAML file.")
    var plan: String

    @Option(
        help: ArgumentHelp(
            "The folder of past rehearsals, which tell how long a restore takes.",
            discussion: "Unless given, ./NAME.rehearsals where NAME is the archive's.")
    )
    var rehearsals: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let plan = try PlanLoading.export(plan)
        let counters = Progress()
        let display = ProgressDisplay(counters, progress.style)
        Interruption.watch(counters)
        display.enter("looking at the sources")
        display.start()
        defer { display.stop() }
        let preview = try await Preview.take(
            plan, connectors: AllConnectors.exporters, world: .real, progress: counters)
        display.stop()
        let restore = RestoreEstimate(
            of: preview.bytes, from: rehearsals ?? "./\(plan.archive.name).rehearsals")
        if json {
            let members = (preview.json.members ?? []) + [.init("restore", restore?.json ?? .null)]
            Terminal.print(.object(members))
        } else {
            Terminal.print(preview.text(size: Terminal.size))
            if let restore { Terminal.print(restore.text) }
        }
        try finish(with: preview.status)
    }
}
