public import Basics
import Glibc
import Synchronization

/// A qcow2 (docs/interop/qcow2.txt of QEMU, version 3) that is being filled from several threads.
///
/// In the file stand a place for the header, the L1 table, all L2 tables, then clusters of data in the
/// order in which they came. Tables that stay empty are holes of the file. The header is written last:
/// before that nothing takes the file for an image. Where data lies is in the L2 tables alone, so an
/// interrupted filling goes on with the ranges that were finished.
public final class Qcow2Image: Sendable {
    /// Bytes of the disk, a multiple of 512.
    public let size: Int64
    fileprivate let file: Descriptor
    fileprivate let path: String
    private let layout: Layout
    /// The next cluster of the file that nothing has.
    private let next: Atomic<Int64>
    private let unsynced = Atomic<Int64>(0)

    fileprivate static let cluster: Int64 = 65_536
    private static let writebackSize: Int64 = 32 << 20
    /// Of an entry: nothing else refers to the cluster, so it may be written in place.
    fileprivate static let copied: UInt64 = 1 << 63

    /// Places of the tables, in clusters of the file.
    private struct Layout: Sendable {
        let l1Entries: Int64
        let l1Clusters: Int64
        static let perTable: Int64 = cluster / 8

        init(size: Int64) {
            let clusters = (size + cluster - 1) / cluster
            // A disk of nothing has a table, too: one that nothing refers to would be lost.
            l1Entries = max(1, (clusters + Self.perTable - 1) / Self.perTable)
            l1Clusters = (l1Entries + Self.perTable - 1) / Self.perTable
        }

        var firstTable: Int64 { 1 + l1Clusters }
        var firstData: Int64 { firstTable + l1Entries }
        /// Where the entry of a cluster of the disk stands, in bytes.
        func entry(of guest: Int64) -> Int64 { firstTable * cluster + guest * 8 }
    }

    /// Begins an image at a path where nothing is.
    public init(creating path: String, size: Int64) throws(Failure) {
        file = try Descriptor(opening: path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        self.path = path
        self.size = (size + 511) / 512 * 512
        layout = Layout(size: self.size)
        next = Atomic(layout.firstData)
        do throws(Failure) { try file.truncate(to: layout.firstData * Self.cluster) } catch {
            throw error.during("cannot make \"\(path)\"")
        }
    }

    /// Goes on with what an interrupted process has left; ranges that it had finished stay.
    public init(resuming path: String, size: Int64) throws(Failure) {
        file = try Descriptor(opening: path, O_RDWR | O_NOFOLLOW)
        self.path = path
        self.size = (size + 511) / 512 * 512
        layout = Layout(size: self.size)
        let status = try file.status()
        let end = (Int64(status.st_size) + Self.cluster - 1) / Self.cluster
        guard status.st_mode & S_IFMT == S_IFREG, end >= layout.firstData else {
            throw Failure(.diskUnsuitable, "\"\(path)\" is not the beginning of an image")
        }
        // Never a cluster that may hold something already.
        next = Atomic(end)
    }

    /// A part of the disk to be filled by one thread; it begins at a cluster, and what was there is void.
    public func part(_ range: Range<Int64>) -> Qcow2Part { Qcow2Part(self, range) }

    fileprivate func allocate(_ count: Int64) -> Int64 {
        next.add(count, ordering: .relaxed).oldValue
    }

    fileprivate func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Failure) {
        do throws(Failure) { try unsafe file.writeAll(bytes, at: offset) } catch {
            throw error.during("cannot write \"\(path)\"", hint: error.hint)
        }
        let waiting = unsynced.add(Int64(bytes.count), ordering: .relaxed).newValue
        if waiting >= Self.writebackSize {
            unsynced.store(0, ordering: .relaxed)
            file.startWriteback()
        }
    }

    fileprivate func write(_ words: [UInt64], at offset: Int64) throws(Failure) {
        let bytes = words.map(\.bigEndian)
        try Failure.catching {
            try unsafe bytes.withUnsafeBytes { try unsafe write($0, at: offset) }
        }
    }

    fileprivate func writeEntries(_ entries: [UInt64], from guest: Int64) throws(Failure) {
        try write(entries, at: layout.entry(of: guest))
    }

    // MARK: - The end

