import Basics
import Glibc

/// The name of this machine's time zone, where it can be told.
enum LocalZone {
    static var name: String? {
        if let variable = unsafe getenv("TZ").map({ unsafe String(cString: $0) }), !variable.isEmpty
        {
            return variable.hasPrefix(":") ? String(variable.dropFirst()) : variable
        }
        let path = Files.absolute("/etc/localtime")
        if let range = path.utf8.firstRange(of: "/zoneinfo/".utf8) {
            return String(path[range.upperBound...])
        }
        guard let text = try? Files.readText("/etc/timezone") else { return nil }
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}

extension String.UTF8View {
    /// The first place of a text in another, in bytes.
    fileprivate func firstRange(of other: String.UTF8View) -> Range<String.Index>? {
        let wanted = Array(other)
        var start = startIndex
        while start < endIndex {
            if self[start...].starts(with: wanted) {
                return start..<index(start, offsetBy: wanted.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
