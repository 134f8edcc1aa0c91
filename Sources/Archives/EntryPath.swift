import Basics

/// The rule for paths inside an archive: relative, components joined by single slashes, none of
/// them "." or "..", no NUL, no name longer than Linux allows. The empty path is the root itself.
enum EntryPath {
    /// NAME_MAX of Linux, in bytes.
    static let longestName = 255

    /// Throws `.treePathUnsafe` for anything that could lead elsewhere.
    static func check(_ path: [UInt8]) throws(Failure) {
        var start = 0
        var index = 0
        if path.isEmpty { return }
        while index <= path.count {
            if index == path.count || path[index] == 0x2f {
                try check(name: path[start..<index], of: path)
                start = index + 1
            } else if path[index] == 0 {
                throw refusal(path, "it contains a NUL")
            }
            index += 1
        }
    }

    private static func check(name: ArraySlice<UInt8>, of path: [UInt8]) throws(Failure) {
        switch name.count {
        case 0: throw refusal(path, "it has an empty component")
        case 1 where name.first == 0x2e: throw refusal(path, "it has a component \".\"")
        case 2 where name.first == 0x2e && name.last == 0x2e:
            throw refusal(path, "it has a component \"..\"")
        case ...longestName: return
        default: throw refusal(path, "a name in it is longer than \(longestName) bytes")
        }
    }

    private static func refusal(_ path: [UInt8], _ why: String) -> Failure {
        Failure(
            .treePathUnsafe, "the path \(quoted(path)) is refused: \(why)",
            hint: "The archive is damaged or forged; get a fresh copy from its maker.")
    }

    /// The path for messages: cut when long, odd bytes replaced, control characters escaped.
    static func quoted(_ path: [UInt8]) -> String {
        var text = "\""
        for scalar in String(decoding: path.prefix(400), as: UTF8.self).unicodeScalars {
            text +=
                scalar.value < 0x20 || scalar.value == 0x7f
                ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return text + (path.count > 400 ? "…\"" : "\"")
    }

    /// The byte order of paths, by which archives are sorted: that of memcmp(3).
    static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.lexicographicallyPrecedes(right)
    }

    /// The path of the directory that holds `path`; empty for a name at the top.
    static func parent(of path: [UInt8]) -> ArraySlice<UInt8> {
        path.lastIndex(of: 0x2f).map { path[..<$0] } ?? []
    }
}
