/// Bytes of a journal file that lie in memory, valid until the file is asked for others.
///
/// Every access is checked against the count: what a file says about itself is not to be trusted.
@safe public struct JournalBytes {
    let base: UnsafeRawPointer
    public let count: Int

    init(_ base: UnsafeRawPointer, _ count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// A number in little-endian order, as all of them are in a journal file.
    @inline(__always)
    public func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count)
        return unsafe Number(
            littleEndian: base.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    @inline(__always)
    public func id(_ offset: Int) -> JournalID {
        JournalID(
            high: number(offset, UInt64.self).byteSwapped,
            low: number(offset + 8, UInt64.self).byteSwapped)
    }

    public func from(_ offset: Int) -> JournalBytes {
        precondition(offset >= 0 && offset <= count)
        return unsafe JournalBytes(base + offset, count - offset)
    }

    /// For calls that take memory.
    public var buffer: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base, count: count)
    }
}
