import Basics
import CMariaDB
import Streams

/// Where the rows of a `LOAD DATA LOCAL` come from.
///
/// The library asks for the content of a file that the server names; this answers with the stream of
/// the running statement, whatever name that is, and with nothing when none runs. No file is opened.
final class LoadFeed {
    private let next: (inout Chunk) throws(Failure) -> Void
    private var chunk = Chunk()
    private var place = 0
    /// Line feeds, of which each ends a row.
    private(set) var rows: Int64 = 0
    private(set) var failure: Failure?

    /// - Parameter next: fills the chunk; leaves it empty at the end.
    init(_ next: @escaping (inout Chunk) throws(Failure) -> Void) { self.next = next }

    /// As many bytes as fit; 0 at the end, -1 after a failure.
    fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int32 {
        if failure != nil { return -1 }
        do throws(Failure) {
            if place == chunk.count {
                place = 0
                try next(&chunk)
                if chunk.isEmpty { return 0 }
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe rows += LineFeeds.count(bytes)
                }
            }
            return try unsafe chunk.withBytes { (bytes) throws(Failure) in
                let count = min(buffer.count, bytes.count - place)
                unsafe buffer.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[place..<place + count]))
                place += count
                return Int32(count)
            }
        } catch {
            failure = error
            chunk.removeAll()
            return -1
        }
    }
}

/// Counts rows.
enum LineFeeds {
    static func count(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var count: Int64 = 0
        for index in 0..<bytes.count where unsafe bytes[index] == 0x0a { count += 1 }
        return count
    }
}

extension Session {
    /// What the server says of rows that it took.
    struct Loaded {
        let records: Int64
        let skipped: Int64
        let warnings: [String]
    }

    /// Runs a `LOAD DATA LOCAL INFILE` with the rows of a feed.
    func load(_ sql: String, from feed: LoadFeed) throws(Failure) -> Loaded {
        let user = unsafe Unmanaged.passUnretained(feed)
        unsafe mysql_set_local_infile_handler(
            handle.raw,
            { place, _, user in
                unsafe place?.pointee = user
                return 0
            },
            { user, buffer, count in
                guard let user = unsafe user, let buffer = unsafe buffer else { return -1 }
                return unsafe Unmanaged<LoadFeed>.fromOpaque(user).takeUnretainedValue().read(
                    into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)))
            },
            { _ in },
            { _, message, count in
                if let message = unsafe message, count > 0 { unsafe message.pointee = 0 }
                return 2
            }, unsafe user.toOpaque())
        defer { unsafe mysql_set_local_infile_default(handle.raw) }
        do throws(Failure) { try runPlain(sql) } catch { throw feed.failure ?? error }
        if let failure = feed.failure { throw failure }
        let info = unsafe mysql_info(handle.raw).map { unsafe String(cString: $0) } ?? ""
        let numbers = info.split { !$0.isNumber }.compactMap { Int64($0) }
        guard numbers.count == 4 else {
            throw Failure(.databaseRefused, "the server does not say how many rows it took")
        }
        let warnings =
            numbers[3] > 0
            ? try query("SHOW WARNINGS LIMIT 5").map { "\($0[2] ?? "") [\($0[1] ?? "")]" } : []
        return Loaded(records: numbers[0], skipped: numbers[2], warnings: warnings)
    }

    /// Without looking for interruptions, which whoever feeds the statement does.
    private func runPlain(_ sql: String) throws(Failure) {
        let bytes = Array(sql.utf8)
        let failed = unsafe bytes.withUnsafeBytes { bytes in
            unsafe mysql_real_query(
                handle.raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                UInt(bytes.count))
        }
        guard failed == 0 else { throw self.failed("cannot run \"\(Self.excerpt(sql))\"") }
    }
}
