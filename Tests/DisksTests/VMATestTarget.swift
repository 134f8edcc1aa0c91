import Basics
import Disks
import Glibc
import Primitives
import Streams

/// Keeps devices in memory and holds the reader to the contract of `VMATarget`.
struct MemoryTarget: VMATarget, ~Copyable {
    var disks: [[UInt8]]
    var finished: [Set<Int64>]
    /// What breaks the contract.
    var faults: [String] = []

    init(_ header: VMAHeader) {
        // Larger ones cannot be complete in a test.
        disks = header.devices.map {
            [UInt8](repeating: 0, count: $0.isMemory || $0.size >= 1 << 24 ? 0 : Int($0.size))
        }
        finished = header.devices.map { _ in [] }
    }

    mutating func write(_ bytes: RawSpan, to device: Int, at offset: Int64) throws(Failure) {
        let end = Int(offset) + bytes.byteCount
        if disks[device].isEmpty { return }
        if bytes.byteCount == 0 || end > disks[device].count {
            faults.append("write of \(bytes.byteCount) at \(offset) of device \(device)")
            return
        }
        if finished[device].contains(offset / 65_536) {
            faults.append("write to a finished cluster, at \(offset) of device \(device)")
        }
        bytes.withUnsafeBytes { disks[device].replaceSubrange(Int(offset)..<end, with: $0) }
    }

    mutating func finish(cluster: Int64, of device: Int) throws(Failure) {
        if !finished[device].insert(cluster).inserted {
            faults.append("cluster \(cluster) of device \(device) finished twice")
        }
    }
}

/// What a stream gave, once it has been read to its end.
struct ReadBackup {
    let header: VMAHeader
    let disks: [[UInt8]]
    let finished: [Int]
    let faults: [String]

    init(_ source: consuming some ByteSource & ~Copyable) throws(Failure) {
        var reader = try VMAReader(source)
        var target = MemoryTarget(reader.header)
        try reader.read(into: &target)
        header = reader.header
        disks = target.disks
        finished = target.finished.map(\.count)
        faults = target.faults
    }

    init(_ bytes: [UInt8]) throws(Failure) { try self.init(MemorySource(bytes)) }
}

/// Gives the bytes of another source in portions as small as one wants.
struct Dribbling: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private let portion: Int
    private var position = 0

    init(_ bytes: [UInt8], portion: Int) {
        self.bytes = bytes
        self.portion = portion
    }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let end = min(bytes.count, position + portion)
        bytes[position..<end].withUnsafeBytes { _ = chunk.append($0) }
        position = end
    }
}
