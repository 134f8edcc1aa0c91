import ArgumentParser
import Basics
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
            """)

    @Argument(help: "A directory or a tar file.")
    var archive: String

    @Argument(help: "List what a source holds: SOURCE or SOURCE/PATH.")
    var path: String?

    @Option(name: .customLong("decrypt-with"), help: "A file with age identities. Repeatable.")
    var keys: [String] = []

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let inspection = try Inspection.run(archive, path: path, keyFiles: keys)
        if json {
            Terminal.print(inspection.json)
        } else {
            Terminal.print(inspection.text(size: Terminal.size))
        }
    }
}
