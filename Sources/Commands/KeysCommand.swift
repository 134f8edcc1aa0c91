import ArgumentParser
import Basics
import Encryption
import Runs
import Signatures

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make keys for sealing, signing and encrypting.",
        subcommands: [New.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new",
            abstract: "Make a signing key pair and an age identity.",
            discussion: """
                Writes NAME.key (the two private seeds, mode 0600), NAME.trust.json (give it to \
                those who verify), NAME.agekey (mode 0600), NAME.agepub, NAME.allowed_signers and \
                NAME.mldsa65.pem. Nothing is ever overwritten.

                EXAMPLES
                  exeat keys new keys/hoster
                  exeat keys new keys/hospital --role importer --role controller --post-quantum
                """)

        @Argument(help: "Where to write; the last part of the path becomes the principal.")
        var name: String

        @Option(
            name: .customLong("role"),
            help: "What the key may sign: exporter, importer, controller, eraser. Repeatable.")
        var roles: [String] = ["exporter", "importer"]

        @Flag(help: "Make a post-quantum age identity (mlkem768x25519).")
        var postQuantum = false

        @Flag(help: "Print the result as JSON.")
        var json = false

        func run() throws {
            var chosen: Set<Role> = []
            for role in roles {
                guard let known = Role(rawValue: role) else {
                    throw ValidationError(
                        "unknown role \"\(role)\"; roles are "
                            + Role.allCases.map(\.rawValue).joined(separator: ", "))
                }
                chosen.insert(known)
            }
            try ArchiveBounds.checkNoArchive(around: name, hint: "Keep keys outside archives.")
            let key = try SigningKey.generate(
                principal: KeyFiles.principal(stem: name), roles: chosen, world: .real)
            let identity = try Identity.generate(postQuantum: postQuantum)
            let secret = """
                # created: \(World.real.now().text)
                # public key: \(identity.recipient.text)
                \(identity.secretText.revealed())

                """
            let paths = try KeyFiles.write(
                stem: name, key: key,
                extra: [
                    .init(suffix: ".agekey", bytes: Array(secret.utf8), mode: 0o600),
                    .init(
                        suffix: ".agepub", bytes: Array((identity.recipient.text + "\n").utf8),
                        mode: 0o644),
                ])
            let pair = key.publicPair
            if json {
                Terminal.print([
                    "principal": .string(pair.principal),
                    "roles": .array(pair.roles.map(\.rawValue).sorted().map { .string($0) }),
                    "ed25519": .string(pair.ed25519Fingerprint),
                    "mldsa65": .string(pair.mldsa65Fingerprint),
                    "recipient": .string(identity.recipient.text),
                    "files": .array(paths.map { .string($0) }),
                ])
            } else {
                Terminal.print("principal  \(pair.principal)")
                Terminal.print("Ed25519    \(pair.ed25519Fingerprint)")
                Terminal.print("ML-DSA-65  \(pair.mldsa65Fingerprint)")
                Terminal.print("recipient  \(identity.recipient.text)")
                for path in paths { Terminal.print("wrote      \(path)") }
            }
        }
    }
}
