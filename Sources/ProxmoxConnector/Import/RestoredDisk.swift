import Basics
import Connectors
import Disks
import Glibc
import Primitives
import Streams
import Synchronization

/// A disk of an archive on its way into an image file, from several lanes at once.
///
/// It grows as `PATH.partial`; which segments are in it stands beside its state in the room, so that
/// an interrupted import goes on with it.
final class RestoredDisk: Sendable {
    enum Format: String, Sendable, CaseIterable { case qcow2, raw, vmdk }

    let path: String
    let format: Format
    let disk: StoredGuests.Disk
    private let notesPath: String
    private let progress: Progress
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var raw: SparseDisk?
        var server: QemuNBD?
        var done: Set<Int> = []
        var isBegun = false
        var isFinished = false
    }

    private var partial: String { path + ".partial" }
    /// What the bytes are written to first; a vmdk is made of a raw image at the end.
    private var writtenFormat: Format { format == .vmdk ? .raw : format }

    /// - Parameter notes: a file of the room.
    init(
        _ disk: StoredGuests.Disk, to path: String, _ format: Format, notes: String,
        progress: Progress
    ) {
        self.disk = disk
        self.path = path
        self.format = format
        notesPath = notes
        self.progress = progress
    }

    var isFinished: Bool { state.withLock { $0.isFinished } }

    // MARK: - Writing

    /// Opens the image that an interrupted import has begun, or makes a new one.
    func begin() throws(Failure) {
        try state.withLock { (state) throws(Failure) in
            if state.isBegun { return }
            if Files.exists(path) {
                guard Files.exists(notesPath) else {
                    throw Failure(
                        .targetOccupied, "\"\(path)\" is already there",
                        hint: "Remove it, or import to another directory.")
                }
                state.isFinished = true
                state.isBegun = true
                return
            }
            var done: Set<Int> = []
            if Files.exists(partial), Files.exists(notesPath) {
                done = Set(
                    try Files.readText(notesPath).split(separator: "\n").compactMap { Int($0) })
            }
            do throws(Failure) {
                if done.isEmpty { throw Failure(.notFound, "nothing to go on with") }
                try open(&state)
            } catch {
                // What cannot be gone on with is begun again.
                done = []
                try Files.remove(partial)
                try Files.write([], to: notesPath, mode: 0o600)
                try create(&state)
            }
            state.done = done
            state.isBegun = true
        }
    }

    private func create(_ state: inout State) throws(Failure) {
        switch writtenFormat {
        case .qcow2:
            let image = try QemuImage.create(qcow2: partial, size: disk.size)
            state.server = try serve(image)
        default: state.raw = try SparseDisk(creating: partial, size: disk.size)
        }
    }

    private func open(_ state: inout State) throws(Failure) {
        switch writtenFormat {
        case .qcow2:
            let image = QemuImage(partial, .qcow2)
            guard try image.describe().size == disk.size else {
                throw Failure(.diskUnsuitable, "\"\(partial)\" has another size")
            }
            try image.check()
            state.server = try serve(image)
        default: state.raw = try SparseDisk(resuming: partial, size: disk.size)
        }
    }

    private func serve(_ image: QemuImage) throws(Failure) -> QemuNBD {
        let progress = progress
        return try QemuNBD(image, .write, connections: 256, isCancelled: { progress.isCancelled })
    }

    func restore(_ segment: Int, from artifacts: any ArtifactSource) throws(Failure) {
        try begin()
        let place: (isDone: Bool, raw: SparseDisk?, socket: String?) = state.withLock { state in
            (
                state.isFinished || state.done.contains(segment), state.raw,
                state.server?.socket
            )
        }
        if place.isDone { return }
        let stream = try artifacts.open(disk.record, segment: segment)
        if var raw = place.raw {
            try DiskRestore.write(stream, to: &raw, at: disk.offsets[segment], progress)
            try raw.flush()
        } else if let socket = place.socket {
            var connection = try NBDConnection(socket: socket)
            try DiskRestore.write(stream, to: &connection, at: disk.offsets[segment], progress)
            // Until then QEMU holds the image's own tables back, and may find no room for them.
            try connection.flush()
            try connection.disconnect()
        }
        try state.withLock { (state) throws(Failure) in
            state.done.insert(segment)
            let file = try Descriptor(
                opening: notesPath, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
            try file.writeAll(Array("\(segment)\n".utf8))
        }
    }

    /// Closes the image and gives it its name.
    func finish() throws(Failure) {
        try begin()
        try state.withLock { (state) throws(Failure) in
            if state.isFinished { return }
            if let raw = state.raw.take() { try raw.flush() }
            let progress = progress
            if var server = state.server.take() {
                try server.finish(isCancelled: { progress.isCancelled })
            }
            if format == .vmdk {
                let converted = path + ".vmdk.partial"
                try Files.remove(converted)
                _ = try QemuImage(partial, .raw).convert(
                    toStreamOptimized: converted, isCancelled: { progress.isCancelled })
                try Files.rename(converted, to: path)
                try Files.remove(partial)
            } else {
                try Files.rename(partial, to: path)
            }
            state.isFinished = true
        }
    }

    // MARK: - Reading again

    /// Where the disk is cut for taking its digest.
    var slices: [Range<Int64>] { DiskDigest.parts(of: disk.size, each: 256 << 20) }
}

/// The image of a restored disk, read again for the proof.
final class RereadDisk: Sendable {
    let disk: RestoredDisk
    private let progress: Progress
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var server: QemuNBD?
        var ranges: [Int: MerkleRange] = [:]
    }

    init(_ disk: RestoredDisk, progress: Progress) {
        self.disk = disk
        self.progress = progress
    }

    func compare(_ slice: Int) throws(Failure) {
        let range = disk.slices[slice]
        var chunk = Chunk()
        let leaves: MerkleRange
        if disk.format == .raw {
            var raw = try RawDisk(opening: disk.path)
            guard raw.size == disk.disk.size else {
                throw Failure(
                    .diskUnsuitable, "\"\(disk.path)\" has \(raw.size) bytes, not \(disk.disk.size)"
                )
            }
            leaves = try DiskDigest.leaves(of: &raw, in: range, &chunk, progress: progress)
        } else {
            let socket = try socket()
            var connection = try NBDConnection(socket: socket)
            leaves = try DiskDigest.leaves(of: &connection, in: range, &chunk, progress: progress)
            try connection.disconnect()
        }
        state.withLock { $0.ranges[slice] = leaves }
    }

    private func socket() throws(Failure) -> String {
        try state.withLock { (state) throws(Failure) in
            if let socket = state.server?.socket { return socket }
            let format: QemuImage.Format = disk.format == .vmdk ? .vmdk : .qcow2
            let progress = progress
            let server = try QemuNBD(
                QemuImage(disk.path, format), .read, connections: 256,
                isCancelled: { progress.isCancelled })
            guard server.size >= disk.disk.size else {
                throw Failure(
                    .diskUnsuitable,
                    "\"\(disk.path)\" has \(server.size) bytes, not \(disk.disk.size)")
            }
            let socket = server.socket
            state.server = consume server
            return socket
        }
    }

    /// The digest of what is on the target; nil when it was not read.
    func conclude() throws(Failure) -> Digest256? {
        try state.withLock { (state) throws(Failure) in
            if var server = state.server.take() { try server.finish() }
            guard state.ranges.count == disk.slices.count else { return nil }
            return DiskDigest.root(of: disk.slices.indices.compactMap { state.ranges[$0] })
        }
    }
}
