public import Basics
import CZstd

/// Decompresses zstd frames, and stops a stream that would be longer than declared.
///
/// Throws `.zstdCorrupt` for bytes that are no zstd, `.truncated` in the middle of a frame,
/// `.plaintextTooLong` as soon as one byte more than `size` comes out (so a bomb costs nothing) and
/// `.plaintextTooShort` at the end. Without a `size` any length passes.
public struct Decompressing<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var source: Source
    private let decoder: ZstdDecoder
    private var input = Chunk(capacity: 256 << 10)
    private var used = 0
    private var inFrame = false
    /// The decoder may hold output back although it has taken all input.
    private var holdsBack = false
    private var ended = false
    private var left: Int64?
    private var zeros = ZeroFrame()
    /// Zeros of a known frame that are still to be given.
    private var zerosLeft = 0

    public init(_ source: consuming Source, size: Int64?) throws(Failure) {
        let decoder = try ZstdDecoder()
        self.decoder = decoder
        self.source = source
        self.left = size
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while !ended, chunk.count < chunk.capacity {
            if zerosLeft > 0 {
                // Never among other bytes: a chunk is a hole as a whole.
                guard chunk.isEmpty else { break }
                chunk.fill(zeros: min(zerosLeft, chunk.capacity))
                zerosLeft -= chunk.count
                break
            }
            if used == input.count, !holdsBack {
                try source.read(into: &input)
                used = 0
                if input.isEmpty {
                    guard !inFrame else {
                        throw Failure(.truncated, "the compressed stream ends inside a frame")
                    }
                    ended = true
                    break
                }
            }
            if !inFrame, !holdsBack, let length = try knownZeros() {
                used += length
                zerosLeft = zeros.size
                continue
            }
            let before = chunk.count
            try step(into: &chunk)
            try note(chunk, from: before)
        }
        if let rest = left {
            guard Int64(chunk.count) <= rest else {
                throw Failure(.plaintextTooLong, "a segment holds more than it declares")
            }
            left = rest - Int64(chunk.count)
            if chunk.isEmpty, left != 0 {
                throw Failure(.plaintextTooShort, "a segment holds less than it declares")
            }
        }
    }

    /// The length of the frame that begins here if it is the known one of zeros.
    private mutating func knownZeros() throws(Failure) -> Int? {
        let (start, zeros) = (used, self.zeros)
        let found = try unsafe input.withBytes { (bytes) throws(Failure) in
            unsafe zeros.meet(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        if case .candidate(let frame, let size) = found { self.zeros.begin(frame, size) }
        if case .known(let length) = found { return length }
        return nil
    }

    /// Looks whether what came out of a frame that may be one of zeros is.
    private mutating func note(_ chunk: borrowing Chunk, from start: Int) throws(Failure) {
        guard zeros.isWatching else { return }
        let isZero = try unsafe chunk.withBytes { (bytes) throws(Failure) in
            unsafe ZeroFrame.isZero(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        zeros.saw(isZero: isZero, isEnd: !inFrame)
    }

    private mutating func step(into chunk: inout Chunk) throws(Failure) {
        try unsafe chunk.append { (free) throws(Failure) in
            var target = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
            try unsafe input.withBytes { (bytes) throws(Failure) in
                var feed = unsafe ZSTD_inBuffer(
                    src: bytes.baseAddress, size: bytes.count, pos: used)
                let status = unsafe ZSTD_decompressStream(decoder.raw, &target, &feed)
                guard ZSTD_isError(status) == 0 else {
                    throw Failure(
                        .zstdCorrupt, "the compressed stream is damaged: \(zstdError(status))")
                }
                unsafe used = feed.pos
                inFrame = status != 0
                unsafe holdsBack = target.pos == target.size && inFrame
            }
            return unsafe target.pos
        }
    }
}

@safe struct ZstdDecoder: ~Copyable {
    let raw: OpaquePointer

    init() throws(Failure) {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw Failure(.failed, "zstd has no memory")
        }
        unsafe raw = context
        unsafe ZSTD_DCtx_setParameter(raw, ZSTD_d_windowLogMax, 27)
    }

    deinit { unsafe ZSTD_freeDCtx(raw) }
}
