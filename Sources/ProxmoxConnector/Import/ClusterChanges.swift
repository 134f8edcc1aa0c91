import Basics
import Streams

/// What of an archived cluster's configuration is not on the target, part by part, and the calls that
/// make it there. Nothing that is there is changed.
struct ClusterChanges: Sendable {
    struct Change: Sendable {
        let part: ClusterPart
        let object: String
        let method: String
        let path: [String]
        let fields: [(String, String)]
    }

    let changes: [Change]
    /// What is there already, and otherwise than in the archive.
    let conflicts: [(part: ClusterPart, object: String)]
    private let client: ProxmoxClient
    private let progress: Progress

    init(
        _ documents: [UInt8], _ settings: ProxmoxTarget, _ reader: ClusterReader,
        _ progress: Progress
    ) throws(Failure) {
        var archived: [String: JSON] = [:]
        for line in documents.split(separator: 0x0a) {
            let document = try JSON(parsingForeign: Array(line))
            guard let path = document["path"]?.string, let data = document["data"] else {
                throw StoredGuests.malformed(
                    "a document of the cluster's configuration has no path")
            }
            archived[path] = data
        }
        var maker = ClusterDifference(archived, reader.client, reader.version)
        for part in ClusterPart.allCases where settings.cluster.contains(part) {
            try maker.compare(part)
        }
        changes = maker.changes
        conflicts = maker.conflicts
        client = reader.client
        self.progress = progress
    }

    /// Makes what is missing, or only tells it; one entry for each change.
    func run(applies: Bool) throws(Failure) -> [JSON] {
        var told: [JSON] = conflicts.map {
            [
                "part": .string($0.part.rawValue), "object": .string($0.object), "done": false,
                "what": "is there already, and otherwise than in the archive: left as it is",
            ]
        }
        for change in changes {
            try progress.checkCancelled()
            var entry: [JSON.Member] = [
                .init("part", .string(change.part.rawValue)),
                .init("object", .string(change.object)),
            ]
            if applies {
                var fields = APIFields()
                for (name, value) in change.fields { fields.add(name, value) }
                do throws(Failure) {
                    _ =
                        change.method == "PUT"
                        ? try client.put(change.path, fields)
                        : try client.post(change.path, fields)
                    entry += [.init("done", true), .init("what", "made")]
                } catch {
                    if error.code == .cancelled || error.code == .serverUnreachable { throw error }
                    entry += [.init("done", false), .init("what", .string(error.what))]
                }
            } else {
                let fields = change.fields.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
                entry += [
                    .init("what", "would be made"),
                    .init(
                        "call",
                        .string(
                            "\(change.method) /\(change.path.joined(separator: "/")) \(fields)")),
                ]
            }
            told.append(.object(entry))
        }
        return told
    }
}
