public import Basics
public import Streams

/// Takes what a VMA stream holds, in the order of the stream: clusters of all devices may come mixed
/// and in any order.
///
/// Devices are given by their place in `VMAHeader.devices`.
public protocol VMATarget: ~Copyable {
    /// Bytes that belong at an offset of a device: never beyond its end, never twice the same place.
    /// What is not written is zeros.
    mutating func write(_ bytes: RawSpan, to device: Int, at offset: Int64) throws(Failure)
    /// All that the stream has of these 64 KiB (less at the device's end) was written, be it nothing.
    /// Called exactly once for each cluster of each device.
    mutating func finish(cluster: Int64, of device: Int) throws(Failure)
}

/// Reads a VMA stream (version 1) and refuses whatever is not the whole of each device exactly once.
///
/// Memory does not depend on the stream, but for a bit for each cluster. Blocks have no checksum in
/// this format: what guards them is the compression around it, or a digest of the file.
public struct VMAReader<Source: ByteSource & ~Copyable>: ~Copyable {
    public let header: VMAHeader
    private var input: StreamInput<Source>
    private var extent = Chunk(capacity: VMA.extentHeaderSize)
    private let progress: Progress
    private let uuid: (UInt64, UInt64)
    /// The place in `header.devices` of each number, -1 where there is none.
    private let places: [Int]
    private var isDone = false

    /// Bytes of the stream that were read so far.
    public var offset: Int64 { input.offset }

    /// Reads and checks the header.
    public init(_ source: consuming Source, progress: Progress = Progress()) throws(Failure) {
        var input = StreamInput(source)
        var fixed = Chunk(capacity: VMA.fixedHeaderSize)
        try input.fill(&fixed, to: VMA.fixedHeaderSize)
        var bytes = try unsafe fixed.withBytes { (bytes) throws(Failure) in
            unsafe Array(bytes)
        }
        guard bytes.count == VMA.fixedHeaderSize else {
            guard bytes.starts(with: Array("VMA\0".utf8)) else {
                throw VMA.malformed("it does not begin with \"VMA\"")
            }
            throw Self.truncated("its header", at: input.offset)
        }
        let size = try VMAHeader.size(of: bytes)
        var rest = Chunk(capacity: size - bytes.count)
        try input.fill(&rest, to: rest.capacity)
        guard rest.count == rest.capacity else {
            throw Self.truncated("its header", at: input.offset)
        }
        try unsafe rest.withBytes { (more) throws(Failure) in
            unsafe bytes.append(contentsOf: more)
        }
        let header = try VMAHeader(parsing: bytes)
        var places = [Int](repeating: -1, count: 256)
        for (place, device) in header.devices.enumerated() { places[Int(device.number)] = place }
        self.uuid = unsafe header.uuid.withUnsafeBytes {
            unsafe (
                $0.loadUnaligned(as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.places = places
        self.header = header
        self.progress = progress
        self.input = input
    }

    /// Reads all extents; returns when each cluster of each device has come exactly once.
    ///
    /// May be called once.
    public mutating func read(into target: inout some VMATarget & ~Copyable) throws(Failure) {
        precondition(!isDone, "a stream is read once")
        isDone = true
        var clusters = try VMAClusters(header.devices)
        while true {
            try progress.checkCancelled()
            let start = input.offset
            extent.removeAll()
            try input.fill(&extent, to: VMA.extentHeaderSize)
            if extent.isEmpty { break }
            guard extent.count == VMA.extentHeaderSize else {
                throw Self.truncated("the header of an extent", at: input.offset)
            }
            let (uuid, places) = (uuid, places)
            try unsafe extent.withBytes { (header) throws(Failure) in
                try unsafe VMAExtent(offset: start, uuid: uuid).check(header)
                for index in 0..<VMA.slots {
                    let slot = unsafe VMAExtent.slot(index, in: header)
                    if slot.device == 0 { continue }
                    try clusters.note(slot, places[Int(slot.device)], extentAt: start)
                }
            }
            try readClusters(into: &target)
        }
        try clusters.checkComplete(endOfStream: input.offset)
    }

    /// Hands on the blocks of the extent whose header was read and checked.
    private mutating func readClusters(
        into target: inout some VMATarget & ~Copyable
    ) throws(Failure) {
        let before = input.offset
        for index in 0..<VMA.slots {
            let slot = try unsafe extent.withBytes { (header) throws(Failure) in
                unsafe VMAExtent.slot(index, in: header)
            }
            if slot.device == 0 { continue }
            let place = places[Int(slot.device)]
            let isMemory = header.devices[place].isMemory
            let size = header.devices[place].size
            let start = slot.cluster * VMA.clusterSize
            var block = 0
            while block < VMA.blocksPerCluster {
                let left = slot.mask >> UInt16(block)
                if left == 0 { break }
                block += left.trailingZeroBitCount
                let run = (~(slot.mask >> UInt16(block))).trailingZeroBitCount
                try copy(
                    run * VMA.blockSize, to: isMemory ? nil : place,
                    at: start + Int64(block * VMA.blockSize), size: size, into: &target)
                block += run
            }
            if !isMemory { try target.finish(cluster: slot.cluster, of: place) }
        }
        progress.add(bytes: input.offset - before + Int64(VMA.extentHeaderSize))
    }

    /// Hands on one run of blocks, cut off at the end of the device; nil for a device that is skipped.
    private mutating func copy(
        _ count: Int, to device: Int?, at offset: Int64, size: Int64,
        into target: inout some VMATarget & ~Copyable
    ) throws(Failure) {
        var left = count
        var position = offset
        while left > 0 {
            var taken = 0
            let more = try unsafe input.take(upTo: left) { (bytes) throws(Failure) in
                taken = bytes.count
                let wanted = Int(min(Int64(taken), max(0, size - position)))
                guard let device, wanted > 0 else { return }
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<wanted])
                try unsafe target.write(part.bytes, to: device, at: position)
            }
            guard more else { throw Self.truncated("an extent", at: input.offset) }
            left -= taken
            position += Int64(taken)
        }
    }

    private static func truncated(_ place: String, at offset: Int64) -> Failure {
        Failure(
            .truncated, "the VMA stream ends inside \(place), after \(offset) bytes",
            hint: "Copy the file again from where it came, or make the backup again.")
    }
}
