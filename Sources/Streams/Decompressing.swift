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

    public init(_ source: consuming Source, size: Int64?) throws(Failure) {
        let decoder = try ZstdDecoder()
        self.decoder = decoder
        self.source = source
        self.left = size
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while !ended, chunk.count < chunk.capacity {
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
            try step(into: &chunk)
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
