import Glibc

/// A way through the bytes at the beginning of a line; past their end it reads NUL.
///
/// Only good while the memory it was made from is.
@safe struct TextCursor {
    private let base: UnsafePointer<UInt8>
    let count: Int
    var position = 0

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        unsafe base = start.assumingMemoryBound(to: UInt8.self)
        count = bytes.count
    }

    @inline(__always)
    subscript(index: Int) -> UInt8 { index < count ? unsafe base[index] : 0 }

    @inline(__always)
    var byte: UInt8 { self[position] }

    @inline(__always)
    func peek(_ distance: Int) -> UInt8 { self[position + distance] }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard self.byte == byte else { return false }
        position += 1
        return true
    }

    /// Exactly that many decimal digits.
    @inline(__always)
    mutating func digits(_ length: Int) -> Int64? {
        var value: Int64 = 0
        for index in position..<position + length {
            let digit = self[index] &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        position += length
        return value
    }

    /// One or two digits, or a space in place of the first.
    @inline(__always)
    mutating func paddedNumber() -> Int64? {
        if byte == 0x20 { position += 1 }
        if peek(1) &- 0x30 < 10 { return digits(2) }
        return digits(1)
    }

    /// The fraction of a second behind "." or ","; 0 and nothing read where there is none.
    @inline(__always)
    mutating func fraction() -> Int32 {
        guard byte == 0x2e || byte == 0x2c, peek(1) &- 0x30 < 10 else { return 0 }
        position += 1
        var value: Int32 = 0
        var scale: Int32 = 100_000_000
        while byte &- 0x30 < 10 {
            value += Int32(byte &- 0x30) * scale
            scale /= 10
            position += 1
        }
        return value
    }

    /// The place of a byte at or behind the position, within so many bytes.
    @inline(__always)
    func find(_ byte: UInt8, within length: Int) -> Int? {
        let size = min(count - position, length)
        guard size > 0 else { return nil }
        guard let found = unsafe memchr(base + position, Int32(byte), size) else { return nil }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// The place behind a text at or behind the position.
    func find(_ text: StaticString, within length: Int) -> Int? {
        let size = min(count - position, length)
        guard size >= text.utf8CodeUnitCount else { return nil }
        guard
            let found = unsafe memmem(
                base + position, size, text.utf8Start, text.utf8CodeUnitCount)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base) + text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func take(_ text: StaticString) -> Bool {
        let size = text.utf8CodeUnitCount
        guard position + size <= count,
            unsafe memcmp(base + position, text.utf8Start, size) == 0
        else { return false }
        position += size
        return true
    }
}
