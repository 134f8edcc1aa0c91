import Basics
import Glibc

/// The files that a pattern stands for: `*`, `?` and `[…]` within a component, as fnmatch(3) takes them,
/// and `**` for directories of any depth. Names are bytes; hidden ones need a dot in the pattern.
struct TextGlob: Sendable {
    private let components: [String]

    init(_ pattern: String) {
        components = Files.absoluteByName(pattern).split(separator: "/").map(String.init)
    }

    /// Calls `visit` for each path, and `denied` for directories that cannot be listed.
    func expand(
        denied: ([UInt8], String) -> Void, _ visit: ([UInt8]) -> Void
    ) {
        descend([], components[...], denied, visit)
    }

    private func descend(
        _ path: [UInt8], _ rest: ArraySlice<String>, _ denied: ([UInt8], String) -> Void,
        _ visit: ([UInt8]) -> Void
    ) {
        guard let component = rest.first else { return visit(path) }
        let next = rest.dropFirst()
        if component == "**" {
            descend(path, next, denied, visit)
            for name in names(in: path, denied) where name.first != 0x2e {
                let child = path + [0x2f] + name
                if Self.kind(child, follows: false) == S_IFDIR {
                    descend(child, rest, denied, visit)
                }
            }
            return
        }
        guard component.utf8.contains(where: { [0x2a, 0x3f, 0x5b].contains($0) }) else {
            let child = path + [0x2f] + Self.plain(component)
            if Self.kind(child, follows: false) != nil { descend(child, next, denied, visit) }
            return
        }
        for name in names(in: path, denied) where Self.matches(component, name) {
            let child = path + [0x2f] + name
            if next.isEmpty || Self.kind(child, follows: true) == S_IFDIR {
                descend(child, next, denied, visit)
            }
        }
    }

    private static func plain(_ component: String) -> [UInt8] { Array(component.utf8) }

    private static func matches(_ pattern: String, _ name: [UInt8]) -> Bool {
        let text = name.map { CChar(bitPattern: $0) } + [0]
        return unsafe fnmatch(pattern, text, FNM_PERIOD) == 0
    }

    static func kind(_ path: [UInt8], follows: Bool) -> mode_t? {
        var status = stat()
        let text = path.map { CChar(bitPattern: $0) } + [0]
        let result = unsafe follows ? stat(text, &status) : lstat(text, &status)
        return result == 0 ? status.st_mode & S_IFMT : nil
    }

    private func names(in path: [UInt8], _ denied: ([UInt8], String) -> Void) -> [[UInt8]] {
        do throws(Failure) {
            return try Files.byteNames(in: path)
        } catch {
            if error.code != .notFound { denied(path, error.what) }
            return []
        }
    }
}

extension Files {
    /// From the root, `.` and `..` taken away by name alone.
    static func absoluteByName(_ path: String) -> String {
        var components: [Substring] = []
        let whole = path.hasPrefix("/") ? path : absolute(".") + "/" + path
        for component in whole.split(separator: "/") where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        return "/" + components.joined(separator: "/")
    }
}
