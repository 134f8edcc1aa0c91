public import Basics
import CBzip2
import CLzma
import CZlib
import CZstd

/// The packings of single files that are known here; raw values are their usual suffixes.
public enum Packing: String, Sendable, CaseIterable {
    case gzip = "gz"
    case xz
    case zstd = "zst"
    case bzip2 = "bz2"
}

/// Unpacks a stream that is pushed into it, several of them behind each other as one, and says where it
/// is damaged instead of failing: what was readable before has been handed on then.
public struct Unpacker: ~Copyable {
    private let decoder: any UnpackingDecoder
    private let output = UnpackerBuffer()
    /// What is wrong, once something is; nothing more is read then.
    public private(set) var damage: String?
    private var isInside = false
    private var hasStream = false

    public init(_ packing: Packing) throws(Failure) {
        decoder =
            switch packing {
            case .gzip: try GzipUnpacking()
            case .xz: try XZUnpacking()
            case .zstd: try ZstdUnpacking()
            case .bzip2: try Bzip2Unpacking()
            }
    }

    /// Unpacks the next piece; `body` gets what comes out, piece by piece.
    public mutating func feed(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var used = 0
        while damage == nil {
            if !isInside, hasStream, decoder.skipsZeros {
                while used < bytes.count, unsafe bytes[used] == 0 { used += 1 }
            }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[used...])
            if unsafe rest.isEmpty, !isInside { return }
            let step = unsafe decoder.step(rest, into: output.memory)
            used += step.read
            if step.written > 0 {
                try unsafe body(UnsafeRawBufferPointer(rebasing: output.memory[..<step.written]))
            }
            if step.read > 0 || step.written > 0 || step.isEnd { hasStream = true }
            switch step.state {
            case .damaged(let what):
                damage = what
                return
            case .end: isInside = false
            case .inside: isInside = true
            }
            // All is taken, and nothing more comes out.
            if unsafe used == bytes.count && step.written < output.memory.count { return }
            if step.read == 0, step.written == 0, !step.isEnd { return }
        }
    }

    /// Tells that nothing more comes.
    public mutating func finish() {
        if damage == nil, isInside || !hasStream { damage = "it ends too early" }
    }
}

@safe private final class UnpackerBuffer {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 << 10, alignment: 64)
    deinit { unsafe memory.deallocate() }
}

struct UnpackingStep {
    enum State {
        case inside, end
        case damaged(String)
    }

    var read: Int
    var written: Int
    var state: State
    var isEnd: Bool { if case .end = state { true } else { false } }
}

/// One library's way of unpacking. Ready for the next stream when one has ended.
protocol UnpackingDecoder: AnyObject {
    /// Zeros behind a stream are padding.
    var skipsZeros: Bool { get }
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> UnpackingStep
}

/// gzip (RFC 1952), through zlib.
private final class GzipUnpacking: UnpackingDecoder {
    private let decoder: GzipDecoder
    let skipsZeros = true

    init() throws(Failure) { decoder = try GzipDecoder() }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> UnpackingStep {
        do throws(Failure) {
            let step = try unsafe decoder.inflate(input, into: output)
            return UnpackingStep(
                read: step.read, written: step.written, state: step.isEnd ? .end : .inside)
        } catch {
            return UnpackingStep(read: 0, written: 0, state: .damaged(error.what))
        }
    }
}

/// Zstandard (RFC 8878), windows up to 2^27 bytes.
@safe private final class ZstdUnpacking: UnpackingDecoder {
    private let context: OpaquePointer
    let skipsZeros = false

    init() throws(Failure) {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw Failure(.failed, "zstd has no memory")
        }
        unsafe self.context = context
    }

    deinit { unsafe ZSTD_freeDCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> UnpackingStep {
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let left = unsafe ZSTD_decompressStream(context, &target, &source)
        if ZSTD_isError(left) != 0 {
            return unsafe UnpackingStep(
                read: source.pos, written: target.pos, state: .damaged(zstdError(left)))
        }
        return unsafe UnpackingStep(
            read: source.pos, written: target.pos, state: left == 0 ? .end : .inside)
    }
}

/// The xz format, through liblzma; streams behind each other and their padding are its own business.
@safe private final class XZUnpacking: UnpackingDecoder {
    private let stream: UnsafeMutablePointer<lzma_stream>
    let skipsZeros = true

    init() throws(Failure) {
        unsafe stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
        unsafe exeat_lzma_clear(stream)
        guard start() else { throw Failure(.failed, "liblzma has no memory") }
    }

    deinit {
        unsafe lzma_end(stream)
        unsafe stream.deallocate()
    }

    /// No more than xz -9 needs, and some.
    private func start() -> Bool {
        unsafe lzma_stream_decoder(stream, 256 << 20, 0) == LZMA_OK
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> UnpackingStep {
        unsafe stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_in = input.count
        unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = output.count
        let status = unsafe lzma_code(stream, LZMA_RUN)
        let read = unsafe input.count - stream.pointee.avail_in
        let written = unsafe output.count - stream.pointee.avail_out
        switch status {
        case LZMA_STREAM_END:
            let isReady = start()
            return UnpackingStep(
                read: read, written: written,
                state: isReady ? .end : .damaged("liblzma has no memory"))
        // LZMA_BUF_ERROR: nothing could be done with this input alone, which is no error.
        case LZMA_OK, LZMA_BUF_ERROR:
            return UnpackingStep(read: read, written: written, state: .inside)
        default:
            return UnpackingStep(
                read: read, written: written,
                state: .damaged("it is damaged (liblzma error \(status.rawValue))"))
        }
    }
}

/// bzip2, through its library.
@safe private final class Bzip2Unpacking: UnpackingDecoder {
    private let stream: UnsafeMutablePointer<bz_stream>
    let skipsZeros = false

    init() throws(Failure) {
        unsafe stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: bz_stream())
        guard unsafe BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
            unsafe stream.deallocate()
            throw Failure(.failed, "libbz2 has no memory")
        }
    }

    deinit {
        unsafe BZ2_bzDecompressEnd(stream)
        unsafe stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> UnpackingStep {
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: CChar.self))
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
        unsafe stream.pointee.avail_out = UInt32(output.count)
        let status = unsafe BZ2_bzDecompress(stream)
        let read = unsafe input.count - Int(stream.pointee.avail_in)
        let written = unsafe output.count - Int(stream.pointee.avail_out)
        switch status {
        case BZ_STREAM_END:
            unsafe BZ2_bzDecompressEnd(stream)
            unsafe stream.pointee = bz_stream()
            let isReady = unsafe BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK
            return UnpackingStep(
                read: read, written: written,
                state: isReady ? .end : .damaged("libbz2 has no memory"))
        case BZ_OK: return UnpackingStep(read: read, written: written, state: .inside)
        default:
            return UnpackingStep(
                read: read, written: written,
                state: .damaged("it is damaged (libbz2 error \(status))"))
        }
    }
}
