import Archives
import Basics
import Primitives

/// Cuts the layout into segments. The result depends on the layout alone, so that an interrupted
/// run finds the same segments again.
struct SegmentTable: Sendable {
    private(set) var segments: [SegmentContent] = []

    /// Cuts a finished layout file.
    init(cutting layout: TreeLayout, target: Int64) throws(Failure) {
        var reader = try RecordReader(layout.recordsPath)
        var start: Int64 = 0
        var held: Int64 = 0
        while try !reader.atEnd() {
            let position = reader.position
            let record = try reader.record()
            let bytes = record.streamBytes
            if case .large(let file) = record {
                // The header closes the segment; the data follows in segments of its own.
                segments.append(.entries(from: start, to: reader.position))
                for part in file.parts {
                    segments.append(
                        .part(record: position, from: part.lowerBound, to: part.upperBound))
                }
                (start, held) = (reader.position, 0)
                continue
            }
            if held > 0, held + bytes > target {
                segments.append(.entries(from: start, to: position))
                (start, held) = (position, 0)
            }
            held += bytes
        }
        if start < reader.position || segments.isEmpty {
            segments.append(.entries(from: start, to: reader.position))
        }
    }

    /// Reads a table back.
    init(reading path: String) throws(Failure) {
        var reader = try RecordReader(path)
        while try !reader.atEnd() {
            let tag = try reader.number(UInt8.self)
            let record = try reader.number(Int64.self)
            let from = try reader.number(Int64.self)
            let to = try reader.number(Int64.self)
            segments.append(
                tag == 0
                    ? .entries(from: from, to: to) : .part(record: record, from: from, to: to))
        }
    }

    func write(to path: String) throws(Failure) {
        var writer = try RecordWriter(path)
        for segment in segments {
            switch segment {
            case .entries(let from, let to):
                try writer.append(UInt8(0))
                try writer.append(Int64(0))
                try writer.append(from)
                try writer.append(to)
            case .part(let record, let from, let to):
                try writer.append(UInt8(1))
                try writer.append(record)
                try writer.append(from)
                try writer.append(to)
            }
        }
        try writer.finish()
    }
}

extension LargeFile {
    /// Visible ranges of at most `TreeLayout.partSize` bytes of data, cut at leaves of the tree
    /// digest so that each leaf is hashed by one segment.
    var parts: [Range<Int64>] {
        var parts: [Range<Int64>] = []
        var start: Int64 = 0
        let partSize = TreeLayout.partSize(hasHoles: hasHoles)
        var room = partSize
        for extent in extents {
            var offset = extent.offset
            let end = extent.offset + extent.length
            while end - offset > room {
                // The last leaf border that still fits, unless that would make no progress.
                let border = (offset + room) / TreeDigest.leafSize * TreeDigest.leafSize
                let cut = border > start ? border : offset + room
                parts.append(start..<cut)
                // A border may lie before the data that was counted last; that data comes again.
                start = cut
                offset = max(extent.offset, cut)
                room = partSize
            }
            room -= end - offset
        }
        // A hole at the end needs no segment of its own.
        if room == partSize, let last = parts.popLast() {
            parts.append(last.lowerBound..<size)
        } else {
            parts.append(start..<size)
        }
        return parts
    }
}
