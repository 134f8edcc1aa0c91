import Basics
import CMariaDB
import Glibc
import Streams

// Rows as lines: values apart by tabs, each line with a line feed, `\N` for NULL; backslash, tab and
// line feed within a value have a backslash before them (MariaDB documentation, "LOAD DATA INFILE").
extension Session {
    /// Runs a SELECT and lets `body` have its rows as lines, which need no more memory than the
    /// buffer and the longest row.
    ///
    /// `row` gets each row, or a piece of a long one, where it lies in memory that is valid for the
    /// call; `full` gets the buffer when it is full, and at the end. Gives back how many rows came.
    func stream(
        _ sql: String, into chunk: inout Chunk,
        row: (UnsafeRawBufferPointer) throws(Failure) -> Void,
        full: (borrowing Chunk) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        try run(Array(sql.utf8))
        guard let result = unsafe mysql_use_result(handle.raw) else {
            throw failed("no rows of \"\(Self.excerpt(sql))\"")
        }
        let width = Int(unsafe mysql_num_fields(result))
        var count: Int64 = 0
        chunk.removeAll()
        do throws(Failure) {
            while let values = unsafe mysql_fetch_row(result),
                let lengths = unsafe mysql_fetch_lengths(result)
            {
                var most = 2 * width
                for column in 0..<width { most += 2 * Int(unsafe lengths[column]) }
                if chunk.capacity - chunk.count < most, !chunk.isEmpty {
                    try progress.checkCancelled()
                    try full(chunk)
                    chunk.removeAll()
                }
                if most <= chunk.capacity {
                    try unsafe chunk.append { (free) throws(Failure) in
                        let count = unsafe Self.write(values, lengths, width, into: free)
                        try unsafe row(UnsafeRawBufferPointer(rebasing: free[..<count]))
                        return count
                    }
                } else {
                    try unsafe writeLong(values, lengths, width, into: &chunk, row: row, full: full)
                }
                count += 1
            }
            guard unsafe mysql_errno(handle.raw) == 0 else {
                throw failed("cannot read all rows of \"\(Self.excerpt(sql))\"")
            }
            if !chunk.isEmpty { try full(chunk) }
            chunk.removeAll()
        } catch {
            // What the server has still to send would be waited for otherwise.
            unsafe _ = shutdown(mysql_get_socket(handle.raw), Int32(SHUT_RDWR))
            unsafe mysql_free_result(result)
            throw error
        }
        unsafe mysql_free_result(result)
        return count
    }

    /// A row that is known to have room. Gives back how many bytes it took.
    private static func write(
        _ values: MYSQL_ROW, _ lengths: UnsafeMutablePointer<UInt>, _ width: Int,
        into free: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let base = free.baseAddress else { return 0 }
        var end = unsafe base
        for column in 0..<width {
            if let value = unsafe values[column] {
                unsafe end = RowText.escape(value, Int(lengths[column]), to: end)
            } else {
                unsafe end.storeBytes(of: 0x5c, as: UInt8.self)
                unsafe end.storeBytes(of: 0x4e, toByteOffset: 1, as: UInt8.self)
                unsafe end += 2
            }
            unsafe end.storeBytes(of: column == width - 1 ? 0x0a : 0x09, as: UInt8.self)
            unsafe end += 1
        }
        return unsafe end - base
    }

    /// A row that is longer than the buffer, in pieces.
    private func writeLong(
        _ values: MYSQL_ROW, _ lengths: UnsafeMutablePointer<UInt>, _ width: Int,
        into chunk: inout Chunk, row: (UnsafeRawBufferPointer) throws(Failure) -> Void,
        full: (borrowing Chunk) throws(Failure) -> Void
    ) throws(Failure) {
        let most = 64 << 10
        for column in 0..<width {
            var place = 0
            let length = Int(unsafe lengths[column])
            repeat {
                // Room for an escaped piece, or NULL, and what ends the value.
                if chunk.capacity - chunk.count < 2 * most + 4 {
                    try progress.checkCancelled()
                    try full(chunk)
                    chunk.removeAll()
                }
                let part = min(most, length - place)
                try unsafe chunk.append { (free) throws(Failure) in
                    guard let base = free.baseAddress else { return 0 }
                    var end = unsafe base
                    if let value = unsafe values[column] {
                        unsafe end = RowText.escape(value + place, part, to: end)
                    } else {
                        unsafe end.storeBytes(of: 0x5c, as: UInt8.self)
                        unsafe end.storeBytes(of: 0x4e, toByteOffset: 1, as: UInt8.self)
                        unsafe end += 2
                    }
                    if place + part >= length {
                        unsafe end.storeBytes(
                            of: column == width - 1 ? 0x0a : 0x09, as: UInt8.self)
                        unsafe end += 1
                    }
                    let count = unsafe end - base
                    try unsafe row(UnsafeRawBufferPointer(rebasing: free[..<count]))
                    return count
                }
                place += part
            } while place < length
        }
    }
}

enum RowText {
    /// Writes a value with its backslashes; twice its length must be free. Gives back its end.
    static func escape(
        _ value: UnsafePointer<CChar>, _ count: Int, to start: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var end = unsafe start
        let source = unsafe UnsafeRawPointer(value)
        var place = 0
        while place < count {
            if place + 8 <= count {
                let word = unsafe source.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                if has(word, 0x5c) | has(word, 0x09) | has(word, 0x0a) == 0 {
                    unsafe end.storeBytes(of: word, as: UInt64.self)
                    unsafe end += 8
                    place += 8
                    continue
                }
            }
            for _ in 0..<min(8, count - place) {
                let byte = unsafe source.load(fromByteOffset: place, as: UInt8.self)
                place += 1
                if byte == 0x5c || byte == 0x09 || byte == 0x0a {
                    unsafe end.storeBytes(of: 0x5c, as: UInt8.self)
                    unsafe end += 1
                    unsafe end.storeBytes(
                        of: byte == 0x5c ? 0x5c : byte == 0x09 ? 0x74 : 0x6e, as: UInt8.self)
                } else {
                    unsafe end.storeBytes(of: byte, as: UInt8.self)
                }
                unsafe end += 1
            }
        }
        return unsafe end
    }

    /// Not 0 where a byte of the word is that one.
    @inline(__always)
    private static func has(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let other = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
        return (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080
    }
}
