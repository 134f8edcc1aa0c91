import Basics
import Connectors
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
        /// What several calls make together, such as a set and its members.
        var compound: String?
        /// Of a virtual network.
        var zone: String?

        /// What it is a part of, or itself.
        var key: String { ClusterChanges.key(part, object) }

        subscript(name: String) -> String? { fields.first { $0.0 == name }?.1 }
    }

    /// Names of different parts may be the same.
    private static func key(_ part: ClusterPart, _ object: String) -> String {
        "\(part.rawValue) \(object)"
    }

    /// What is there already, and otherwise than in the archive.
    struct Conflict: Sendable {
        let part: ClusterPart
        let object: String

        init(_ part: ClusterPart, _ object: String) {
            self.part = part
            self.object = object
        }
    }

    /// What was done, for the receipt.
    struct Outcome: Sendable {
        var shortfalls: [JSON] = []
        var remarks: [JSON] = []
        /// What was made and is not there as it was sent.
        var differences: [JSON] = []
        /// Objects that were made, and read again.
        var made: Set<String> = []
        /// Calls that would be made.
        var wanted = 0
    }

    private let difference: ClusterDifference
    private let archived: [String: JSON]
    private let parts: [ClusterPart]
    private let settings: ProxmoxTarget
    private let reader: ClusterReader
    private let room: Room

    private static func notePath(_ room: Room) -> String { room.directory + "/cluster-begun" }

    init(
        _ documents: [UInt8], _ settings: ProxmoxTarget, _ reader: ClusterReader, _ room: Room
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
        self.archived = archived
        self.settings = settings
        self.reader = reader
        self.room = room
        parts = ClusterPart.allCases.filter { settings.cluster.contains($0) }
        difference = try Self.compared(
            archived, parts, settings, reader, begun: Self.begun(room))
    }

    private static func compared(
        _ archived: [String: JSON], _ parts: [ClusterPart], _ settings: ProxmoxTarget,
        _ reader: ClusterReader, begun: Set<String>
    ) throws(Failure) -> ClusterDifference {
        var maker = ClusterDifference(archived, reader, settings.mapping, begun: begun)
        for part in parts { try maker.compare(part) }
        return maker
    }

    private static func begun(_ room: Room) throws(Failure) -> Set<String> {
        guard Files.exists(notePath(room)) else { return [] }
        let list = try JSON(parsing: Files.read(notePath(room))).array ?? []
        return Set(list.compactMap(\.string))
    }

    var changes: [Change] { difference.changes }

    // MARK: - Making it

    /// Makes what is missing, or only tells it.
    func run(applies: Bool) throws(Failure) -> Outcome {
        var outcome = Outcome()
        outcome.shortfalls = difference.conflicts.map {
            [
                "part": .string($0.part.rawValue), "object": .string($0.object), "done": false,
                "what": "is there already, and otherwise than in the archive: left as it is",
            ]
        }
        outcome.shortfalls += difference.unknown.map {
            [
                "part": .string($0.part.rawValue), "object": .string($0.object), "done": false,
                "what": "not in the archive: its export could not see it",
            ]
        }
        var failed: Set<String> = []
        var begun = try Self.begun(room)
        for change in changes {
            try room.progress.checkCancelled()
            guard applies else {
                outcome.remarks.append(Self.told(change))
                outcome.wanted += 1
                continue
            }
            if let compound = change.compound, begun.insert(compound).inserted {
                let list = JSON.array(begun.sorted().map { .string($0) })
                try Files.write(list.canonical, to: Self.notePath(room), mode: 0o600)
            }
            // Rules have an order: one that is missing would change what those above it mean.
            if change.compound != nil, failed.contains(change.key) {
                outcome.shortfalls.append(
                    Self.entry(change, "not made, since something else of it could not be made"))
                continue
            }
            do throws(Failure) {
                try make(change)
                outcome.made.insert(change.key)
                outcome.remarks.append(
                    Self.entry(change, "made", isDone: true))
            } catch {
                if [.cancelled, .serverUnreachable, .serverUntrusted].contains(error.code) {
                    throw error
                }
                failed.insert(change.key)
                outcome.shortfalls.append(Self.entry(change, error.cause?.what ?? error.what))
            }
        }
        tellLeft(applies, &outcome)
        if applies { try readAgain(except: failed, &outcome) }
        return outcome
    }

    private func make(_ change: Change) throws(Failure) {
        var fields = APIFields()
        for (name, value) in change.fields { fields.add(name, value) }
        _ =
            change.method == "PUT"
            ? try reader.client.put(change.path, fields)
            : try reader.client.post(change.path, fields)
    }

    private static func told(_ change: Change) -> JSON {
        let fields = change.fields.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
        return [
            "part": .string(change.part.rawValue), "object": .string(change.object),
            "what": "would be made",
            "call": .string("\(change.method) /\(change.path.joined(separator: "/")) \(fields)"),
        ]
    }

    private static func entry(_ change: Change, _ what: String, isDone: Bool = false) -> JSON {
        [
            "part": .string(change.part.rawValue), "object": .string(change.object),
            "done": .bool(isDone), "what": .string(what),
        ]
    }

    private func tellLeft(_ applies: Bool, _ outcome: inout Outcome) {
        for left in difference.left {
            let entry: JSON = [
                "part": .string(left.part.rawValue), "object": .string(left.object),
                "what": .string(left.what), "command": left.command.map { .string($0) } ?? .null,
            ]
            if applies, !left.isCovered {
                outcome.shortfalls.append(entry)
            } else {
                outcome.remarks.append(entry)
            }
        }
    }

    /// What was made must be there now, and as the archive has it.
    private func readAgain(except failed: Set<String>, _ outcome: inout Outcome) throws(Failure) {
        outcome.made.subtract(failed)
        if outcome.made.isEmpty { return }
        let now = try Self.compared(archived, parts, settings, reader, begun: [])
        let wrong =
            now.changes.map { ($0.part, $0.object) } + now.conflicts.map { ($0.part, $0.object) }
        var seen: Set<String> = []
        for (part, object) in wrong where outcome.made.contains(Self.key(part, object)) {
            guard seen.insert(Self.key(part, object)).inserted else { continue }
            outcome.differences.append([
                "object": .string(object), "part": .string(part.rawValue),
                "what": "it was made, and is not as the archive has it",
            ])
        }
    }
}
