import Basics
import Connectors
import Disks
import Glibc
import Manifests
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
        var qcow2: Qcow2Image?
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
                // A kill may have struck between the name and the end of what it was made of.
                try Files.remove(partial)
                state.isFinished = true
                state.isBegun = true
                return
            }
            var done: Set<Int> = []
            let lines =
                Files.exists(partial) && Files.exists(notesPath)
                ? try Files.readText(notesPath).split(separator: "\n") : []
            // Segments are not synced one by one: what was written before a crash of the machine may
            // be lost, and is written again.
            if let boot = lines.first, boot == Self.boot {
                done = Set(lines.dropFirst().compactMap { Int($0) })
            }
            do throws(Failure) {
                if done.isEmpty { throw Failure(.notFound, "nothing to go on with") }
                try open(&state)
            } catch {
                // What cannot be gone on with is begun again.
                done = []
                try Files.remove(partial)
                try Files.write(Array((Self.boot + "\n").utf8), to: notesPath, mode: 0o600)
                try create(&state)
            }
            state.done = done
            state.isBegun = true
        }
    }

    /// Names the time since the machine was started (proc(5)).
    private static let boot =
        (try? Files.readText("/proc/sys/kernel/random/boot_id"))?.split(separator: "\n").first
        .map(String.init) ?? "unknown"

    private func create(_ state: inout State) throws(Failure) {
        switch writtenFormat {
        case .qcow2: state.qcow2 = try Qcow2Image(creating: partial, size: disk.size)
        default: state.raw = try SparseDisk(creating: partial, size: disk.size)
        }
    }

    private func open(_ state: inout State) throws(Failure) {
        switch writtenFormat {
        case .qcow2: state.qcow2 = try Qcow2Image(resuming: partial, size: disk.size)
        default: state.raw = try SparseDisk(resuming: partial, size: disk.size)
        }
    }

    func restore(_ segment: Int, from artifacts: any ArtifactSource) throws(Failure) {
        try begin()
        let place: (isDone: Bool, raw: SparseDisk?, qcow2: Qcow2Image?) = state.withLock { state in
            (state.isFinished || state.done.contains(segment), state.raw, state.qcow2)
        }
        if place.isDone { return }
        let stream = try artifacts.open(disk.record, segment: segment)
        let start = disk.offsets[segment]
        if var raw = place.raw {
            try DiskRestore.write(stream, to: &raw, at: start, progress)
        } else if let image = place.qcow2 {
            let end = start + disk.record.segments[segment].plainBytes
            var part = image.part(start..<end)
            try DiskRestore.write(stream, to: &part, at: start, progress)
            try part.finish()
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
            if let image = state.qcow2.take() { try image.finish() }
            let progress = progress
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
