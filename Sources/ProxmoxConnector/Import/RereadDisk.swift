import Basics
import Disks
import Primitives
import Streams
import Synchronization

/// The image of a restored disk, read again for the proof.
final class RereadDisk: Sendable {
    let disk: RestoredDisk
    private let progress: Progress
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var map: QemuMap?
        var server: QemuNBD?
        var ranges: [Int: MerkleRange] = [:]
    }

    init(_ disk: RestoredDisk, progress: Progress) {
        self.disk = disk
        self.progress = progress
    }

    func compare(_ slice: Int) throws(Failure) {
        let range = disk.slices[slice]
        let leaves =
            switch disk.format {
            case .raw: try raw(range)
            case .qcow2: try mapped(range)
            case .vmdk: try served(range)
            }
        state.withLock { $0.ranges[slice] = leaves }
    }

    private func raw(_ range: Range<Int64>) throws(Failure) -> MerkleRange {
        var raw = try RawDisk(opening: disk.path)
        try checkSize(raw.size, is: raw.size == disk.disk.size)
        return try leaves(of: &raw, range)
    }

    /// Reads the file where qemu-img says that the disk's bytes are; qemu-nbd would bring the same bytes
    /// through a socket, which takes twice the time.
    private func mapped(_ range: Range<Int64>) throws(Failure) -> MerkleRange {
        let map = try map()
        do throws(Failure) {
            var mapped = try MappedDisk(map)
            return try leaves(of: &mapped, range)
        } catch {
            // What it does not map, or an older one cannot.
            guard [.unsupported, .diskTool].contains(error.code) else { throw error }
            return try served(range)
        }
    }

    private func served(_ range: Range<Int64>) throws(Failure) -> MerkleRange {
        var connection = try NBDConnection(socket: socket())
        let leaves = try leaves(of: &connection, range)
        try connection.disconnect()
        return leaves
    }

    private func leaves(
        of image: inout some ReadableDisk & ~Copyable, _ range: Range<Int64>
    ) throws(Failure) -> MerkleRange {
        var chunk = Chunk()
        return try DiskDigest.leaves(of: &image, in: range, &chunk, progress: progress)
    }

    private func map() throws(Failure) -> QemuMap {
        try state.withLock { (state) throws(Failure) in
            if let map = state.map { return map }
            let progress = progress
            let map = try QemuMap(
                QemuImage(disk.path, .qcow2), isCancelled: { progress.isCancelled })
            try checkSize(map.size, is: map.size >= disk.disk.size)
            state.map = map
            return map
        }
    }

    private func socket() throws(Failure) -> String {
        try state.withLock { (state) throws(Failure) in
            if let socket = state.server?.socket { return socket }
            let format: QemuImage.Format = disk.format == .vmdk ? .vmdk : .qcow2
            let progress = progress
            let server = try QemuNBD(
                QemuImage(disk.path, format), .read, connections: 256,
                isCancelled: { progress.isCancelled })
            try checkSize(server.size, is: server.size >= disk.disk.size)
            let socket = server.socket
            state.server = consume server
            return socket
        }
    }

    /// Formats other than raw round a size up.
    private func checkSize(_ size: Int64, is enough: Bool) throws(Failure) {
        guard enough else {
            throw Failure(
                .diskUnsuitable, "\"\(disk.path)\" has \(size) bytes, not \(disk.disk.size)")
        }
    }

    /// The digest of what is on the target; nil when it was not read.
    func conclude() throws(Failure) -> Digest256? {
        try state.withLock { (state) throws(Failure) in
            state.map = nil
            if var server = state.server.take() { try server.finish() }
            guard state.ranges.count == disk.slices.count else { return nil }
            return DiskDigest.root(of: disk.slices.indices.compactMap { state.ranges[$0] })
        }
    }
}
