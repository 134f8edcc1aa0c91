import CLinux
import Glibc

extension Descriptor {
    /// Where a file has data next.
    public enum NextData: Sendable, Equatable {
        /// The first run of data at or behind the place asked for, cut off at the end asked for.
        case data(Range<Int64>)
        /// Nothing but a hole up to the end.
        case none
        /// The file system or device cannot tell; all must be taken for data.
        case unknown
    }

    /// The next data of `start ..< end`, as lseek(2) finds it with SEEK_DATA and SEEK_HOLE.
    ///
    /// Moves the position of the descriptor; calls that name an offset do not mind.
    public func nextData(from start: Int64, before end: Int64) -> NextData {
        Self.nextData(of: raw, from: start, before: end)
    }

    public static func nextData(of file: Int32, from start: Int64, before end: Int64) -> NextData {
        if start >= end { return .none }
        let data = Int64(lseek(file, Int(start), exeat_seek_data))
        // ENXIO: nothing but a hole from here to the end of the file.
        if data < 0 { return errno == ENXIO ? .none : .unknown }
        if data >= end { return .none }
        let hole = Int64(lseek(file, Int(data), exeat_seek_hole))
        return hole > data ? .data(data..<min(hole, end)) : .unknown
    }
}
