import ArgumentParser
import Basics
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
            """)

    @Argument(help: "The plan, a YAML file.")
    var plan: String

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
        if json {
            Terminal.print(preview.json)
        } else {
            Terminal.print(preview.text(size: Terminal.size))
        }
        try finish(with: preview.status)
    }
}
