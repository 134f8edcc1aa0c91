import Basics
import Connectors
import Disks
import Glibc
import Streams
import Synchronization

/// A guest's backup, decoded beside the lanes: each device into a sparse file, and the stream itself
/// where it is wanted.
///
/// A segment of a device can be read as soon as all its clusters have come, while the rest is still on
/// its way. What can be read from its backup again is given back as soon as it is exported, and
/// decoding waits while several segments lie ready: mostly it never reaches a disk.
final class GuestSpool: Sendable {
    struct Device: Sendable, Equatable {
        let name: String
        let size: Int64
    }

    /// What is known of the backup once its header was read; of a container's, once all was.
    struct Contents: Sendable {
        var devices: [Device] = []
        /// Files of the configuration by name.
        var configurations: [(name: String, bytes: [UInt8])] = []
        var facts: [JSON.Member] = []
        /// Bytes of the stream, once it has ended.
        var streamBytes: Int64?
    }

    private enum Stage {
        /// All of it has come, and nobody has read it.
        case whole
        /// It was exported, and its room is given back.
        case released
    }

    private struct State {
        var contents: Contents?
        /// Segments that are not missing any more, by device.
        var segments: [[Int: Stage]] = []
        /// How many of them are whole.
        var waiting = 0
        /// How many wait for a segment that is not whole yet.
        var wanted = 0
        /// Nobody will take segments any more: only the end matters.
        var isDraining = false
        var isComplete = false
        var failure: Failure?
    }

    /// So many segments may lie ready before decoding waits for somebody to take them.
    private static let mostWaiting = 4

    private let directory: String
    private let guest: PlannedGuest
    private let progress: Progress
    private let state = Monitor(State())
    private let lane = Mutex<Lane?>(nil)
    private let disks = Mutex<[SparseDisk]>([])
    /// Whether what is decoded must be kept until all of the guest is in the archive.
    private let isKept: Bool

    private var completePath: String { directory + "/complete" }
    /// Written once the whole backup was read and nothing was wrong with it.
    private var verifiedPath: String { directory + "/verified" }
    var isVerified: Bool { Files.exists(verifiedPath) }
    var streamPath: String { directory + "/stream" }

    /// - Parameter isKept: the backup cannot be read again.
    init(_ guest: PlannedGuest, directory: String, isKept: Bool, progress: Progress) {
        self.guest = guest
        self.isKept = isKept
        self.directory = directory
        self.progress = progress
    }

    func path(of device: String) -> String {
        // Names of devices are checked by the reader: no slash, no control characters.
        directory + "/device-" + device
    }

    /// Whether an earlier process has decoded all of it.
    static func isComplete(in directory: String) -> Bool {
        Files.exists(directory + "/complete")
    }

    /// Reads what an earlier process has decoded.
    func reopen() throws(Failure) {
        let contents = try Contents(reading: completePath, directory: directory)
        try state.change { state in
            state.contents = contents
            state.isComplete = true
        }
    }

    /// Begins to decode, on a thread of its own.
    func begin(_ backup: OpenBackup) {
        let lane = Lane()
        self.lane.withLock { $0 = lane }
        Task(executorPreference: lane) { @concurrent [self] () async -> Void in
            do throws(Failure) {
                try decode(backup)
            } catch {
                try? state.change { $0.failure = error }
            }
            lane.close()
        }
    }

    /// Waits until it is known what the backup holds.
    ///
    /// - Parameter toTheEnd: until all of it has come as well.
    func contents(toTheEnd: Bool) throws(Failure) -> Contents {
        if toTheEnd { try state.change { $0.isDraining = true } }
        return try state.wait { (state) throws(Failure) -> Contents? in
            if let failure = state.failure { throw failure }
            try progress.checkCancelled()
            return state.isComplete || !toTheEnd ? state.contents : nil
        }
    }

    /// Waits until a segment of a device can be read.
    func wait(for segment: Int, of device: Int) throws(Failure) {
        try state.change { $0.wanted += 1 }
        defer { try? state.change { $0.wanted -= 1 } }
        try state.wait { (state) throws(Failure) -> Void? in
            if let failure = state.failure { throw failure }
            try progress.checkCancelled()
            switch state.segments.isEmpty ? nil : state.segments[device][segment] {
            case .whole: return ()
            case .released:
                throw Failure(
                    .failed, "a segment of a disk was to be read once more",
                    hint: "Run the same command again.")
            case nil: return state.isComplete && state.segments.isEmpty ? () : nil
            }
        }
    }

