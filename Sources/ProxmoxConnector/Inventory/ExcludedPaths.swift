import Basics
import Glibc

/// What a node leaves out of every backup of a container: `exclude-path` of its vzdump.conf, which no call
/// overrides. Patterns are those of tar.
struct ExcludedPaths: Sendable, Equatable {
    let patterns: [String]

    init(_ patterns: [String] = []) { self.patterns = patterns }

    var isEmpty: Bool { patterns.isEmpty }

    /// As a message names them.
    var text: String { patterns.map { "\"\($0)\"" }.joined(separator: ", ") }

    /// Whether an object, or a directory above it, is left out.
    ///
    /// A pattern that begins with a slash is held against the whole path, any other one against all that
    /// follows a slash, too.
    ///
    /// - Parameter path: as `TarMember` has it.
    func matches(_ path: [UInt8]) -> Bool {
        if isEmpty { return false }
        let parts = path.split(separator: 0x2f)
        for end in parts.indices {
            for pattern in patterns {
                if pattern.hasPrefix("/") {
                    let whole: [UInt8] = [0x2f] + Array(parts[...end].joined(separator: [0x2f]))
                    if Self.fits(pattern, whole) { return true }
                    continue
                }
                for start in 0...end
                where Self.fits(pattern, Array(parts[start...end].joined(separator: [0x2f]))) {
                    return true
                }
            }
        }
        return false
    }

    /// Wildcards match slashes, as in tar's patterns for leaving out.
    private static func fits(_ pattern: String, _ path: [UInt8]) -> Bool {
        var name = path.map { CChar(bitPattern: $0) }
        name.append(0)
        return unsafe fnmatch(pattern, name, 0) == 0
    }
}

extension ClusterReader {
    /// Nil where the server does not tell.
    ///
    /// - Parameter storage: the right on which lets the call be made at all.
    func excludedPaths(on node: String, storage: String?) throws(Failure) -> ExcludedPaths? {
        var query = APIFields()
        query.add("storage", optional: storage)
        do throws(Failure) {
            let defaults = try client.get(["nodes", node, "vzdump", "defaults"], query)
            return ExcludedPaths(answer: defaults["exclude-path"] ?? .null)
        } catch {
            if error.code == .cancelled || error.code == .serverUnreachable { throw error }
            return nil
        }
    }
}

extension ExcludedPaths {
    /// Reads what the API shows: a list from 8 on, and before a text, with NULs or commas between the paths.
    ///
    /// Source: `PVE::API2::VZDump`, `defaults`, of several releases.
    init(answer: JSON) {
        if let list = answer.array {
            patterns = list.compactMap(\.string)
            return
        }
        let text = answer.string ?? ""
        let separator: Character = text.utf8.contains(0) ? "\0" : ","
        patterns = text.split(separator: separator).map(String.init)
    }
}
