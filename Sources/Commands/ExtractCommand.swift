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

            A backup of Proxmox VE is taken, too: of a container (vzdump-lxc-*.tar…) comes
            its configuration, of a virtual machine (.vma, .vma.zst, .vma.gz, .vma.lzo)
            come raw images and configuration files. Such a file has no signature: that
            disks are whole is checked, where they come from is not.

            EXAMPLES
              exeat extract archive --to out --trust hoster.trust.json
              exeat extract a.tar partage/tree --to out --trust hoster.trust.json
              exeat extract a.tar --to out --unverified --decrypt-with hospital.agekey
              exeat extract vzdump-qemu-100-2026_11_23-18_22_38.vma.zst --to out
            """)

    @Argument(help: "A directory or a tar file; or a backup of Proxmox VE.")
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
        if BackupExtract.isMeant(by: archive) {
            guard trust.isEmpty, artifact == nil, keys.files.isEmpty else {
                throw ValidationError(
                    "a backup of Proxmox VE has no artifacts, signatures or keys of ours")
            }
            return
        }
        guard trust.isEmpty == unverified else {
            throw ValidationError("give either --trust FILE or --unverified")
        }
    }

    func run() async throws {
        if BackupExtract.isMeant(by: archive) {
            return try await BackupExtract(
                path: archive, directory: to, json: json, style: progress.style
            ).run()
        }
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
