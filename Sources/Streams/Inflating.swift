public import Basics
import CZlib

/// Decompresses gzip (RFC 1952), one member or several behind each other, as `gzip -dc` does.
///
/// Throws `.gzipCorrupt` for bytes that are no gzip or fail its checksum, and `.truncated` in the
/// middle of a member. Zeros behind the last member are the padding of tapes, and pass.
public struct Inflating<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var source: Source
    private let decoder: GzipDecoder
    private var input = Chunk(capacity: 256 << 10)
    private var used = 0
    private var inMember = false
    private var hasMember = false
    private var ended = false

    public init(_ source: consuming Source) throws(Failure) {
        let decoder = try GzipDecoder()
        self.decoder = decoder
        self.source = source
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while !ended, chunk.count < chunk.capacity {
            if used == input.count {
                try source.read(into: &input)
                used = 0
                if input.isEmpty {
                    guard !inMember, hasMember else {
                        throw Failure(.truncated, "the gzip stream ends inside a member")
                    }
                    ended = true
                    break
                }
            }
            if !inMember, hasMember, try skipPadding() { continue }
            try step(into: &chunk)
        }
    }

    /// Steps over zeros between members; true when the input is used up.
    private mutating func skipPadding() throws(Failure) -> Bool {
        try unsafe input.withBytes { (bytes) throws(Failure) in
            while used < bytes.count, unsafe bytes[used] == 0 { used += 1 }
            return used == bytes.count
        }
    }

    private mutating func step(into chunk: inout Chunk) throws(Failure) {
        try unsafe chunk.append { (free) throws(Failure) in
            try unsafe input.withBytes { (bytes) throws(Failure) in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[used...])
                let step = try unsafe decoder.inflate(rest, into: free)
                used += step.read
                inMember = !step.isEnd
                hasMember = true
                return step.written
            }
        }
    }
}

@safe struct GzipDecoder: ~Copyable {
    // zlib keeps a pointer to the state, which therefore may not move.
    private let raw: UnsafeMutablePointer<z_stream>

    init() throws(Failure) {
        let raw = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe raw.initialize(to: z_stream())
        // 15 bits of window, and 16 for the header and checksum of gzip.
        guard unsafe exeat_inflate_init(raw, 15 + 16) == Z_OK else {
            unsafe raw.deallocate()
            throw Failure(.failed, "zlib has no memory")
        }
        unsafe self.raw = raw
    }

    deinit {
        unsafe inflateEnd(raw)
        unsafe raw.deallocate()
    }

    func inflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> (read: Int, written: Int, isEnd: Bool) {
        unsafe raw.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe raw.pointee.avail_in = UInt32(input.count)
        unsafe raw.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe raw.pointee.avail_out = UInt32(output.count)
        let status = unsafe CZlib.inflate(raw, Z_NO_FLUSH)
        let read = unsafe input.count - Int(raw.pointee.avail_in)
        let written = unsafe output.count - Int(raw.pointee.avail_out)
        switch status {
        case Z_STREAM_END:
            unsafe inflateReset(raw)
            return (read, written, true)
        // Z_BUF_ERROR: nothing could be done with this input alone, which is no error.
        case Z_OK, Z_BUF_ERROR: return (read, written, false)
        default:
            let detail = unsafe raw.pointee.msg.map { unsafe String(cString: $0) }
            throw Failure(
                .gzipCorrupt, "the gzip stream is damaged: \(detail ?? "zlib error \(status)")")
        }
    }
}