    /// Writes what makes it an image, and brings all of it to the disk. No part may be open.
    public func finish() throws(Failure) {
        let dataEnd = next.load(ordering: .sequentiallyConsistent)
        let counts = RefcountLayout(after: dataEnd)
        var used = ClusterBits(count: counts.end)
        used.insert(0)
        for cluster in 1...layout.l1Clusters { used.insert(cluster) }
        for cluster in dataEnd..<counts.end { used.insert(cluster) }
        var l1: [UInt64] = []
        for table in 0..<layout.l1Entries {
            let place = layout.firstTable + table
            let isUsed = try noteTable(place, &used, dataEnd)
            l1.append(isUsed ? UInt64(place * Self.cluster) | Self.copied : 0)
            if isUsed { used.insert(place) }
        }
        try file.truncate(to: counts.end * Self.cluster)
        try write(l1, at: Self.cluster)
        try write(
            (0..<counts.blocks).map { UInt64((counts.firstBlock + $0) * Self.cluster) },
            at: counts.table * Self.cluster)
        for block in 0..<counts.blocks {
            let first = block * RefcountLayout.perBlock
            let counters = (first..<first + RefcountLayout.perBlock).map {
                UInt16(used.contains($0) ? 1 : 0).bigEndian
            }
            try Failure.catching {
                try unsafe counters.withUnsafeBytes {
                    try unsafe write($0, at: (counts.firstBlock + block) * Self.cluster)
                }
            }
        }
        do throws(Failure) { try file.sync() } catch {
            throw error.during("cannot write \"\(path)\"")
        }
        try write(header(counts), at: 0)
        do throws(Failure) { try file.sync() } catch {
            throw error.during("cannot write \"\(path)\"")
        }
    }

    /// Notes the clusters that a table refers to; false when there are none.
    private func noteTable(
        _ place: Int64, _ used: inout ClusterBits, _ dataEnd: Int64
    ) throws(Failure) -> Bool {
        let (start, end) = (place * Self.cluster, (place + 1) * Self.cluster)
        if case .none = file.nextData(from: start, before: end) { return false }
        var table = [UInt64](repeating: 0, count: Int(Layout.perTable))
        let count = try Failure.catching {
            try unsafe table.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: start) }
        }
        guard count == Int(Self.cluster) else {
            throw Failure(.truncated, "\"\(path)\" ends inside a table")
        }
        var isUsed = false
        for word in table where word != 0 {
            let entry = UInt64(bigEndian: word)
            let cluster = Int64(entry & ~Self.copied) / Self.cluster
            guard entry & Self.copied != 0, cluster >= layout.firstData, cluster < dataEnd,
                used.insert(cluster)
            else {
                throw Failure(
                    .diskUnsuitable, "the tables of \"\(path)\" are damaged",
                    hint: "Remove the file, and import again.")
            }
            isUsed = true
        }
        return isUsed
    }

    private func header(_ counts: RefcountLayout) -> [UInt64] {
        func pair(_ high: UInt32, _ low: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }
        return [
            pair(0x5146_49fb, 3),  // the magic number, version 3
            0,  // no backing file
            pair(0, 16),  // its name has no bytes; clusters of 2^16
            UInt64(size),
            pair(0, UInt32(layout.l1Entries)),  // no encryption
            UInt64(Self.cluster),  // where L1 is
            UInt64(counts.table * Self.cluster),
            pair(UInt32(counts.tableClusters), 0),  // no snapshots
            0, 0, 0, 0,  // their place; features: incompatible, compatible, autoclear
            pair(4, 104),  // counters of 2^4 bits; the length of this header
            0,  // no extensions
        ]
    }
}

/// Where the counters of references stand: behind the data, themselves counted.
private struct RefcountLayout {
    let table: Int64
    let tableClusters: Int64
    let firstBlock: Int64
    let blocks: Int64
    let end: Int64

    /// Counters of 16 bits in a cluster.
    static let perBlock = Qcow2Image.cluster / 2

