import Basics
import Glibc
import Redaction
import Streams

/// The facts of a machine as a run keeps them from its inventory on: the documents, and where secrets
/// would have stood in them. They never hold a secret, whatever becomes of those in the tree: the room
/// is not encrypted.
struct FactsRoom: Sendable {
    let directory: String
    let families: [FactFamily]

    private func path(_ family: FactFamily) -> String { "\(directory)/facts-\(family.rawValue)" }
    private var secretsPath: String { directory + "/facts-secrets" }
    /// Written last: its presence says that the rest is whole.
    private var markPath: String { directory + "/facts" }

    var isTaken: Bool { Files.exists(markPath) }

    func take(from machine: Machine) throws(Failure) {
        for family in families {
            let document = try machine.facts(family)
            try Files.write(document.text, to: path(family), mode: 0o600)
        }
        var lines: [UInt8] = []
        for place in machine.secrets { lines += place.json.line + [0x0a] }
        try Files.write(lines, to: secretsPath, mode: 0o600)
        try Files.write([], to: markPath, mode: 0o600)
    }

    func bytes(_ family: FactFamily) throws(Failure) -> [UInt8] {
        try Files.read(path(family), limit: 1 << 28)
    }

    func document(_ family: FactFamily) throws(Failure) -> FactDocument {
        try FactDocument(parsing: bytes(family))
    }

    func secrets() throws(Failure) -> [SecretPlace] {
        try Files.read(secretsPath, limit: 1 << 28).split(separator: 0x0a)
            .map { (line) throws(Failure) in try SecretPlace(JSON(parsing: line)) }
    }
}
