import Basics
import Connectors
import Disks
import Glibc
import Streams
import Synchronization

/// A raw image, a block device or a qcow2 that is exported while nothing may change it.
final class DiskImage: Sendable {
    let settings: DiskImagesSettings.Image
    private let progress: Progress
    private let open = Mutex(Open())

    private struct Open: ~Copyable {
        /// Keeps everybody else from mounting a device; nil for a file.
        var claim: SharedDescriptor?
        var server: QemuNBD?
    }

    /// What would be different if somebody had written to it.
    struct Stamp: Sendable, Equatable {
        /// Bytes of the disk.
        var size: Int64
        /// Bytes that are read for it, as far as the file system tells.
        var stored: Int64
        var isDevice: Bool
        /// Of a file: which, how long, and when it was written last. Of a device: which.
        var identity: String
    }

    init(_ settings: DiskImagesSettings.Image, progress: Progress) {
        self.settings = settings
        self.progress = progress
    }

    private var title: String { "the image \"\(settings.path)\"" }

    // MARK: - The state it is in

    /// Looks at it; a device is claimed for as long as this value lives, and refused where it is in use.
    func stamp() throws(Failure) -> Stamp {
        let path =
            Files.kind(settings.path) == S_IFLNK ? Files.absolute(settings.path) : settings.path
        let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let status = try file.status()
        switch status.st_mode & S_IFMT {
        case S_IFREG where path == settings.path:
            let time = status.st_mtim
            return Stamp(
                size: settings.format == .raw
                    ? Int64(status.st_size) : try QemuImage(path, settings.format).checkedSize(),
                stored: min(Int64(status.st_blocks) * 512, Int64(status.st_size)), isDevice: false,
                identity: "\(status.st_dev) \(status.st_ino) \(status.st_size) \(time.tv_sec) "
                    + "\(time.tv_nsec)")
        case S_IFBLK where settings.format == .raw:
            let size = try RawDisk(claim(path)).size
            return Stamp(
                size: size, stored: size, isDevice: true, identity: "\(status.st_rdev) \(size)")
        default:
            throw Failure(
                .diskUnsuitable, "\"\(settings.path)\" is neither a file nor a block device",
                hint: "Name the image itself, by a name that no link stands for.")
        }
    }

    /// A device that is mounted, or a part of something that is, cannot be opened in this way (open(2)).
    private func claim(_ path: String) throws(Failure) -> SharedDescriptor {
        try open.withLock { (open) throws(Failure) in
            if let claim = open.claim { return claim }
            do throws(Failure) {
                let claim = SharedDescriptor(
                    try Descriptor(opening: path, O_RDONLY | O_EXCL | O_NONBLOCK),
                    name: "\"\(path)\"")
                open.claim = claim
                return claim
            } catch {
                throw Failure(
                    .diskUnsuitable, "the device \"\(settings.path)\" cannot be claimed",
                    hint: "Unmount it, or name a snapshot of it.", cause: error)
            }
        }
    }

    func check(_ expected: Stamp) throws(Failure) {
        let found = try stamp()
        guard found.identity == expected.identity, found.size == expected.size else {
            throw Failure(
                .diskUnsuitable, "\(title) has changed since the inventory",
                hint: "Stop what writes to it, then run the same command again: it begins anew.")
        }
    }

    /// Whether a program holds a lock on it, as QEMU does while a guest runs.
    var isLocked: Bool {
        guard let file = try? Descriptor(opening: settings.path, O_RDONLY | O_NONBLOCK) else {
            return false
        }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return unsafe fcntl(file.raw, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// The format whose first bytes it has, although it is taken as a raw disk.
    var looksLike: String? {
        guard settings.format == .raw,
            let file = try? Descriptor(opening: settings.path, O_RDONLY | O_NONBLOCK)
        else { return nil }
        var start = [UInt8](repeating: 0, count: 4)
        let count = try? Failure.catching {
            try unsafe start.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: 0) }
        }
        switch start {
        case _ where count != 4: return nil
        case Array("QFI".utf8) + [0xfb]: return "qcow2"
        case Array("KDMV".utf8): return "VMDK"
        default: return nil
        }
    }

    // MARK: - Reading

    /// The segments of a file with holes, those with most data first; nil where nothing tells.
    func segmentsByData(_ cut: DiskCut) -> [Int]? {
        guard settings.format == .raw, Files.kind(settings.path) == S_IFREG,
            var disk = try? RawDisk(opening: settings.path), disk.size == cut.size
        else { return nil }
        var data = [Int64](repeating: 0, count: cut.count)
        for segment in data.indices {
            try? disk.walk(cut.range(segment)) { (_, extent) throws(Failure) in
                if !extent.isHole { data[segment] += extent.length }
            }
        }
        return data.indices.sorted { (data[$1], $0) < (data[$0], $1) }
    }

    func export(
        _ range: Range<Int64>, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> DiskRange.Note {
        if settings.format == .qcow2 {
            var connection = try NBDConnection(socket: socket())
            let note = try DiskRange.export(&connection, range, into: &sink, progress)
            try connection.disconnect()
            return note
        }
        var disk: RawDisk
        if let claim = open.withLock({ $0.claim }) {
            disk = try RawDisk(claim)
        } else {
            disk = try RawDisk(opening: settings.path)
        }
        return try DiskRange.export(&disk, range, into: &sink, progress)
    }

    private func socket() throws(Failure) -> String {
        try open.withLock { (open) throws(Failure) in
            if let socket = open.server?.socket { return socket }
            let image = QemuImage(settings.path, settings.format)
            try image.checkForeign()
            let progress = progress
            let server = try QemuNBD(
                image, .read, connections: 256, isCancelled: { progress.isCancelled })
            let socket = server.socket
            open.server = consume server
            return socket
        }
    }
}

extension QemuImage {
    /// Bytes of its disk, once nothing in it names other files.
    fileprivate func checkedSize() throws(Failure) -> Int64 {
        try checkForeign()
        return try describe().size
    }
}
