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

    /// Takes a file away that a task of ours has left beside them; one that is not there is no failure.
    ///
    /// - Parameter path: as the node sees it.
    func remove(_ path: String, on node: String) throws(Failure)
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

    func remove(_ path: String, on node: String) throws(Failure) {
        let path = mount + "/dump/" + Files.lastComponent(of: path)
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw Failure(errno: errno, "cannot remove \"\(path)\"")
    }
}

/// A storage of a node, read by SFTP.
struct RemoteStorage: BackupFiles {
    let settings: SSHSettings
    let progress: Progress

    func open(_ record: StoredBackups.Record) throws(Failure) -> SegmentStream {
        let client = SFTPClient(try settings.sftp(node: record.node), progress: progress)
        let path = path(record.path)
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

    func remove(_ path: String, on node: String) throws(Failure) {
        let client = SFTPClient(try settings.sftp(node: node), progress: progress)
        do throws(Failure) { try client.remove(self.path(path)) } catch {
            if error.code == .notFound { return }
            // An account that may only read is refused whether the file is there or not.
            if error.code != .cancelled, (try? client.exists(self.path(path))) == false { return }
            throw error
        }
    }

    /// Where the login sees what the node sees at a path.
    private func path(_ path: String) -> String {
        settings.path.map { $0 + "/dump/" + Files.lastComponent(of: path) } ?? path
    }
}

extension SSHSettings {
    func sftp(node: String) throws(Failure) -> SFTPSettings {
        let host = hosts[node] ?? node
        return try SFTPSettings(self, host: host)
    }
}
