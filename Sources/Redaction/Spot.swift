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

    mutating func add(contentsOf other: Spots) { all += other.all }

    /// Spots in the order of the text, none touching another, and none that is a placeholder already.
    func settled() -> [Spot] {
        let sorted = all.sorted {
            $0.range.lowerBound != $1.range.lowerBound
                ? $0.range.lowerBound < $1.range.lowerBound
                : $0.range.upperBound > $1.range.upperBound
        }
        var settled: [Spot] = []
        for spot in sorted {
            if let last = settled.last, spot.range.lowerBound < last.range.upperBound {
                let end = max(last.range.upperBound, spot.range.upperBound)
                settled[settled.count - 1].range = last.range.lowerBound..<end
                if settled[settled.count - 1].key == nil { settled[settled.count - 1].key = spot.key }
            } else {
                settled.append(spot)
            }
        }
        return settled.filter { !Placeholder.isPlaceholder(bytes[$0.range]) }
    }
}
