import Basics
import Connectors
import Disks
import Glibc
import HTTP
import Streams

/// Where the files of a storage can be read.
protocol BackupFiles: Sendable {
    /// What vzdump wrote, decompressed.
    func open(_ record: StoredBackups.Record) throws(Failure) -> SegmentStream
}

/// A storage of the cluster that is mounted on this machine.
struct MountedStorage: BackupFiles {
    let mount: String

    func open(_ record: StoredBackups.Record) throws(Failure) -> SegmentStream {
        let path = mount + "/dump/" + Files.lastComponent(of: record.path)
        guard Files.exists(path) else {
            throw Failure(
                .notFound, "\"\(path)\" is not there, and the node has written it",
                hint: "Check that the storage is mounted at \"\(mount)\" on this machine, and that "
                    + "\"dump\" is right below.")
        }
        let file = try BackupFile(opening: path)
        guard file.size == record.bytes else {
            throw Failure(
                .truncated,
                "\"\(path)\" has \(file.size) bytes here and \(record.bytes) on its node")
        }
        return SegmentStream(try file.open())
    }
}

/// A storage of a node, read by SFTP.
struct RemoteStorage: BackupFiles {
    let settings: SSHSettings
    let progress: Progress

    func open(_ record: StoredBackups.Record) throws(Failure) -> SegmentStream {
        let client = SFTPClient(try settings.sftp(node: record.node), progress: progress)
        let path =
            settings.path.map { $0 + "/dump/" + Files.lastComponent(of: record.path) }
            ?? record.path
        let expected = try client.status(of: path)
        guard expected.size == record.bytes else {
            throw Failure(
                .truncated,
                "\"\(path)\" has \(expected.size) bytes by SFTP and \(record.bytes) on its node")
        }
        let source = try client.open(path, expected: expected)
        if path.hasSuffix(".zst") {
            return SegmentStream(try Decompressing(source, size: nil))
        }
        if path.hasSuffix(".gz") { return SegmentStream(try Inflating(source)) }
        if path.hasSuffix(".lzo") {
            throw Failure(
                .unsupported, "a backup that lzop has compressed cannot be read by SFTP",
                hint: "Say \"compress: zstd\" in the plan.")
        }
        return SegmentStream(source)
    }
}

extension SSHSettings {
    func sftp(node: String) throws(Failure) -> SFTPSettings {
        let host = hosts[node] ?? node
        return try SFTPSettings(self, host: host)
    }
}