    /// A segment was exported and will not be asked for again in this process.
    func release(_ segment: Int, of device: Int) throws(Failure) {
        if isKept || guest.isNative { return }
        let disk = disks.withLock { $0.isEmpty ? nil : $0[device] }
        guard let disk else { return }
        let isFirst = try state.change { state in
            guard state.segments[device][segment] == .whole else { return false }
            state.segments[device][segment] = .released
            state.waiting -= 1
            return true
        }
        if isFirst { try disk.release(DiskCut(size: disk.size).range(segment)) }
    }

    /// Throws when anything that was written for a device may not have been read back as it was: what
    /// the page cache could not bring to the disk is only told to whoever asks the file itself.
    func checkWritten(_ device: Int) throws(Failure) {
        let disk = disks.withLock { $0.isEmpty ? nil : $0[device] }
        try disk?.flush()
    }

    // MARK: - Decoding

    private func decode(_ backup: OpenBackup) throws(Failure) {
        // What an interrupted process has begun is begun again.
        for name in try Files.names(in: directory)
        where name.hasPrefix("device-") || name == "stream" {
            try Files.remove(directory + "/" + name)
        }
        let plain = try backup.stream()
        switch guest.kind {
        case .machine: try decodeMachine(plain, backup)
        case .container: try decodeContainer(plain, backup)
        }
    }

    private func decodeMachine(
        _ plain: consuming SegmentStream, _ backup: OpenBackup
    ) throws(Failure) {
        let copy = guest.isNative ? try StreamCopy(creating: streamPath) : nil
        var reader = try VMAReader(Copied(plain, to: copy), progress: Progress())
        let header = reader.header
        let devices = header.devices.filter { !$0.isMemory }
        let contents = Contents(
            devices: devices.map { Device(name: $0.name, size: $0.size) },
            configurations: header.configurations.map { ($0.name, $0.bytes) },
            facts: backup.facts + [
                .init("vma", .string(header.uuidText)),
                .init("created", .string(header.created.text)),
            ], streamBytes: nil)
        var disks: [SparseDisk?] = []
        for device in header.devices {
            disks.append(
                device.isMemory
                    ? nil
                    : try SparseDisk(
                        creating: path(of: device.name), size: device.size, isKept: isKept))
        }
        let made = disks.compactMap { $0 }
        self.disks.withLock { $0 = made }
        try state.change { state in
            state.segments = devices.map { _ in [:] }
            state.contents = contents
        }
        var target = SpoolTarget(
            disks: disks, sizes: header.devices.map(\.size),
            places: header.devices.map { device in
                devices.firstIndex { $0.name == device.name } ?? -1
            }, progress: progress, whole: whole)
        try reader.read(into: &target)
        if isKept { for disk in disks { try disk?.flush() } }
        var complete = contents
        complete.streamBytes = try copy?.finish() ?? reader.offset
        try finish(complete)
    }

    /// Notes a segment that has come as a whole, and waits while others lie ready that nobody has
    /// taken; unless somebody waits for one that has not come, which may be far behind.
    private func whole(_ segment: Int, of device: Int) throws(Failure) {
        try state.change { state in
            state.segments[device][segment] = .whole
            state.waiting += 1
        }
        if isKept || guest.isNative { return }
        try state.wait { (state) throws(Failure) -> Void? in
            try progress.checkCancelled()
            let mayGoOn =
                state.waiting < Self.mostWaiting || state.wanted > 0 || state.isDraining
            return mayGoOn ? () : nil
        }
    }

