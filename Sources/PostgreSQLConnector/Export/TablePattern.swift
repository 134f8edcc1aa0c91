import Basics

/// A pattern for schemas or tables as psql has them: `*` and `?` are wild, a part in double quotes is
/// exact, letters outside quotes are lower case. A table pattern without a schema fits any.
struct TablePattern: Sendable {
    private enum Piece: Sendable, Equatable {
        case any, one
        case exact(Unicode.Scalar)
    }

    private let parts: [[Piece]]
    let text: String

    /// Nil where quotes do not close, a part is empty, or there are more parts than `most`.
    init?(_ text: String, most: Int) {
        var parts: [[Piece]] = [[]]
        var quoted = false
        var scalars = Array(text.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if scalar == "\"" {
                if quoted, scalars.first == "\"" {
                    scalars.removeFirst()
                    parts[parts.count - 1].append(.exact("\""))
                } else {
                    quoted.toggle()
                }
            } else if quoted {
                parts[parts.count - 1].append(.exact(scalar))
            } else if scalar == "." {
                parts.append([])
            } else if scalar == "*" {
                parts[parts.count - 1].append(.any)
            } else if scalar == "?" {
                parts[parts.count - 1].append(.one)
            } else {
                let lower = scalar.isASCII ? scalar.properties.lowercaseMapping : String(scalar)
                parts[parts.count - 1] += lower.unicodeScalars.map { .exact($0) }
            }
        }
        guard !quoted, parts.count <= most, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.parts = parts
        self.text = text
    }

    func matches(schema: String) -> Bool { Self.fits(parts[0], schema) }

    func matches(schema: String, table: String) -> Bool {
        guard parts.count == 2 else { return Self.fits(parts[0], table) }
        return Self.fits(parts[0], schema) && Self.fits(parts[1], table)
    }

    private static func fits(_ pattern: [Piece], _ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var (place, at) = (0, 0)
        var retry: (place: Int, at: Int)?
        while at < name.count {
            if place < pattern.count, pattern[place] == .one || pattern[place] == .exact(name[at]) {
                place += 1
                at += 1
            } else if place < pattern.count, pattern[place] == .any {
                retry = (place + 1, at)
                place += 1
            } else if let (from, start) = retry {
                place = from
                at = start + 1
                retry = (from, at)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == .any }
    }
}
