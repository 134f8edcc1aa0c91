import Basics
import Glibc

/// The rule for paths inside an archive: relative, components joined by single slashes, none of
/// them "." or "..", no NUL, no name longer than Linux allows. The empty path is the root itself.
enum EntryPath {
    /// NAME_MAX of Linux, in bytes.
    static let longestName = 255

    /// Throws `.treePathUnsafe` for anything that could lead elsewhere.
    static func check(_ path: [UInt8]) throws(Failure) {
        if path.isEmpty { return }
        var start = 0
        while start <= path.count {
            let end = try end(ofNameAt: start, in: path)
            try check(name: path[start..<end], of: path)
            start = end + 1
        }
    }

    /// Where the next slash stands, or the path ends.
    private static func end(ofNameAt start: Int, in path: [UInt8]) throws(Failure) -> Int {
        let end = unsafe path.withUnsafeBufferPointer { path in
            var end = start
            while end < path.count, unsafe path[end] != 0x2f, unsafe path[end] != 0 { end += 1 }
            return end
        }
        guard end == path.count || path[end] == 0x2f else {
            throw refusal(path, "it contains a NUL")
        }
        return end
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
        let order = unsafe left.withUnsafeBufferPointer { left in
            unsafe right.withUnsafeBufferPointer { right -> Int32 in
                guard let first = left.baseAddress, let second = right.baseAddress else { return 0 }
                return unsafe memcmp(first, second, min(left.count, right.count))
            }
        }
        return order == 0 ? left.count < right.count : order < 0
    }

    /// The path of the directory that holds `path`; empty for a name at the top.
    static func parent(of path: [UInt8]) -> ArraySlice<UInt8> {
        path.lastIndex(of: 0x2f).map { path[..<$0] } ?? []
    }
}
