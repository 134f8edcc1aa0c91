public import Basics
public import Streams

/// A run of a disk.
public struct DiskExtent: Sendable, Equatable {
    public let offset: Int64
    public let length: Int64
    /// Whether all of it is zeros, known without reading.
    public let isHole: Bool

    public init(offset: Int64, length: Int64, isHole: Bool) {
        self.offset = offset
        self.length = length
        self.isHole = isHole
    }

    public var end: Int64 { offset + length }
}

/// The visible bytes of a disk. Calls block: make them on a `Lane`, each with a reader of its own.
public protocol ReadableDisk: ~Copyable {
    /// Bytes.
    var size: Int64 { get }
    /// The run that begins at `offset`, which lies before `end`; it ends at `end` at the latest.
    mutating func extent(at offset: Int64, before end: Int64) throws(Failure) -> DiskExtent
    /// Fills the chunk with exactly `count` bytes, at most its capacity, from `offset`.
    mutating func read(_ count: Int, at offset: Int64, into chunk: inout Chunk) throws(Failure)
}

/// A disk that is being filled, in any order.
public protocol WritableDisk: ~Copyable {
    var size: Int64 { get }
    mutating func write(_ bytes: RawSpan, at offset: Int64) throws(Failure)
    /// As if zeros were written, but without taking room where the disk can do that.
    mutating func writeZeros(_ count: Int64, at offset: Int64) throws(Failure)
    /// Brings all that was written to where it outlives a power cut.
    mutating func flush() throws(Failure)
}

extension ReadableDisk where Self: ~Copyable {
    /// Walks over a range by extent; joined runs of holes and of data come in order, without gaps.
    public mutating func walk(
        _ range: Range<Int64>, _ body: (inout Self, DiskExtent) throws(Failure) -> Void
    ) throws(Failure) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let extent = try extent(at: offset, before: range.upperBound)
            guard extent.offset == offset, extent.length > 0, extent.end <= range.upperBound else {
                throw Failure(.failed, "a disk gave an extent that does not follow")
            }
            try body(&self, extent)
            offset = extent.end
        }
    }
}
