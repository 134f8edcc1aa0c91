/// The word a writer probably meant.
enum Nearest {
    /// The known word nearest to `word`, or nil where none is near enough to be worth a guess.
    static func to(_ word: String, among known: [String]) -> String? {
        let letters = Array(word.lowercased())
        let limit = max(1, min(letters.count / 3 + 1, 4))
        let candidates = known.map {
            (word: $0, distance: distance(letters, Array($0.lowercased())))
        }
        if let best = candidates.min(by: { $0.distance < $1.distance }), best.distance <= limit,
            best.distance < max(letters.count, 1)
        {
            return best.word
        }
        guard letters.count >= 3 else { return nil }
        return known.first { $0.hasPrefix(word.lowercased()) || word.lowercased().hasPrefix($0) }
    }

    /// `, did you mean "path"?`, or the list of what is known.
    static func advice(for word: String, among known: [String]) -> String {
        if let nearest = to(word, among: known) { return ", did you mean \"\(nearest)\"?" }
        return known.isEmpty ? "" : "; known: " + known.joined(separator: ", ")
    }

    /// Insertions, deletions, replacements and swaps of neighbours: the optimal string alignment
    /// distance, a restricted form of Damerau and Levenshtein's.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var cost = min(
                    previous[column + 1] + 1, current[column] + 1,
                    previous[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, older[column - 1] + 1)
                }
                current.append(cost)
            }
            older = previous
            previous = current
        }
        return previous[right.count]
    }
}
