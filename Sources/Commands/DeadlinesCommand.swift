import ArgumentParser
import Basics
import Deadlines
import Dossiers
import Plans

struct DeadlinesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadlines",
        abstract: "Reckon the dates that law and contract set for a plan.",
        discussion: """
            From run.dates and run.legal of the plan alone: no source is asked. Conflicts between texts \
            are named with their clauses. Those of an archive are shown by exeat attest status.

            EXAMPLES
              exeat deadlines plan.yaml
              exeat deadlines plan.yaml --today 2027-03-01 --json
            """)

    @Argument(help: "The plan, a YAML file.")
    var plan: String

    @Option(help: "The day to judge by; the present one unless given.")
    var today: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let run = try PlanLoading.export(plan).run
        let report = try Self.report(
            ContractFacts(ContractFacts.json(of: run)), try DayOption.day(today, "--today"))
        if json { return Terminal.print(report.json) }
        let lines = report.lines
        for line in lines { Terminal.print(line) }
        if lines.isEmpty { Terminal.print("no legal profile holds for this run") }
    }

    static func report(_ facts: ContractFacts, _ today: Day?) -> DeadlineReport {
        DeadlineReport(
            facts.timeline, profiles: facts.profiles, calendar: facts.calendar,
            today: today ?? facts.calendar.day(of: World.real.now()))
    }
}
