import Basics
import Glibc

/// Which clusters of several devices have been seen: a bit each, in memory that the kernel gives only
/// where bits are set, so that the sizes a header claims cost nothing.
@safe struct ClusterSet: ~Copyable {
    /// Clusters of each device, and how many of them have been seen.
    private let counts: [Int64]
    private(set) var seen: [Int64]
    /// The first bit of each device, a multiple of 64.
    private let bases: [Int64]
    private let words: UnsafeMutablePointer<UInt64>

    init(counts: [Int64]) throws(Failure) {
        var bases: [Int64] = []
        var end: Int64 = 0
        for count in counts {
            bases.append(end)
            end += (count + 63) / 64 * 64
        }
        guard let memory = unsafe calloc(max(1, Int(end / 64)), 8) else {
            throw Failure(.failed, "there is no memory for a map of \(end) clusters")
        }
        self.counts = counts
        self.bases = bases
        seen = [Int64](repeating: 0, count: counts.count)
        unsafe words = memory.bindMemory(to: UInt64.self, capacity: max(1, Int(end / 64)))
    }

    deinit { unsafe free(words) }

    /// False when the cluster had been seen before; it must be within the count of its device.
    mutating func insert(_ cluster: Int64, of device: Int) -> Bool {
        precondition(cluster >= 0 && cluster < counts[device])
        let word = Int((bases[device] + cluster) / 64)
        let bit: UInt64 = 1 << UInt64(cluster % 64)
        guard unsafe words[word] & bit == 0 else { return false }
        unsafe words[word] |= bit
        seen[device] += 1
        return true
    }

    /// The first cluster of a device that has not been seen, nil when all have.
    func firstMissing(of device: Int) -> Int64? {
        if seen[device] == counts[device] { return nil }
        var cluster: Int64 = 0
        while cluster < counts[device] {
            let word = unsafe words[Int((bases[device] + cluster) / 64)]
            if word != .max { return cluster + Int64((~word).trailingZeroBitCount) }
            cluster += 64
        }
        return nil
    }
}
