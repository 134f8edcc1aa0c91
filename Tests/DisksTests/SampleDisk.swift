import Basics
import Disks
import Glibc
import Primitives
import Streams
import TestKit

/// A raw disk with holes, runs of data of all lengths, and zeros that are stored.
struct SampleDisk {
    let path: String
    let bytes: [UInt8]
    /// Runs of data, in no order.
    let runs: [Range<Int>]

    init(_ scratch: TemporaryDirectory, size: Int, seed: UInt64 = 1) throws {
        var generator = Deterministic(seed: seed)
        var bytes = [UInt8](repeating: 0, count: size)
        var runs: [Range<Int>] = []
        var position = 0
        while position < size {
            let length = min(size - position, 512 * Int(1 + generator.next() % 3000))
            if generator.next() % 2 == 0 {
                runs.append(position..<position + length)
                if generator.next() % 8 != 0 {
                    for index in stride(from: position, to: position + length, by: 8) {
                        var word = generator.next()
                        for place in index..<min(index + 8, position + length) {
                            bytes[place] = UInt8(truncatingIfNeeded: word)
                            word >>= 8
                        }
                    }
                }
            }
            position += length
        }
        runs.shuffle(using: &generator)
        path = scratch.path + "/sample-\(seed).raw"
        let disk = try SparseDisk(creating: path, size: Int64(size))
        for run in runs {
            try disk.write(bytes.span.bytes.extracting(run), at: Int64(run.lowerBound))
        }
        try disk.flush()
        self.bytes = bytes
        self.runs = runs
    }

    /// The digest by its definition: leaves of 1 MiB, one after the other.
    var digest: Digest256 {
        var tree = MerkleRange()
        for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
            tree.append(
                leaf: MerkleRange.leaf(Array(bytes[start..<min(start + 1 << 20, bytes.count)])))
        }
        return tree.root
    }
}
