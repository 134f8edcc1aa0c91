import Basics

/// The names of the TZ database by their hashes: a line's time is read without allocating, and its zone looked up once.
enum ZoneNames {
    /// FNV-1a.
    static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(__always)
    static func next(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    static func hash(_ name: some StringProtocol) -> UInt64 {
        name.utf8.reduce(start) { next($0, $1) }
    }

    /// Zones and links of the source that the database brings; empty where it brings none.
    static let known: [UInt64: String] = {
        guard let text = try? Files.readText("/usr/share/zoneinfo/tzdata.zi") else { return [:] }
        var names: [UInt64: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            // Z NAME …, L TARGET NAME
            let name =
                words.first == "Z" ? words.dropFirst().first : words.first == "L" ? words.last : nil
            if let name, name.contains("/") { names[hash(name)] = String(name) }
        }
        return names
    }()
}
