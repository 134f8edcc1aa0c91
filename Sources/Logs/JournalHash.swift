/// The hashes by which a journal file finds its fields, and by which damage to one shows.
enum JournalHash {
    /// SipHash-2-4 (Aumasson and Bernstein) with the file's id as its key.
    static func keyed(_ bytes: UnsafeRawBufferPointer, _ key: JournalID) -> UInt64 {
        var state = SipHash(key)
        unsafe state.update(bytes)
        return state.finish()
    }

    /// lookup3 (Bob Jenkins, `hashlittle2`) with both seeds 0, its two halves put together.
    static func unkeyed(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var a = UInt32(0xdead_beef) &+ UInt32(truncatingIfNeeded: bytes.count)
        var b = a
        var c = a
        var start = 0
        while bytes.count - start > 12 {
            a &+= unsafe word(bytes, start)
            b &+= unsafe word(bytes, start + 4)
            c &+= unsafe word(bytes, start + 8)
            mix(&a, &b, &c)
            start += 12
        }
        if bytes.count > start {
            a &+= unsafe partial(bytes, start)
            b &+= unsafe partial(bytes, start + 4)
            c &+= unsafe partial(bytes, start + 8)
            close(&a, &b, &c)
        }
        return UInt64(c) << 32 | UInt64(b)
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
        unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    }

    /// The word that begins there as far as there are bytes.
    private static func partial(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        var place = start
        while place < min(start + 4, bytes.count) {
            value |= unsafe UInt32(bytes[place]) << shift
            shift += 8
            place += 1
        }
        return value
    }

    private static func turned(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word << count | word >> (32 - count)
    }

    private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        a = (a &- c) ^ turned(c, 4)
        c = c &+ b
        b = (b &- a) ^ turned(a, 6)
        a = a &+ c
        c = (c &- b) ^ turned(b, 8)
        b = b &+ a
        a = (a &- c) ^ turned(c, 16)
        c = c &+ b
        b = (b &- a) ^ turned(a, 19)
        a = a &+ c
        c = (c &- b) ^ turned(b, 4)
        b = b &+ a
    }

    private static func close(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        c = (c ^ b) &- turned(b, 14)
        a = (a ^ c) &- turned(c, 11)
        b = (b ^ a) &- turned(a, 25)
        c = (c ^ b) &- turned(b, 16)
        a = (a ^ c) &- turned(c, 4)
        b = (b ^ a) &- turned(a, 14)
        c = (c ^ b) &- turned(b, 24)
    }
}

/// SipHash-2-4 over bytes that come in pieces.
struct SipHash {
    private var v0, v1, v2, v3: UInt64
    private var tail: UInt64 = 0
    private var count = 0

    init(_ key: JournalID) {
        let first = key.high.byteSwapped
        let second = key.low.byteSwapped
        v0 = first ^ 0x736f_6d65_7073_6575
        v1 = second ^ 0x646f_7261_6e64_6f6d
        v2 = first ^ 0x6c79_6765_6e65_7261
        v3 = second ^ 0x7465_6462_7974_6573
    }

    @inline(__always)
    private mutating func round() {
        v0 &+= v1
        v1 = v1 << 13 | v1 >> 51
        v1 ^= v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = v3 << 16 | v3 >> 48
        v3 ^= v2
        v0 &+= v3
        v3 = v3 << 21 | v3 >> 43
        v3 ^= v0
        v2 &+= v1
        v1 = v1 << 17 | v1 >> 47
        v1 ^= v2
        v2 = v2 << 32 | v2 >> 32
    }

    @inline(__always)
    private mutating func take(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        while count & 7 != 0, place < bytes.count {
            unsafe add(bytes[place])
            place += 1
        }
        while bytes.count - place >= 8 {
            take(
                unsafe UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
            count += 8
        }
        while place < bytes.count {
            unsafe add(bytes[place])
            place += 1
        }
    }

    private mutating func add(_ byte: UInt8) {
        tail |= UInt64(byte) << UInt64((count & 7) * 8)
        count += 1
        if count & 7 == 0 {
            take(tail)
            tail = 0
        }
    }

    mutating func finish() -> UInt64 {
        take(tail | UInt64(count & 0xff) << 56)
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }
}
