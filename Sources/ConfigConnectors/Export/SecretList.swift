import Basics
import Redaction

/// Where the secrets of a source were: the document that tells what to enter again, and the omissions.
struct SecretList: Sendable {
    let mode: RedactionMode
    /// Of the tree, in its order, then of the facts.
    private(set) var places: [SecretPlace] = []
    /// Places of the tree, and those of facts from files that the tree does not have.
    private(set) var own: [SecretPlace] = []
    private(set) var outside: [SecretPlace] = []
    private let paths: [String]

    init(mode: RedactionMode, paths: [String]) {
        self.mode = mode
        self.paths = paths
    }

    mutating func add(_ place: SecretPlace) {
        places.append(place)
        if place.family == nil {
            own.append(place)
        } else if !isInTree("/" + String(decoding: place.path, as: UTF8.self)) {
            outside.append(place)
        }
    }

    private func isInTree(_ path: String) -> Bool {
        paths.contains { $0 == "/" || path == $0 || path.hasPrefix($0 + "/") }
    }

    /// Secrets that the archive does not have; of a sealed source those that stand in facts alone.
    var lacking: [SecretPlace] { mode == .sealed ? outside : own + outside }

    var counts: [JSON.Member] {
        var counts: [String: Int64] = [:]
        for place in places { counts[place.secretClass, default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) }
    }

    var document: [UInt8] {
        let json: JSON = [
            "secrets": .string(mode.rawValue), "version": 1, "counts": .object(counts),
            "places": .array(places.map(\.json)),
        ]
        return Array(json.pretty.utf8) + [0x0a]
    }
}
