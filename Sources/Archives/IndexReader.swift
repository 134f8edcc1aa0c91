public import Basics
import Glibc
public import Streams

/// Reads the lines of a tree's index one by one.
///
/// Each line must be exactly as `IndexLine` writes it: members in their order, nothing unknown,
/// numbers and escapes in the one form they have, paths that cannot lead out of the tree. Throws
/// `.treeMalformed` or `.treePathUnsafe` with the number of the line. Blocks on its source.
public struct IndexReader: ~Copyable {
    /// In bytes, the newline not counted.
    public static let longestLine = 1 << 20

    private var source: any ByteSource & ~Copyable
    private var chunk = Chunk()
    private var chunkPosition = 0
    private var parser = IndexLineParser()
    /// Bytes of the lines read so far.
    public private(set) var position: Int64 = 0
    /// Lines read so far.
    public private(set) var lines: Int64 = 0

    public init(_ source: consuming some ByteSource & ~Copyable) {
        self.source = consume source
    }

    /// The next line's meaning, nil at the end.
    public mutating func next() throws(Failure) -> IndexItem? {
        guard try readLine() else { return nil }
        lines += 1
        return try parsed()
    }

    private mutating func parsed() throws(Failure) -> IndexItem {
        do throws(Failure) { return try parser.parse() } catch {
            throw error.during("cannot read line \(lines) of the index")
        }
    }

    /// The next entry, lines of omissions passed over.
    public mutating func nextEntry() throws(Failure) -> IndexedEntry? {
        while let item = try next() {
            if case .entry(let indexed) = item { return indexed }
        }
        return nil
    }

    /// The next entry but files that a segment holds whole: what is left to do once those are restored.
    ///
    /// Of an index that was read to its end before: what is passed over is not looked at closely.
    public mutating func nextLate() throws(Failure) -> IndexedEntry? {
        while try readLine() {
            lines += 1
            if parser.isSimpleFile { continue }
            if case .entry(let indexed) = try parsed() { return indexed }
        }
        return nil
    }

    /// The path of the next entry, of an index that was read to its end before.
    public mutating func nextPath() throws(Failure) -> [UInt8]? {
        while try readLine() {
            lines += 1
            do throws(Failure) {
                if let path = try parser.pathOfEntry() { return path }
            } catch { throw error.during("cannot read line \(lines) of the index") }
        }
        return nil
    }

    private mutating func readLine() throws(Failure) -> Bool {
        parser.line.removeAll(keepingCapacity: true)
        while true {
            if chunkPosition == chunk.count {
                chunkPosition = 0
                try source.read(into: &chunk)
                if chunk.isEmpty {
                    if parser.line.isEmpty { return false }
                    throw Failure(.truncated, "the last line of the index does not end")
                }
            }
            var found = false
            let start = chunkPosition
            var end = start
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
                var count = rest.count
                if let base = rest.baseAddress,
                    let newline = unsafe memchr(base, 0x0a, rest.count)
                {
                    count = unsafe UnsafeRawPointer(newline) - base
                    found = true
                }
                guard parser.line.count + count <= Self.longestLine else {
                    throw Failure(.treeMalformed, "line \(lines + 1) of the index is too long")
                }
                unsafe parser.line.append(contentsOf: rest[..<count])
                end = start + count
            }
            chunkPosition = found ? end + 1 : end
            position += Int64(chunkPosition - start)
            if found { return true }
        }
    }
}
