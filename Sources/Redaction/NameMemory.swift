/// What the names of one file say, remembered: a file has few names, and each of them many times.
///
/// Each name has one place, which the last one there keeps. One lane's alone, as the scan of a file is.
final class NameMemory {
    struct Meaning {
        let sensitivity: Sensitivity
        /// How many words the name has.
        let words: Int
    }

    private struct Known {
        let name: [UInt8]
        let meaning: Meaning
    }

    private static let places = 512
    /// Longer ones are seldom seen twice.
    private static let longest = 64
    private var known: [Known?] = []

    func meaning(of name: ArraySlice<UInt8>) -> Meaning {
        guard name.count <= Self.longest else { return Self.read(name) }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let place = Int(truncatingIfNeeded: (hash ^ hash >> 32) % UInt64(Self.places))
        if known.isEmpty { known = Array(repeating: nil, count: Self.places) }
        if let there = known[place], there.name[...] == name { return there.meaning }
        let meaning = Self.read(name)
        known[place] = Known(name: Array(name), meaning: meaning)
        return meaning
    }

    private static func read(_ name: ArraySlice<UInt8>) -> Meaning {
        let key = KeyName(name)
        return Meaning(sensitivity: key.sensitivity, words: key.words.count)
    }
}