    private func decodeContainer(
        _ plain: consuming SegmentStream, _ backup: OpenBackup
    ) throws(Failure) {
        let copy = try StreamCopy(creating: streamPath)
        var source = Copied(plain, to: copy)
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try source.read(into: &chunk)
        } while !chunk.isEmpty
        let size = try copy.finish()
        let archive = try ContainerArchive(readingStartOf: FileSource(opening: streamPath))
        // GNU tar ends with two blocks of zeros; what ends otherwise was cut off.
        guard size >= 1024, size % 512 == 0, try endsWithZeros(size) else {
            throw Failure(.truncated, "the tar stream ends without its end")
        }
        var files = [(name: "pct.conf", bytes: archive.configuration)]
        if let firewall = archive.firewall { files.append(("pct.fw", firewall)) }
        try finish(
            Contents(configurations: files, facts: backup.facts, streamBytes: size))
    }

    private func endsWithZeros(_ size: Int64) throws(Failure) -> Bool {
        let file = SharedDescriptor(
            try Descriptor(opening: streamPath, O_RDONLY), name: "\"\(streamPath)\"")
        var source = FileSource(file, from: size - 1024, size: 1024)
        var chunk = Chunk(capacity: 1024)
        try source.read(into: &chunk)
        return try unsafe chunk.withBytes { (bytes) throws(Failure) in
            guard bytes.count == 1024 else { return false }
            return unsafe bytes.allSatisfy { $0 == 0 }
        }
    }

    private func finish(_ contents: Contents) throws(Failure) {
        if isKept { try contents.write(to: completePath, directory: directory) }
        try Files.write([], to: verifiedPath, mode: 0o600)
        try state.change { state in
            state.contents = contents
            state.isComplete = true
        }
    }
}

/// Writes clusters into the files of the spool, and tells which segments have become whole.
private struct SpoolTarget: VMATarget, ~Copyable {
    let disks: [SparseDisk?]
    let places: [Int]
    let progress: Progress
    let whole: (Int, Int) throws(Failure) -> Void
    private let cuts: [DiskCut]
    /// Clusters that are still missing, by device and segment.
    private var missing: [[Int64]]

    private static let cluster: Int64 = 65_536

    init(
        disks: [SparseDisk?], sizes: [Int64], places: [Int], progress: Progress,
        whole: @escaping (Int, Int) throws(Failure) -> Void
    ) {
        self.disks = disks
        self.places = places
        self.progress = progress
        self.whole = whole
        cuts = sizes.map { DiskCut(size: $0) }
        missing = cuts.map { cut in
            (0..<cut.count).map { segment in
                let range = cut.range(segment)
                return (range.upperBound - range.lowerBound + Self.cluster - 1) / Self.cluster
            }
        }
    }

    mutating func write(
        _ bytes: RawSpan, to device: Int, at offset: Int64
    ) throws(Failure) {
        try disks[device]?.write(bytes, at: offset)
    }

    mutating func finish(cluster: Int64, of device: Int) throws(Failure) {
        let segment = cuts[device].segment(at: cluster * Self.cluster)
        missing[device][segment] -= 1
        if missing[device][segment] == 0 {
            try progress.checkCancelled()
            if places[device] >= 0 { try whole(segment, places[device]) }
        }
    }
}

// MARK: - In the room

extension GuestSpool.Contents {
    func write(to path: String, directory: String) throws(Failure) {
        for configuration in configurations {
            try Files.write(
                configuration.bytes, to: directory + "/file-" + configuration.name, mode: 0o600)
        }
        let json: JSON = [
            "devices": .array(
                devices.map { ["name": .string($0.name), "size": .integer($0.size)] }),
            "files": .array(configurations.map { .string($0.name) }), "facts": .object(facts),
            "stream": streamBytes.map { .integer($0) } ?? .null,
        ]
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    init(reading path: String, directory: String) throws(Failure) {
        let json = try JSON(parsing: Files.read(path))
        guard let devices = json["devices"]?.array, let files = json["files"]?.array,
            let facts = json["facts"]?.members
        else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
        self.devices = try devices.map { (device) throws(Failure) in
            guard let name = device["name"]?.string, let size = device["size"]?.integer else {
                throw Failure(.failed, "the note \"\(path)\" is damaged")
            }
            return GuestSpool.Device(name: name, size: size)
        }
        configurations = try files.map { (file) throws(Failure) in
            let name = file.string ?? ""
            return (name, try Files.read(directory + "/file-" + name))
        }
        self.facts = facts
        streamBytes = json["stream"]?.integer
    }
}
