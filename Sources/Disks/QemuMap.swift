import Basics
import Glibc
public import Streams
import Synchronization

/// Where the bytes of an image's disk stand in the file of the image, as qemu-img finds them in its
/// tables: for reading an image without a server between, and without trusting whoever wrote it.
///
/// The tables are asked for piece by piece, so that memory stays flat whatever the size.
public final class QemuMap: Sendable {
    /// Bytes of the disk.
    public let size: Int64
    private let image: QemuImage
    fileprivate let file: SharedDescriptor
    private let window: Int64
    private let isCancelled: @Sendable () -> Bool
    /// What was told last, the newest at the end.
    private let told = Mutex<[(window: Int64, runs: [Run])]>([])

    /// A run of the disk; `place` is where it stands in the file, and nil where all of it is zeros.
    struct Run: Sendable, Equatable {
        let start: Int64
        let end: Int64
        let place: Int64?
    }

    /// An image that is ours, or was checked before, and that nothing writes to.
    ///
    /// - Parameter window: how much of the disk one question is about.
    public init(
        _ image: QemuImage, window: Int64 = 16 << 30,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(Failure) {
        self.image = image
        self.window = window
        self.isCancelled = isCancelled
        size = try image.describe().size
        file = SharedDescriptor(
            try Descriptor(opening: image.path, O_RDONLY | O_NOFOLLOW), name: "\"\(image.path)\"")
    }

    /// The runs of the window with that place, which follow each other without a gap.
    fileprivate func runs(around offset: Int64) throws(Failure) -> [Run] {
        let number = offset / window
        return try told.withLock { (told) throws(Failure) in
            if let known = told.last(where: { $0.window == number }) { return known.runs }
            let runs = try ask(number * window, min(size, (number + 1) * window))
            // Lanes are close to each other: at a border some are in the window before.
            told = told.suffix(1) + [(number, runs)]
            return runs
        }
    }

    private func ask(_ start: Int64, _ end: Int64) throws(Failure) -> [Run] {
        var runs: [Run] = []
        var next = start
        try QemuTool.lines(
            "qemu-img",
            [
                "map", "--output=json", "-f", image.format.rawValue, "--start-offset=\(start)",
                "--max-length=\(end - start)", "--", image.path,
            ], doing: "cannot tell where the data of \"\(image.path)\" is", isCancelled: isCancelled
        ) { (line) throws(Failure) in
            guard let run = try self.run(line) else { return }
            guard run.start == next, run.end > next, run.end <= end else {
                throw confused("its runs do not follow each other")
            }
            next = run.end
            runs.append(run)
        }
        guard next == end else { throw confused("it stops at \(next)") }
        return runs
    }

    /// One object a line, in a list: "[{ "start": 0, "length": 65536, "depth": 0, … },".
    private func run(_ line: [UInt8]) throws(Failure) -> Run? {
        guard let first = line.firstIndex(of: 0x7b), let last = line.lastIndex(of: 0x7d),
            first < last
        else { return nil }
        let json: JSON
        do throws(Failure) { json = try JSON(parsing: Array(line[first...last])) } catch {
            throw confused("it gives no JSON")
        }
        guard let start = json["start"]?.integer, let length = json["length"]?.integer,
            start >= 0, length > 0, length <= Int64.max - start,
            let isZero = json["zero"]?.bool, let isData = json["data"]?.bool
        else { throw confused("a run without a place") }
        if isZero { return Run(start: start, end: start + length, place: nil) }
        guard isData, json["depth"]?.integer == 0, json["compressed"]?.bool != true,
            let place = json["offset"]?.integer, place >= 0
        else {
            throw Failure(
                .unsupported, "\"\(image.path)\" does not hold its disk's bytes as they are")
        }
        return Run(start: start, end: start + length, place: place)
    }

    private func confused(_ what: String) -> Failure {
        Failure(
            .diskTool, "\"qemu-img\" does not tell where the data of \"\(image.path)\" is: \(what)")
    }
}

/// Reads the disk of an image from the places that a map names; several may share a map.
public struct MappedDisk: ReadableDisk, ~Copyable {
    private let map: QemuMap
    private let file: RawDisk
    private var runs: [QemuMap.Run] = []
    private var current = 0

    public init(_ map: QemuMap) throws(Failure) {
        self.map = map
        file = try RawDisk(map.file)
    }

    public var size: Int64 { map.size }

    public mutating func extent(
        at offset: Int64, before end: Int64
    ) throws(Failure) -> DiskExtent {
        let run = try run(at: offset)
        return DiskExtent(
            offset: offset, length: min(run.end, end) - offset, isHole: run.place == nil)
    }

    /// The bytes must be those of one extent.
    public mutating func read(
        _ count: Int, at offset: Int64, into chunk: inout Chunk
    ) throws(Failure) {
        let run = try run(at: offset)
        guard let place = run.place, Int64(count) <= run.end - offset else {
            throw Failure(.failed, "a read beyond the extents of \(map.file.name)")
        }
        try file.read(count, at: place + offset - run.start, into: &chunk)
    }

    private mutating func run(at offset: Int64) throws(Failure) -> QemuMap.Run {
        precondition(offset >= 0 && offset < size)
        if current < runs.count, runs[current].start <= offset, offset < runs[current].end {
            return runs[current]
        }
        if runs.isEmpty || offset < runs[0].start || offset >= runs[runs.count - 1].end {
            runs = try map.runs(around: offset)
        }
        current = min(runs.partitioningIndex { $0.end > offset }, runs.count - 1)
        return runs[current]
    }
}
