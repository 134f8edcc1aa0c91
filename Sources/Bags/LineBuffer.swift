import Basics
import Glibc

/// Puts the lines of a stream together, one at a time, in a buffer that is reused.
struct LineBuffer: Sendable {
    /// The line that is complete after `next` gave true, without its line feed.
    private(set) var line: [UInt8] = []
    private var isComplete = false
    private let longest: Int

    init(longest: Int) {
        self.longest = longest
        line.reserveCapacity(256)
    }

    /// Goes on at `position`, which moves to where the next call goes on; false when the bytes are
    /// used up before the line is complete. Throws `.invalidValue` for a line that is too long.
    mutating func next(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(Failure) -> Bool {
        if isComplete {
            line.removeAll(keepingCapacity: true)
            isComplete = false
        }
        guard position < bytes.count, let base = bytes.baseAddress else { return false }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[position...])
        let found = unsafe memchr(base + position, 0x0a, rest.count)
        let count = unsafe found.map { unsafe UnsafeRawPointer($0) - (base + position) }
        let taken = count ?? rest.count
        guard line.count + taken <= longest else {
            throw Failure(.invalidValue, "a line is longer than \(longest) bytes")
        }
        unsafe line.append(contentsOf: rest[..<taken])
        position += taken + (count == nil ? 0 : 1)
        isComplete = count != nil
        return isComplete
    }

    /// Whether the stream ended after a line feed.
    var isAtStart: Bool { isComplete || line.isEmpty }
}
