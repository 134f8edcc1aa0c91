public import Basics
import Synchronization

/// Reads a source on a thread of its own, a few chunks ahead, so that decompressing goes on while what
/// came out is written.
///
/// Chunks change places with the caller's: nothing is copied as long as theirs have the same capacity.
public struct ReadAhead<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private let ring: ChunkRing<Source>
    private var next = 0
    /// What was taken already of the next chunk, where the caller's is smaller.
    private var used = 0
    private var ended = false

    public init(_ source: consuming Source, chunks: Int = 3) {
        precondition(chunks > 0, "nothing can be read ahead into no chunk")
        ring = ChunkRing(source, count: chunks)
        startThread(for: ring)
    }

    deinit { ring.stop() }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        if ended { return chunk.removeAll() }
        if used == 0 { ring.filled.wait() }
        do throws(Failure) {
            try ring.take(next, into: &chunk, &used)
        } catch {
            ended = true
            throw error
        }
        if chunk.isEmpty {
            ended = true
        } else if used == 0 {
            next += 1
            ring.free.signal()
        }
    }
}

/// Chunks that one thread fills and another empties, in turn.
@safe private final class ChunkRing<Source: ByteSource & ~Copyable>: ThreadBody, @unchecked Sendable
{
    // Sendable: a slot belongs to the filling thread between `free` and `filled`, else to the other; the
    // source to the filling thread alone.
    let filled = Semaphore()
    let free = Semaphore()
    private struct Slot: ~Copyable {
        var chunk = Chunk()
        /// What came instead of bytes.
        var failure: Failure?
    }

    private let slots: UnsafeMutablePointer<Slot>
    private let count: Int
    private var source: Source
    private let isStopped = Atomic<Bool>(false)

    init(_ source: consuming Source, count: Int) {
        self.source = source
        self.count = count
        unsafe slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        for index in 0..<count {
            unsafe (slots + index).initialize(to: Slot())
            free.signal()
        }
    }

    deinit {
        unsafe slots.deinitialize(count: count)
        unsafe slots.deallocate()
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        free.signal()
    }

    func work() {
        var number = 0
        while true {
            free.wait()
            if isStopped.load(ordering: .acquiring) { return }
            let slot = unsafe slots + number % count
            do throws(Failure) { try unsafe source.read(into: &slot.pointee.chunk) } catch {
                unsafe slot.pointee.failure = error
            }
            let isEnd = unsafe slot.pointee.failure != nil || slot.pointee.chunk.isEmpty
            filled.signal()
            if isEnd { return }
            number += 1
        }
    }

    /// Moves what a filled slot holds behind `used` into the chunk; 0 in `used` when nothing is left.
    func take(_ number: Int, into chunk: inout Chunk, _ used: inout Int) throws(Failure) {
        let slot = unsafe slots + number % count
        if let failure = unsafe slot.pointee.failure { throw failure }
        if used == 0, unsafe slot.pointee.chunk.capacity == chunk.capacity {
            return unsafe swap(&slot.pointee.chunk, &chunk)
        }
        chunk.removeAll()
        let start = used
        used += try unsafe slot.pointee.chunk.withBytes { (bytes) throws(Failure) in
            unsafe chunk.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        if unsafe used == slot.pointee.chunk.count { used = 0 }
    }
}
