/// Line and column of a byte, found while going forward.
struct Place {
    private(set) var line = 1
    private var lineStart = 0
    private var position = 0

    var column: Int { position - lineStart + 1 }

    mutating func advance(to target: Int, in bytes: [UInt8]) {
        while let hit = bytes.position(of: 0x0a, from: position, before: target) {
            line += 1
            lineStart = hit + 1
            position = hit + 1
        }
        position = target
    }
}

/// Lines that went with values of several lines: what is found in a second round is told by the line of the source.
struct LineShifts {
    private var shifts: [(line: Int, count: Int)] = []
    private var total = 0

    /// A value that began on a line of the text before, and had that many line breaks.
    mutating func note(_ count: Int, at line: Int) {
        guard count > 0 else { return }
        shifts.append((line - total, total + count))
        total += count
    }

    /// The line of the text before, for one of the text after.
    func before(_ line: Int) -> Int {
        line + (shifts.last { $0.line < line }?.count ?? 0)
    }
}
