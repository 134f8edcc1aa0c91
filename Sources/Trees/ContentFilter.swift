public import Archives
public import Basics

/// Looks at every object before it leaves, and may put other bytes in the place of a file's content.
///
/// What it is given is what would be written to the stream, so nothing leaves that it has not seen,
/// even when a file changes during the run. Asked from several lanes at once.
public protocol ContentFilter: Sendable {
    /// Files with more bytes are not read whole.
    var largest: Int64 { get }
    /// Whether files larger than that are left out as `unsearched`; else they pass unseen.
    var refusesLarger: Bool { get }

    /// - Parameters:
    ///   - entry: the object; its extended attributes may be changed.
    ///   - content: the bytes of a file; nil for other kinds.
    ///   - notes: what is to be known about it later; see `TreeExport.notes`. Kept with the segment.
    func pass(
        _ entry: inout Entry, _ content: [UInt8]?, _ notes: inout [JSON]
    ) throws(Failure) -> FilteredContent
}

/// What becomes of an object.
public enum FilteredContent: Sendable {
    case same
    case replaced([UInt8])
    /// Left out as `unsearched`, for a reason.
    case refused(String)
}
