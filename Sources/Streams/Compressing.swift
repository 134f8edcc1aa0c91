public import Basics
import CZstd
import Glibc
import Synchronization

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

/// Where adaptive compression stands, shared by the segments of a run: what one has found out about
/// the machine need not be found out again by the next.
public final class AdaptiveLevel: Sendable {
    private let level = Atomic(3)

    public init() {}

    /// 1…9.
    var current: Int { level.load(ordering: .relaxed) }

    /// One up or down. Lanes that do so at once may undo each other's step, and take it again with
    /// their next frame.
    func step(by step: Int) {
        level.store(max(1, min(9, current + step)), ordering: .relaxed)
    }
}

/// Compresses what passes into zstd frames (RFC 8878) with content checksums.
///
/// Every 4 MiB are gathered and become a frame in one call, because zstd is a fifth faster on bytes
/// that lie together than on a stream of pieces, and adaptive may change the level between frames.
/// The levels above 9 and long-distance matching look back further than that: there the whole
/// stream is one frame. `cat` of frames is a valid stream either way.
public struct Compressing<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private let encoder: ZstdEncoder
    private let level: CompressionLevel
    private let isFramed: Bool
    private var pace: Pace
    private var input: Chunk
    private var output: Chunk
    private var hasFrame = false
    /// A frame of zeros, once one was needed.
    private var zeroFrame: [UInt8] = []
    private var next: Next

    private static var frameSize: Int { 4 << 20 }

    /// - Parameter adaptive: counts where the level is not fixed.
    public init(
        _ level: CompressionLevel, adaptive: AdaptiveLevel = AdaptiveLevel(),
        into next: consuming Next
    ) throws(Failure) {
        // Everything that can throw comes before the first field is stored.
        let encoder = try ZstdEncoder()
        let pace = Pace(shared: adaptive)
        try encoder.set(ZSTD_c_checksumFlag, 1)
        try encoder.set(ZSTD_c_compressionLevel, Int32(level.fixed ?? adaptive.current))
        if level.long {
            try encoder.set(ZSTD_c_enableLongDistanceMatching, 1)
            try encoder.set(ZSTD_c_windowLog, 27)
        }
        self.encoder = encoder
        self.pace = pace
        self.level = level
        self.next = next
        isFramed = !level.long && (level.fixed ?? 1) <= 9
        input = Chunk(capacity: isFramed ? Self.frameSize : Chunk.standardSize)
        output = Chunk(
            capacity: isFramed ? ZSTD_compressBound(Self.frameSize) : Chunk.standardSize)
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        try Failure.catching {
            try unsafe bytes.withUnsafeBytes { buffer in
                var taken = 0
                while taken < buffer.count {
                    taken += unsafe input.append(
                        UnsafeRawBufferPointer(rebasing: buffer[taken...]))
                    if input.count == input.capacity { try compress(isLast: false) }
                }
            }
        }
    }

    /// Whole frames of zeros are compressed once, and written as often as there are some.
    public mutating func write(zeros count: Int64) throws(Failure) {
        guard isFramed else { return try feed(zeros: count) }
        let fill = input.isEmpty ? 0 : min(count, Int64(input.capacity - input.count))
        try feed(zeros: fill)
        let frames = (count - fill) / Int64(Self.frameSize)
        if frames > 0 {
            if zeroFrame.isEmpty { try compressZeros() }
            for _ in 0..<frames { try next.write(zeroFrame) }
            hasFrame = true
        }
        try feed(zeros: (count - fill) % Int64(Self.frameSize))
    }

    /// Zeros among other bytes.
    private mutating func feed(zeros count: Int64) throws(Failure) {
        var left = count
        while left > 0 {
            try unsafe input.append { (free) throws(Failure) in
                let size = min(free.count, Int(left))
                if let start = free.baseAddress { unsafe memset(start, 0, size) }
                left -= Int64(size)
                return size
            }
            if input.count == input.capacity { try compress(isLast: false) }
        }
    }

    private mutating func compressZeros() throws(Failure) {
        let zeros = [UInt8](repeating: 0, count: Self.frameSize)
        zeroFrame = [UInt8](repeating: 0, count: ZSTD_compressBound(Self.frameSize))
        let size = unsafe zeroFrame.withUnsafeMutableBytes { frame in
            unsafe zeros.withUnsafeBytes {
                unsafe ZSTD_compress2(
                    encoder.raw, frame.baseAddress, frame.count, $0.baseAddress, $0.count)
            }
        }
        zeroFrame.removeSubrange(try Self.checked(size)...)
    }

    public mutating func finish() throws(Failure) {
        // A stream of nothing is a frame of nothing.
        if !isFramed || !input.isEmpty || !hasFrame { try compress(isLast: true) }
        try next.finish()
    }

    /// Compresses what was gathered.
    private mutating func compress(isLast: Bool) throws(Failure) {
        if isFramed { try compressFrame() } else { try compressPiece(isLast: isLast) }
        input.removeAll()
        hasFrame = true
    }

    private mutating func compressFrame() throws(Failure) {
        if level.fixed == nil, hasFrame {
            try encoder.set(ZSTD_c_compressionLevel, Int32(pace.next()))
        }
        let began = pace.clock(level)
        output.removeAll()
        try unsafe output.append { (free) throws(Failure) in
            let size = try unsafe input.withBytes { (bytes) throws(Failure) in
                unsafe ZSTD_compress2(
                    encoder.raw, free.baseAddress, free.count, bytes.baseAddress, bytes.count)
            }
            return try Self.checked(size)
        }
        let compressed = pace.clock(level)
        let worked = pace.processor(level)
        try passOn()
        pace.note(
            compressing: compressed - began, passing: pace.clock(level) - compressed,
            working: pace.processor(level) - worked)
    }

    private mutating func compressPiece(isLast: Bool) throws(Failure) {
        let directive = isLast ? ZSTD_e_end : ZSTD_e_continue
        var used = 0
        var isDone = false
        while !isDone {
            output.removeAll()
            try unsafe output.append { (free) throws(Failure) in
                var target = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
                try unsafe input.withBytes { (bytes) throws(Failure) in
                    var source = unsafe ZSTD_inBuffer(
                        src: bytes.baseAddress, size: bytes.count, pos: used)
                    let left = try Self.checked(
                        unsafe ZSTD_compressStream2(encoder.raw, &target, &source, directive))
                    unsafe used = source.pos
                    isDone = unsafe isLast ? left == 0 : source.pos == source.size
                }
                return unsafe target.pos
            }
            try passOn()
        }
    }

    private mutating func passOn() throws(Failure) {
        if output.isEmpty { return }
        try unsafe output.withBytes { (bytes) throws(Failure) in
            try unsafe next.write(buffer: bytes)
        }
    }

    private static func checked(_ status: Int) throws(Failure) -> Int {
        guard ZSTD_isError(status) == 0 else {
            throw Failure(.failed, "zstd cannot compress: \(zstdError(status))")
        }
        return status
    }
}

/// The level of adaptive compression: up while storing is the slower side, down while compressing is.
///
/// Storing is slow while a lane waits for it. What it costs the processor, digests above all, is no room
/// for harder compression: that takes the same processor.
struct Pace {
    private let shared: AdaptiveLevel
    private var compressing: UInt64 = 0
    private var storing: UInt64 = 0

    init(shared: AdaptiveLevel) { self.shared = shared }

    func clock(_ compression: CompressionLevel) -> UInt64 {
        compression.fixed == nil ? monotonicNanoseconds() : 0
    }

    /// Nanoseconds of processor that this thread has had.
    func processor(_ compression: CompressionLevel) -> UInt64 {
        guard compression.fixed == nil else { return 0 }
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    mutating func note(compressing more: UInt64, passing: UInt64, working: UInt64) {
        compressing &+= more
        storing &+= passing - min(working, passing)
    }

    mutating func next() -> Int {
        if storing > compressing {
            shared.step(by: 1)
        } else if storing < compressing / 4 {
            shared.step(by: -1)
        }
        compressing = 0
        storing = 0
        return shared.current
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
