import Basics
import Plans

/// Which guests a plan means: `all`, a number, `pool/NAME`, `tag/NAME`, `node/NAME` or
/// `name/PATTERN`, where `*` stands for any letters.
enum GuestSelector: Sendable, Equatable {
    case all
    case number(Int64)
    case pool(String)
    case tag(String)
    case node(String)
    case name(String)

    init?(_ text: String) {
        if text == "all" {
            self = .all
            return
        }
        if let number = Int64(text), (100...999_999_999).contains(number), String(number) == text {
            self = .number(number)
            return
        }
        guard let slash = text.firstIndex(of: "/") else { return nil }
        let value = String(text[text.index(after: slash)...])
        guard !value.isEmpty else { return nil }
        switch text[..<slash] {
        case "pool": self = .pool(value)
        case "tag": self = .tag(value)
        case "node": self = .node(value)
        case "name": self = .name(value)
        default: return nil
        }
    }

    static func list(
        _ key: String, in mapping: PlanMapping?, _ problems: PlanProblems
    ) -> [GuestSelector] {
        guard let node = mapping?[key] else { return [] }
        var selectors: [GuestSelector] = []
        for text in mapping?.strings(key) ?? [] {
            if let selector = GuestSelector(text) {
                selectors.append(selector)
            } else {
                problems.add(
                    .planInvalidValue,
                    "\"\(text)\" names no guest: write its number, all, pool/NAME, tag/NAME, "
                        + "node/NAME or name/PATTERN", at: node)
            }
        }
        return selectors
    }

    func matches(_ guest: GuestEntry) -> Bool {
        switch self {
        case .all: true
        case .number(let number): guest.id == number
        case .pool(let pool): guest.pool == pool
        case .tag(let tag): guest.tags.contains(tag)
        case .node(let node): guest.node == node
        case .name(let pattern): Self.matches(Array(pattern.utf8)[...], Array(guest.name.utf8)[...])
        }
    }

    /// For messages.
    var text: String {
        switch self {
        case .all: "all"
        case .number(let number): String(number)
        case .pool(let pool): "pool/" + pool
        case .tag(let tag): "tag/" + tag
        case .node(let node): "node/" + node
        case .name(let pattern): "name/" + pattern
        }
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var (pattern, name) = (pattern, name)
        /// Where to go on when what follows the last star does not fit.
        var star: (pattern: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while !name.isEmpty {
            if pattern.first == 0x2a {
                pattern = pattern.dropFirst()
                star = (pattern, name)
            } else if pattern.first == name.first {
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            } else if let last = star {
                star = (last.pattern, last.name.dropFirst())
                (pattern, name) = (last.pattern, last.name.dropFirst())
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == 0x2a }
    }
}

/// A guest as the cluster lists it.
struct GuestEntry: Sendable, Equatable {
    enum Kind: String, Sendable {
        case machine = "qemu"
        case container = "lxc"
    }

    var id: Int64
    var kind: Kind
    var name: String
    /// Empty for a backup whose cluster is not asked.
    var node: String
    var status: String
    var pool: String?
    var tags: [String]
    var isTemplate: Bool
    /// Bytes that a running container uses of its root; 0 where that is not known.
    var used: Int64 = 0

    /// For messages.
    var title: String {
        (kind == .machine ? "VM" : "container") + " \(id)" + (name.isEmpty ? "" : " \"\(name)\"")
    }
}
