public import Basics
import Glibc

/// Finds the blocks of a buffer that hold something, so that files are written with holes.
public enum DataRuns {
    /// The grain in which zeros are looked for.
    private static let block = 4096

    /// Hands out the runs of blocks that are not zeros, in order, as ranges of the buffer.
    public static func each(
        in bytes: UnsafeRawBufferPointer, _ body: (Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        while true {
            start = unsafe skip(in: bytes, from: start, zeros: true)
            if start == bytes.count { return }
            let end = unsafe skip(in: bytes, from: start, zeros: false)
            try body(start..<end)
            start = end
        }
    }

    /// Where the run of blocks ends that are all zeros, or none of them.
    private static func skip(
        in bytes: UnsafeRawBufferPointer, from start: Int, zeros: Bool
    ) -> Int {
        var end = start
        while end < bytes.count {
            let isZero = unsafe isZero(bytes, end)
            if isZero != zeros { return end }
            end += block
        }
        return bytes.count
    }

    /// Whether the block that begins there is zeros: its first bytes are, and each equals the next.
    private static func isZero(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        let count = min(block, bytes.count - start)
        guard let base = bytes.baseAddress else { return true }
        let first = unsafe base + start
        guard count > 8 else {
            return unsafe UnsafeRawBufferPointer(start: first, count: count)
                .allSatisfy { $0 == 0 }
        }
        return unsafe first.loadUnaligned(as: UInt64.self) == 0
            && memcmp(first, first + 8, count - 8) == 0
    }
}
