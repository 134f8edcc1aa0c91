extension RandomAccessCollection {
    /// The index of the first element of which `isBehind` is true, or `endIndex`: by halves, so it has
    /// to be false up to there and true from there on.
    public func partitioningIndex(where isBehind: (Element) -> Bool) -> Index {
        var low = startIndex
        var count = self.count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if isBehind(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
