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
