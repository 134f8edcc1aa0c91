import ArgumentParser
import Bags
import Basics
import Dossiers
import Runs

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Copy the proof of an archive, without its data.",
        discussion: """
            EXAMPLES
              exeat report archive --proof-only --output proof --trust all.trust.json
              exeat report archive.tar --proof-only --output proof.tar --trust all.trust.json
            """)

    @OptionGroup var options: DossierOptions

    @Flag(name: .customLong("proof-only"), help: "Write the archive without data/.")
    var proofOnly = false

    @Option(help: "A directory, or a file that ends in .tar.")
    var output: String

    func run() async throws {
        guard proofOnly else { throw ValidationError("--proof-only is missing") }
        try await ProofCopying.run(options, output: output)
    }
}

/// `exeat report --proof-only`.
enum ProofCopying {
    static func run(_ options: DossierOptions, output: String) async throws {
        let open = try await options.open()
        guard let seal = open.report.seal else { return }
        let copy = try ProofCopy(
            open.bag.unverified(), dossier: open.dossier, name: seal.name, folders: open.folders)
        let (files, bytes) = try copy.write(to: output)
        if options.json {
            Terminal.print([
                "output": .string(output), "files": .integer(Int64(files)),
                "bytes": .integer(bytes), "stage": .string(open.dossier.stage.rawValue),
            ])
        } else {
            Terminal.print("wrote   \(output): \(files) files, \(Terminal.size(bytes))")
            Terminal.print("check   exeat verify \(output) --proof-only --trust FILE")
        }
    }
}
