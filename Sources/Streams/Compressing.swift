public import Basics
import CZstd

/// How hard zstd works.
public struct CompressionLevel: Sendable, Hashable {
    /// 1…19, or nil for adaptive: between 1 and 9, by which of compressing and storing is slower.
    public let fixed: Int?
    /// Long-distance matching with a window of 2^27 bytes, the most a plain `zstd -d` accepts.
    public let long: Bool

    public init(_ fixed: Int?, long: Bool = false) {
        self.fixed = fixed
        self.long = long
    }

    public static let standard = CompressionLevel(3)
}

/// Compresses what passes into zstd frames (RFC 8878) with content checksums.
///
/// At a fixed level the whole stream is one frame. Adaptive starts a new frame every 8 MiB, because
/// that is where the level may change; `cat` of frames is a valid stream either way.
public struct Compressing<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private let encoder: ZstdEncoder
    private var output: Chunk
    private let level: CompressionLevel
    private var pace: Pace
    private var inFrame: Int64 = 0
    private var next: Next

    private static var frameSize: Int64 { 8 << 20 }

    public init(_ level: CompressionLevel, into next: consuming Next) throws(Failure) {
        // Everything that can throw comes before the first field is stored.
        let encoder = try ZstdEncoder()
        let pace = Pace()
        try encoder.set(ZSTD_c_checksumFlag, 1)
        try encoder.set(ZSTD_c_compressionLevel, Int32(level.fixed ?? pace.level))
        if level.long {
            try encoder.set(ZSTD_c_enableLongDistanceMatching, 1)
            try encoder.set(ZSTD_c_windowLog, 27)
        }
        self.encoder = encoder
        self.pace = pace
        self.level = level
        self.next = next
        output = Chunk(capacity: Chunk.standardSize)
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        if level.fixed == nil, inFrame >= Self.frameSize {
            try drain(ZSTD_e_end)
            try encoder.set(ZSTD_c_compressionLevel, Int32(pace.next()))
            inFrame = 0
        }
        inFrame += Int64(bytes.byteCount)
        try Failure.catching {
            try unsafe bytes.withUnsafeBytes { buffer in
                var input = unsafe ZSTD_inBuffer(src: buffer.baseAddress, size: buffer.count, pos: 0)
                while unsafe input.pos < input.size { _ = try unsafe step(&input, ZSTD_e_continue) }
            }
        }
    }

    public mutating func finish() throws(Failure) {
        try drain(ZSTD_e_end)
        try next.finish()
    }

    private mutating func drain(_ end: ZSTD_EndDirective) throws(Failure) {
        var nothing = unsafe ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try unsafe step(&nothing, end) != 0 {}
    }

    /// One call into zstd; returns what it still holds back.
    private mutating func step(
        _ input: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective
    ) throws(Failure) -> Int {
        let began = pace.clock(level)
        var left = 0
        output.removeAll()
        try unsafe output.append { (free) throws(Failure) in
            var target = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
            left = unsafe ZSTD_compressStream2(encoder.raw, &target, &input, directive)
            guard ZSTD_isError(left) == 0 else {
                throw Failure(.failed, "zstd cannot compress: \(zstdError(left))")
            }
            return unsafe target.pos
        }
        let compressed = pace.clock(level)
        if !output.isEmpty {
            try unsafe output.withBytes { (bytes) throws(Failure) in
                try unsafe next.write(buffer: bytes)
            }
        }
        pace.note(compressing: compressed - began, storing: pace.clock(level) - compressed)
        return left
    }
}

/// The level of adaptive compression: up while storing is the slower side, down while compressing is.
private struct Pace {
    private(set) var level = 3
    private var compressing: UInt64 = 0
    private var storing: UInt64 = 0

    func clock(_ compression: CompressionLevel) -> UInt64 {
        compression.fixed == nil ? monotonicNanoseconds() : 0
    }

    mutating func note(compressing more: UInt64, storing stored: UInt64) {
        compressing &+= more
        storing &+= stored
    }

    mutating func next() -> Int {
        if storing > compressing {
            level = min(level + 1, 9)
        } else if storing < compressing / 4 {
            level = max(level - 1, 1)
        }
        compressing = 0
        storing = 0
        return level
    }
}

@safe struct ZstdEncoder: ~Copyable {
    let raw: OpaquePointer

    init() throws(Failure) {
        guard let context = unsafe ZSTD_createCCtx() else {
            throw Failure(.failed, "zstd has no memory")
        }
        unsafe raw = context
    }

    deinit { unsafe ZSTD_freeCCtx(raw) }

    func set(_ parameter: ZSTD_cParameter, _ value: Int32) throws(Failure) {
        let status = unsafe ZSTD_CCtx_setParameter(raw, parameter, value)
        guard ZSTD_isError(status) == 0 else {
            throw Failure(.invalidValue, "zstd refuses a setting: \(zstdError(status))")
        }
    }
}

func zstdError(_ status: Int) -> String { unsafe String(cString: ZSTD_getErrorName(status)) }
