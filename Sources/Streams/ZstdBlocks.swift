public import Basics
import CZstd

/// Decompresses zstd frames that lie in memory as a whole, one after the other, with one context.
@safe public struct ZstdBlocks: ~Copyable {
    private let decoder: ZstdDecoder

    public init() throws(Failure) { decoder = try ZstdDecoder() }

    /// The length that a frame says its content has; nil where it is no frame or does not say.
    ///
    /// - Parameter start: at least the first 18 bytes of the frame, or all of it.
    public static func contentSize(_ start: UnsafeRawBufferPointer) -> Int64? {
        let size = unsafe ZSTD_getFrameContentSize(start.baseAddress, start.count)
        return size <= UInt64(Int64.max) ? Int64(size) : nil
    }

    /// Decompresses one frame; the length of what came out, nil where the frame is damaged or longer
    /// than the buffer.
    public func decompress(
        _ frame: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let size = unsafe ZSTD_decompressDCtx(
            decoder.raw, buffer.baseAddress, buffer.count, frame.baseAddress, frame.count)
        return ZSTD_isError(size) == 0 ? size : nil
    }
}
