import ArgumentParser
import Basics
import Runs

struct AttestTimestamp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timestamp",
        abstract:
            "Add time-stamps that an authority gave after the run, or write requests for them.",
        discussion: """
            A token is checked before it is added: what it is about, its signature and, with --tsa-ca, \
            who made it. It says itself whether it opens or closes the archive. That of a tar is \
            put beside it, into NAME.proof, where verify finds it.

            EXAMPLES
              exeat attest timestamp archive --request-to requests
              curl -H 'Content-Type: application/timestamp-query' --data-binary \\
                @requests/timestamped.txt.tsq https://tsa.example/tsr -o closing.tsr
              exeat attest timestamp archive --token closing.tsr --tsa-ca tsa-ca.pem
            """)

    @Argument(help: "A sealed archive: a directory or a tar file.")
    var archive: String

    @Option(name: .customLong("token"), help: "A file with a time-stamp (.tsr). Repeatable.")
    var tokens: [String] = []

    @Option(
        name: .customLong("tsa-ca"),
        help: "A PEM file with the root of a time-stamping authority to believe. Repeatable.")
    var authorities: [String] = []

    @Option(
        name: .customLong("tsa-policy"),
        help: "A policy that time-stamps may be made under; with --request-to the one to ask for.")
    var policies: [String] = []

    @Option(help: "Write the requests for both time-stamps to this directory.")
    var requestTo: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard tokens.isEmpty != (requestTo == nil) else {
            throw ValidationError("give either --token FILE or --request-to DIRECTORY")
        }
        guard requestTo == nil || policies.count <= 1 && authorities.isEmpty else {
            throw ValidationError("--request-to takes one --tsa-policy at most, and no --tsa-ca")
        }
        guard policies.isEmpty || !authorities.isEmpty || requestTo != nil else {
            throw ValidationError("--tsa-policy needs --tsa-ca: who promises to keep the policy")
        }
    }

    func run() throws {
        let stamps = try AddedStamps(archive)
        if let requestTo {
            let written = try stamps.writeRequests(
                to: requestTo, policy: policies.first, world: .real)
            if json { return Terminal.print(.array(written.map { .string($0) })) }
            for path in written { Terminal.print(path) }
            return
        }
        let added = try stamps.add(tokens, authorities: authorities, policies: policies)
        if json {
            Terminal.print(
                .array(
                    added.map {
                        [
                            "file": .string($0.file), "time": .string($0.moment.text),
                            "authority": .string($0.authority), "trusted": .bool($0.isTrusted),
                        ]
                    }))
            return
        }
        for stamp in added {
            Terminal.print(
                "\(stamp.file): \(stamp.moment.text) by \(stamp.authority)"
                    + (stamp.isTrusted ? "" : ", not checked against any authority"))
        }
    }
}
