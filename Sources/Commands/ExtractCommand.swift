import ArgumentParser
import Basics
import Runs
import Streams

struct ExtractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Decode artifacts to files in their standard formats (tar, JSON Lines, …).",
        discussion: """
            The archive is verified first, unless --unverified says otherwise.

            EXAMPLES
              exeat extract archive --to out --trust hoster.trust.json
              exeat extract a.tar partage/tree --to out --trust hoster.trust.json
              exeat extract a.tar --to out --unverified --decrypt-with hospital.agekey
            """)

    @Argument(help: "A directory or a tar file.")
    var archive: String

    @Argument(help: "A source, SOURCE/ARTIFACT, or a folder of the archive; all if left out.")
    var artifact: String?

    @Option(help: "A directory that is empty or does not exist yet.")
    var to: String

    @Option(name: .customLong("trust"), help: "A trust file: who may seal. Repeatable.")
    var trust: [String] = []

    @Flag(help: "Do not verify; what comes out may be forged.")
    var unverified = false

    @OptionGroup var keys: KeyOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard trust.isEmpty == unverified else {
            throw ValidationError("give either --trust FILE or --unverified")
        }
    }

    func run() async throws {
        let keys = try keys.read()
        let counters = Progress()
        let display = ProgressDisplay(counters, progress.style)
        Interruption.watch(counters)
        display.enter("extracting")
        display.start()
        defer { display.stop() }
        let extracted = try await Extraction.run(
            archive, artifact: artifact, to: to, trust: unverified ? nil : trust, keys: keys,
            world: .real, progress: counters)
        display.stop()
        if json {
            Terminal.print(
                .array(
                    extracted.map { ["path": .string($0.path), "bytes": .integer($0.bytes)] }))
        } else {
            for file in extracted { Terminal.print("\(file.path)  \(Terminal.size(file.bytes))") }
            if unverified { Terminal.say("nothing was verified") }
        }
    }
}
