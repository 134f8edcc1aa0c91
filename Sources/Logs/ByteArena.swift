import Glibc

/// Memory that grows as bytes are put behind each other, and is used again after `removeAll`.
@safe final class ByteArena {
    private(set) var count = 0
    private var capacity: Int
    private var memory: UnsafeMutableRawPointer

    init(capacity: Int = 1 << 16) {
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe memory.deallocate() }

    func removeAll() { count = 0 }

    func remove(from start: Int) { count = min(start, count) }

    /// Gives back what one large entry has taken.
    func shrink(to limit: Int) {
        guard capacity > limit, count <= limit else { return }
        let smaller = UnsafeMutableRawPointer.allocate(byteCount: limit, alignment: 64)
        unsafe smaller.copyMemory(from: memory, byteCount: count)
        unsafe memory.deallocate()
        unsafe memory = smaller
        capacity = limit
    }

    @inline(__always)
    func reserve(_ more: Int) {
        if capacity - count < more { grow(count + more) }
    }

    private func grow(_ wanted: Int) {
        let larger = max(wanted, capacity * 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
        unsafe fresh.copyMemory(from: memory, byteCount: count)
        unsafe memory.deallocate()
        unsafe memory = fresh
        capacity = larger
    }

    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0, let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        unsafe memcpy(memory + count, source, bytes.count)
        count += bytes.count
    }

    @inline(__always)
    func append(_ byte: UInt8) {
        reserve(1)
        unsafe memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func append(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe append($0) } }

    /// Lets `body` write at most that many bytes; takes as many as it says, none for nil.
    func append(upTo most: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int?) -> Bool {
        reserve(most)
        let free = unsafe UnsafeMutableRawBufferPointer(start: memory + count, count: most)
        guard let written = unsafe body(free), written <= most else { return false }
        count += written
        return true
    }

    func append(littleEndian number: UInt64) {
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe append($0) }
    }

    func append(bigEndian number: UInt64) {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe append($0) }
    }

    func append(decimal number: UInt64) {
        reserve(20)
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = number
        var place = count + digits
        repeat {
            place -= 1
            unsafe memory.storeBytes(
                of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place,
                as: UInt8.self)
            rest /= 10
        } while place > count
        count += digits
    }

    /// Lower case, without leading zeros unless there is a width.
    func append(hex number: UInt64, width: Int = 0) {
        let digits = max(width, max(1, (67 - number.leadingZeroBitCount) / 4))
        reserve(digits)
        for place in 0..<digits {
            let shift = UInt64(4 * (digits - 1 - place))
            let nibble = shift < 64 ? UInt8(truncatingIfNeeded: number >> shift) & 15 : 0
            unsafe memory.storeBytes(
                of: nibble < 10 ? 0x30 + nibble : 0x57 + nibble, toByteOffset: count + place,
                as: UInt8.self)
        }
        count += digits
    }

    func append(_ id: JournalID) {
        append(hex: id.high, width: 16)
        append(hex: id.low, width: 16)
    }

    /// The bytes of a range; valid until more is appended.
    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe UnsafeRawBufferPointer(
            start: memory + range.lowerBound, count: range.count)
    }

    var all: UnsafeRawBufferPointer { unsafe bytes(0..<count) }
}
