/// A name for the directory of a guest: the number, and the letters of its name that every file system
/// and shell takes as they are.
enum GuestFolder {
    static func name(_ id: Int64, _ name: String) -> String {
        var slug = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(40) {
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            slug.append(isPlain ? scalar : "-")
        }
        return slug.isEmpty ? "\(id)" : "\(id)-\(String(slug))"
    }
}