    init(after dataEnd: Int64) {
        func ceiling(_ count: Int64, _ step: Int64) -> Int64 { (count + step - 1) / step }
        var (blocks, clusters): (Int64, Int64) = (1, 1)
        while true {
            let needed = ceiling(dataEnd + clusters + blocks, Self.perBlock)
            let holding = ceiling(needed * 8, Qcow2Image.cluster)
            if needed == blocks, holding == clusters { break }
            (blocks, clusters) = (needed, holding)
        }
        table = dataEnd
        tableClusters = clusters
        firstBlock = dataEnd + clusters
        self.blocks = blocks
        end = firstBlock + blocks
    }
}

/// A bit for each cluster of a file.
private struct ClusterBits {
    private var words: [UInt64]

    init(count: Int64) { words = [UInt64](repeating: 0, count: Int((count + 63) / 64)) }

    /// False when it was there.
    @discardableResult mutating func insert(_ cluster: Int64) -> Bool {
        let bit: UInt64 = 1 << UInt64(cluster % 64)
        defer { words[Int(cluster / 64)] |= bit }
        return words[Int(cluster / 64)] & bit == 0
    }

    func contains(_ cluster: Int64) -> Bool {
        let word = Int(cluster / 64)
        return word < words.count && words[word] >> UInt64(cluster % 64) & 1 == 1
    }
}

/// A range of a qcow2 on its way in.
public struct Qcow2Part: WritableDisk, ~Copyable {
    private let image: Qcow2Image
    private let range: Range<Int64>
    private let first: Int64
    /// Entries of the L2 tables.
    private var entries: [UInt64]

    fileprivate init(_ image: Qcow2Image, _ range: Range<Int64>) {
        precondition(range.lowerBound % Qcow2Image.cluster == 0 && range.upperBound <= image.size)
        self.image = image
        self.range = range
        first = range.lowerBound / Qcow2Image.cluster
        let end = (range.upperBound + Qcow2Image.cluster - 1) / Qcow2Image.cluster
        entries = [UInt64](repeating: 0, count: Int(end - first))
    }

    public var size: Int64 { image.size }

    public mutating func write(_ bytes: RawSpan, at offset: Int64) throws(Failure) {
        let end = offset + Int64(bytes.byteCount)
        guard offset >= range.lowerBound, end <= range.upperBound else {
            throw Failure(.failed, "a write beyond the end of a part of \"\(image.path)\"")
        }
        if offset == end { return }
        let size = Qcow2Image.cluster
        let places = Int(offset / size - first)...Int((end - 1) / size - first)
        try allocate(places)
        // Each run that lies together in the file is one write.
        var place = places.lowerBound
        var done = offset
        while done < end {
            let start = entries[place] & ~Qcow2Image.copied
            var run = 1
            while place + run <= places.upperBound,
                entries[place + run] & ~Qcow2Image.copied == start + UInt64(Int64(run) * size)
            { run += 1 }
            let runEnd = min(end, (first + Int64(place + run)) * size)
            let target = Int64(start) + done - (first + Int64(place)) * size
            let piece = Int(done - offset)..<Int(runEnd - offset)
            try Failure.catching {
                try unsafe bytes.extracting(piece).withUnsafeBytes {
                    try unsafe image.write($0, at: target)
                }
            }
            done = runEnd
            place += run
        }
    }

    private mutating func allocate(_ places: ClosedRange<Int>) throws(Failure) {
        let missing = places.count { entries[$0] == 0 }
        guard missing > 0 else { return }
        var cluster = image.allocate(Int64(missing))
        for place in places where entries[place] == 0 {
            entries[place] = UInt64(cluster * Qcow2Image.cluster) | Qcow2Image.copied
            cluster += 1
        }
    }

    /// Nothing was there before: what is not written is zeros. Refused where something was written.
    public mutating func writeZeros(_ count: Int64, at offset: Int64) throws(Failure) {
        guard offset >= range.lowerBound, count <= range.upperBound - offset else {
            throw Failure(.failed, "a write beyond the end of a part of \"\(image.path)\"")
        }
        if count == 0 { return }
        let size = Qcow2Image.cluster
        let places = Int(offset / size - first)...Int((offset + count - 1) / size - first)
        guard places.allSatisfy({ entries[$0] == 0 }) else {
            throw Failure(.unsupported, "zeros over bytes of \"\(image.path)\"")
        }
    }

    public mutating func flush() throws(Failure) {}

    /// Makes what was written part of the image.
    public mutating func finish() throws(Failure) {
        try image.writeEntries(entries, from: first)
    }
}
