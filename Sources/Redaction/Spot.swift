import Basics

/// A range of a text that must not stay, and why.
struct Spot {
    var range: Range<Int>
    let secretClass: SecretClass
    let detector: String
    /// The name it stands under, in the bytes of the file: not yet fit for a catalogue.
    var key: String?
    /// Whether the placeholder needs quotes that the value did not have (a number of JSON).
    var needsQuotes = false
}

/// What scanners have found in one text; in any order, overlaps allowed.
struct Spots {
    let bytes: [UInt8]
    private(set) var all: [Spot] = []
    /// Values whose names say that they are public: they may look random.
    private(set) var open: [Range<Int>] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func add(
        _ range: Range<Int>, _ secretClass: SecretClass, _ detector: String, key: String? = nil,
        needsQuotes: Bool = false
    ) {
        guard !range.isEmpty else { return }
        all.append(
            Spot(
                range: range, secretClass: secretClass, detector: detector, key: key,
                needsQuotes: needsQuotes))
    }

    mutating func add(contentsOf other: Spots) {
        all += other.all
        open += other.open
    }

    mutating func leave(_ range: Range<Int>) { open.append(range) }

    /// Takes a secret that was found in one place wherever it stands as a word of its own: in a comment beside, in a second
    /// section, in a command. Only what is long and odd enough not to be a word of the language.
    mutating func addRepeated() {
        var sought: [UInt64: [Spot]] = [:]
        var seen: Set<ArraySlice<UInt8>> = []
        for spot in all
        where spot.range.count >= 8 && spot.range.count <= 4096 && sought.count < 4096 {
            let value = bytes[spot.range]
            guard
                Randomness.tenths(of: value) >= 46
                    || value.contains(where: \.isDigit) && value.contains(where: \.isLetter),
                !Placeholder.isPlaceholder(value), seen.insert(value).inserted
            else { continue }
            sought[Spots.word(bytes, spot.range.lowerBound), default: []].append(spot)
        }
        guard !sought.isEmpty, bytes.count >= 8 else { return }
        var word = Spots.word(bytes, 0)
        for position in 0...(bytes.count - 8) {
            if position > 0 { word = word >> 8 | UInt64(bytes[position + 7]) << 56 }
            guard let candidates = sought[word] else { continue }
            for spot in candidates where spot.range.lowerBound != position {
                let end = position + spot.range.count
                guard end <= bytes.count, bytes[position..<end] == bytes[spot.range],
                    position == 0 || !bytes[position - 1].isAlphanumeric,
                    end == bytes.count || !bytes[end].isAlphanumeric
                else { continue }
                add(position..<end, spot.secretClass, "repeated", key: spot.key)
            }
        }
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(bytes[start + index]) << UInt64(8 * index) }
        return word
    }

    /// Spots in the order of the text, none touching another, and none that is a placeholder already.
    func settled() -> [Spot] {
        let sorted = clipped().sorted {
            $0.range.lowerBound != $1.range.lowerBound
                ? $0.range.lowerBound < $1.range.lowerBound
                : $0.range.upperBound > $1.range.upperBound
        }
        var settled: [Spot] = []
        for spot in sorted {
            if let last = settled.last, spot.range.lowerBound < last.range.upperBound {
                let end = max(last.range.upperBound, spot.range.upperBound)
                settled[settled.count - 1].range = last.range.lowerBound..<end
                if settled[settled.count - 1].key == nil {
                    settled[settled.count - 1].key = spot.key
                }
            } else {
                settled.append(spot)
            }
        }
        settled.removeAll { Placeholder.isPlaceholder(bytes[$0.range]) }
        for index in settled.indices
        where Placeholder.hasDigits(in: bytes, at: settled[index].range.upperBound) {
            let next = index + 1 < settled.count ? settled[index + 1].range.lowerBound : bytes.count
            let range = settled[index].range
            settled[index].range =
                range.lowerBound..<min(range.upperBound + 33, max(next, range.upperBound))
        }
        return settled
    }

    /// Spots without the parts of them that lie in a placeholder and reach out of it.
    private func clipped() -> [Spot] {
        let taken = Placeholder.ranges(in: bytes)
        guard !taken.isEmpty else { return all }
        return all.compactMap { spot in
            var low = taken.partitioningIndex { $0.upperBound > spot.range.lowerBound }
            var spot = spot
            while low < taken.count, taken[low].lowerBound < spot.range.upperBound {
                let other = taken[low]
                low += 1
                if other.lowerBound <= spot.range.lowerBound {
                    spot.range =
                        min(other.upperBound, spot.range.upperBound)..<spot.range.upperBound
                } else if other.upperBound >= spot.range.upperBound {
                    spot.range = spot.range.lowerBound..<other.lowerBound
                }
            }
            return bytes[spot.range].contains(where: { $0.isAlphanumeric }) ? spot : nil
        }
    }
}
