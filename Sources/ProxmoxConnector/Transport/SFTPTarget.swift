import Basics
import Glibc
import HTTP
import Streams

/// Puts a backup onto a storage of a node by SFTP.
struct SFTPTarget: Sendable {
    private let settings: SSHSettings
    private let node: String

    init(_ settings: SSHSettings, node: String) {
        self.settings = settings
        self.node = node
    }

    /// - Parameter mayBeThere: an interrupted call of this import may have brought it, or a part.
    func put(
        _ path: String, as name: String, storage: StorageFacts, mayBeThere: Bool,
        _ progress: Progress
    ) throws(Failure) {
        let client = SFTPClient(try settings.sftp(node: node), progress: progress)
        let remote = (settings.path ?? storage.path) + "/dump/" + name
        let file = SharedDescriptor(try Descriptor(opening: path, O_RDONLY), name: "\"\(path)\"")
        let size = Int64(try file.descriptor.status().st_size)
        if try client.exists(remote) {
            if mayBeThere, try client.status(of: remote).size == size { return }
            throw Failure(
                .targetOccupied, "\"\(remote)\" is already on node \"\(node)\"",
                hint: "Remove it there if nobody needs it.")
        }
        try client.upload(FileSource(file, from: 0, size: size), size: size, to: remote)
    }
}
