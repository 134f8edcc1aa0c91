public import Basics
import Glibc
public import Primitives
public import Streams

/// Turns the backup of a virtual machine into raw images and configuration files.
public enum MachineExtraction {
    public struct Disk: Sendable {
        /// The name of the device in the backup.
        public let name: String
        public let path: String
        public let size: Int64
        /// Bytes that take room on the disk.
        public let allocated: Int64
        /// `sha256-tree-1m`, taken from the image as it was written.
        public let digest: Digest256
    }

    public struct Result: Sendable {
        public let header: VMAHeader
        public let configurations: [String]
        public let disks: [Disk]
    }

    /// Writes `<device>.raw` and each configuration below a directory that is new or empty.
    ///
    /// Files get their names when the whole stream has been read and found good; after a failure none
    /// is left. Digests are taken by reading the images again.
    public static func run(
        _ backup: BackupFile, to directory: String, progress: Progress
    ) async throws(Failure) -> Result {
        try claim(directory)
        let scheduler = Scheduler(workers: 1)
        defer { scheduler.close() }
        var paths: [String] = []
        do throws(Failure) {
            let header = try await scheduler.run { () throws(Failure) in
                try write(backup, to: directory, progress)
            }
            paths = names(header).map { "\(directory)/\($0)" }
            var disks: [Disk] = []
            for device in header.devices where !device.isMemory {
                let path = "\(directory)/\(device.name).raw"
                let file = SharedDescriptor(
                    try Descriptor(opening: path + ".partial", O_RDONLY | O_NOFOLLOW),
                    name: "\"\(path)\"")
                let digest = try await DiskDigest.take(of: device.size, progress: progress) {
                    () throws(Failure) in try RawDisk(file)
                }
                disks.append(
                    Disk(
                        name: device.name, path: path, size: device.size,
                        allocated: Int64(try file.descriptor.status().st_blocks) * 512,
                        digest: digest))
            }
            for path in paths { try Files.rename(path + ".partial", to: path) }
            return Result(
                header: header,
                configurations: header.configurations.map { "\(directory)/\($0.name)" },
                disks: disks)
        } catch {
            for path in paths {
                try? Files.remove(path)
                try? Files.remove(path + ".partial")
            }
            throw error
        }
    }

    /// The files that come of a backup.
    private static func names(_ header: VMAHeader) -> [String] {
        header.configurations.map(\.name)
            + header.devices.filter { !$0.isMemory }.map { $0.name + ".raw" }
    }

    /// Makes the directory, and refuses one that holds something.
    public static func claim(_ directory: String) throws(Failure) {
        try Files.makeDirectory(directory)
        guard try Files.names(in: directory).isEmpty else {
            throw Failure(
                .targetOccupied, "\"\(directory)\" is not empty",
                hint: "Name a directory that is empty or does not exist yet.")
        }
    }

    private static func write(
        _ backup: BackupFile, to directory: String, _ progress: Progress
    ) throws(Failure) -> VMAHeader {
        var reader = try VMAReader(ReadAhead(backup.open()), progress: progress)
        let header = reader.header
        let names = names(header)
        guard Set(names.map { $0.lowercased() }).count == names.count else {
            throw Failure(
                .vmaMalformed, "the VMA stream has objects that would be the same file")
        }
        do throws(Failure) {
            var target = try RawTarget(header, in: directory)
            try reader.read(into: &target)
            try target.flush()
            for configuration in header.configurations {
                let path = "\(directory)/\(configuration.name).partial"
                let file = try Descriptor(
                    opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
                try file.writeAll(configuration.bytes)
                try file.sync()
            }
        } catch {
            for name in names { try? Files.remove("\(directory)/\(name).partial") }
            throw error
        }
        return header
    }
}

/// A raw image for each device of a stream, under names that end with `.partial`.
private struct RawTarget: VMATarget, ~Copyable {
    private var disks: [SparseDisk?] = []

    init(_ header: VMAHeader, in directory: String) throws(Failure) {
        for device in header.devices {
            disks.append(
                device.isMemory
                    ? nil
                    : try SparseDisk(
                        creating: "\(directory)/\(device.name).raw.partial", size: device.size))
        }
    }

    func write(_ bytes: RawSpan, to device: Int, at offset: Int64) throws(Failure) {
        try disks[device]?.write(bytes, at: offset)
    }

    func finish(cluster: Int64, of device: Int) throws(Failure) {}

    func flush() throws(Failure) {
        for disk in disks { try disk?.flush() }
    }
}
