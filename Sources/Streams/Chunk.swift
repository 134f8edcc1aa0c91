import Basics
import Glibc

/// A buffer that is allocated once and filled again and again.
///
/// It cannot be copied, so no two owners can make it copy its bytes.
@safe public struct Chunk: ~Copyable, @unchecked Sendable {
    // Sendable: the memory has exactly one owner, and moving the owner moves the access.
    /// How many bytes it can hold.
    public let capacity: Int
    /// How many it holds now.
    public private(set) var count = 0
    /// Whether all it holds is zeros that nobody has put into memory yet.
    public private(set) var isHole = false
    private let memory: UnsafeMutableRawPointer

    /// The size every stage works with unless it has a reason.
    public static let standardSize = 1 << 20

    public init(capacity: Int = Chunk.standardSize) {
        self.capacity = capacity
        unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe memory.deallocate() }

    public var isEmpty: Bool { count == 0 }

    public mutating func removeAll() {
        count = 0
        isHole = false
    }

    /// Holds that many zeros, which cost nothing until somebody looks at the bytes.
    public mutating func fill(zeros: Int) {
        precondition(zeros >= 0 && zeros <= capacity)
        count = zeros
        isHole = zeros > 0
    }

    /// The bytes held, for reading.
    public func withBytes<Result: ~Copyable>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if isHole { unsafe memset(memory, 0, count) }
        return try unsafe body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Lets `body` write behind the bytes held; it returns how many it wrote.
    public mutating func append(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        settle()
        let free = unsafe UnsafeMutableRawBufferPointer(
            start: memory + count, count: capacity - count)
        let written = try unsafe body(free)
        precondition(written >= 0 && written <= capacity - count)
        count += written
    }

    /// Takes as many bytes as fit and returns their number.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        settle()
        let taken = min(bytes.count, capacity - count)
        if taken > 0, let source = bytes.baseAddress {
            unsafe (memory + count).copyMemory(from: source, byteCount: taken)
        }
        count += taken
        return taken
    }

    /// Puts the zeros of a hole into memory, before other bytes follow them.
    private mutating func settle() {
        guard isHole else { return }
        unsafe memset(memory, 0, count)
        isHole = false
    }
}
