import ArgumentParser
import Basics
import ConfigConnectors
import Runs

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what an archive says it holds, without verifying it.",
        discussion: """
            EXAMPLES
              exeat inspect archive.tar
              exeat inspect archive --decrypt-with hospital.agekey
              exeat inspect archive partage/projects --decrypt-with hospital.agekey --json
              exeat inspect archive --compare other.tar

            --compare holds the facts about machines (sources of kind configs) of two
            archives against each other: status 0 where they are equal, 3 where they
            differ, 2 where nothing differs but something could not be compared.
            """)

    @Argument(help: "A directory or a tar file.")
    var archive: String

    @Argument(help: "List what a source holds: SOURCE or SOURCE/PATH.")
    var path: String?

    @Option(help: "Compare the facts about machines with those of another archive.")
    var compare: String?

    @OptionGroup var keys: KeyOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let inspection = try Inspection.run(archive, keys: keys.read())
        if let compare {
            guard path == nil else {
                throw Failure(.usage, "--compare compares whole archives, and takes no path")
            }
            return try compareFacts(inspection, Inspection.run(compare, keys: keys.read()))
        }
        if json {
            try printJSON(inspection)
        } else if let path {
            try inspection.list(path) { line in
                // A name with a line end must not look like two objects.
                let text = Inspection.text(of: line, Terminal.size)
                Terminal.print(text.replacing("\n", with: "\\u{a}"))
            }
        } else {
            Terminal.print(inspection.text(size: Terminal.size))
        }
    }

    /// One object, whose lines are written as they come.
    private func printJSON(_ inspection: Inspection) throws(Failure) {
        guard let path else { return Terminal.print(inspection.json) }
        var isFirst = true
        try inspection.list(path) { line in
            if isFirst {
                // All but the brace at the end.
                Terminal.print(
                    json: inspection.json.pretty.dropLast(2) + ",\n  \"lines\": [", end: "")
            }
            let text = line.pretty.split(separator: "\n").joined(separator: "\n    ")
            Terminal.print(json: (isFirst ? "\n    " : ",\n    ") + text, end: "")
            isFirst = false
        }
        if isFirst { return Terminal.print(inspection.json) }
        Terminal.print(json: "\n  ]\n}")
    }

    /// "Here" is the archive, "there" the other one.
    private func compareFacts(_ here: Inspection, _ there: Inspection) throws {
        let comparison = try ArchivedFacts.compare(
            here.documents(of: "facts").map {
                .init(source: $0.source, name: $0.name, bytes: $0.bytes)
            },
            there.documents(of: "facts").map {
                .init(source: $0.source, name: $0.name, bytes: $0.bytes)
            })
        if json {
            Terminal.print(comparison.json)
        } else {
            Terminal.print(comparison.text)
        }
        if comparison.status != 0 { throw ExitCode(comparison.status) }
    }
}
