import CLzma

/// Decompresses .xz streams that lie in memory as a whole (liblzma, `lzma_stream_buffer_decode`).
public enum XZBlocks {
    /// Decompresses one stream; the length of what came out, nil where it is damaged or longer than
    /// the buffer.
    public static func decompress(
        _ stream: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var memory: UInt64 = 256 << 20
        var read = 0
        var written = 0
        let status = unsafe lzma_stream_buffer_decode(
            &memory, 0, nil, stream.bindMemory(to: UInt8.self).baseAddress, &read, stream.count,
            buffer.bindMemory(to: UInt8.self).baseAddress, &written, buffer.count)
        return status == LZMA_OK ? written : nil
    }
}
