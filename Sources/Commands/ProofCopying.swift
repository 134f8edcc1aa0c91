import Bags
import Basics
import Dossiers
import Runs
import Streams

/// `exeat report --proof-only`.
enum ProofCopying {
    static func run(
        _ archive: String, trust: [String], folder: String?, output: String, json: Bool
    ) async throws {
        let open = try await OpenDossier.open(
            archive, trust: TrustOptions(trust: trust), folder: folder, world: .real,
            progress: Progress())
        guard let seal = open.report.seal else { return }
        let copy = try ProofCopy(
            open.bag.unverified(), dossier: open.dossier, name: seal.name, folders: open.folders)
        let (files, bytes) = try copy.write(to: output)
        if json {
            Terminal.print([
                "output": .string(output), "files": .integer(Int64(files)),
                "bytes": .integer(bytes), "stage": .string(open.dossier.stage.rawValue),
            ])
        } else {
            Terminal.print(
                "wrote   \(output): \(counted(files, "file")), \(Terminal.size(bytes))")
            Terminal.print("check   exeat verify \(output) --proof-only --trust FILE")
        }
    }
}
