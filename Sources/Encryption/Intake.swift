import Basics
import Glibc
import Streams

/// A source with a buffer in front of it, for parsers that take lines and exact numbers of bytes.
struct Intake<Source: ByteSource & ~Copyable>: ~Copyable {
    private var source: Source
    private var buffer: Chunk
    private var position = 0
    private var isAtEnd = false
    /// Bytes that were taken and given back; they come before those of the buffer.
    private var returned: ArraySlice<UInt8> = []

    init(_ source: consuming Source, capacity: Int) {
        self.source = source
        self.buffer = Chunk(capacity: capacity)
    }

    /// Makes sure that something is buffered; false at the end of the source.
    private mutating func fill() throws(Failure) -> Bool {
        guard position == buffer.count else { return true }
        guard !isAtEnd else { return false }
        position = 0
        buffer.removeAll()
        try source.read(into: &buffer)
        isAtEnd = buffer.isEmpty
        return !isAtEnd
    }

    /// Appends a line with its line feed, but at most `limit` bytes; false when there was no line
    /// feed within them.
    mutating func readLine(into line: inout [UInt8], limit: Int) throws(Failure) -> Bool {
        var left = limit
        while left > 0 {
            if let byte = returned.popFirst() {
                line.append(byte)
                left -= 1
                if byte == 0x0a { return true }
                continue
            }
            guard try fill() else { return false }
            let position = position
            var isWhole = false
            var taken = 0
            try unsafe buffer.withBytes { (bytes) throws(Failure) in
                let rest = unsafe bytes[position..<min(bytes.count, position + left)]
                let found = unsafe rest.firstIndex(of: 0x0a)
                taken = found.map { $0 + 1 - position } ?? (unsafe rest.count)
                isWhole = found != nil
                unsafe line.append(contentsOf: rest.prefix(taken))
            }
            self.position += taken
            left -= taken
            if isWhole { return true }
        }
        return false
    }

    /// Gives bytes back that were read as lines just before.
    mutating func giveBack(_ bytes: [UInt8]) { returned = bytes + returned }

    /// Appends bytes to the chunk until it holds `size` or the source ends.
    mutating func read(into chunk: inout Chunk, upTo size: Int) throws(Failure) {
        while chunk.count < size {
            if !returned.isEmpty {
                let wanted = returned.prefix(size - chunk.count)
                try unsafe chunk.append { (free) throws(Failure) in
                    unsafe free.copyBytes(from: wanted)
                    return wanted.count
                }
                returned = returned.dropFirst(wanted.count)
                continue
            }
            guard try fill() else { return }
            let position = position
            var taken = 0
            try unsafe buffer.withBytes { (bytes) throws(Failure) in
                let end = min(bytes.count, position + size - chunk.count)
                taken = unsafe chunk.append(
                    UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
            }
            self.position += taken
        }
    }

    /// Reads into an empty chunk what is at hand, or once from the source; without a copy when
    /// nothing is buffered.
    mutating func readSome(into chunk: inout Chunk) throws(Failure) {
        if returned.isEmpty, position == buffer.count {
            guard !isAtEnd else { return }
            try source.read(into: &chunk)
            isAtEnd = chunk.isEmpty
        } else {
            let available = returned.count + buffer.count - position
            try read(into: &chunk, upTo: min(chunk.capacity, available))
        }
    }

    /// Hands `size` bytes to `body` where they lie, if they lie there whole; false, with nothing
    /// taken, otherwise.
    mutating func take(
        _ size: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard returned.isEmpty, try fill(), buffer.count - position >= size else { return false }
        let range = position..<position + size
        position += size
        try unsafe buffer.withBytes { (bytes) throws(Failure) in
            try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        return true
    }

    /// Whether the source has nothing more.
    mutating func ended() throws(Failure) -> Bool {
        guard returned.isEmpty else { return false }
        return try !fill()
    }
}
