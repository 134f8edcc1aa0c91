import Basics
import Disks
import Glibc
import Streams

/// Machines that a source was restored as streams of vzdump alone: opened, so that they can be started.
enum NativeImages {
    /// The folder beside a stream.
    static let folder = "images"

    /// Opens the stream of each guest that has no image beside it. What is wrong with one is nobody
    /// else's: gives it by the guest's directory.
    static func open(
        in directory: String, progress: Progress
    ) async throws(Failure) -> [String: Failure] {
        var failures: [String: Failure] = [:]
        for name in (try? Files.names(in: directory)) ?? [] {
            let path = directory + "/" + name
            guard Files.kind(path) == S_IFDIR, let files = try? Files.names(in: path),
                let stream = files.first(where: { $0.hasSuffix(".vma") }),
                !files.contains(where: { $0.hasSuffix(".raw") })
            else { continue }
            do throws(Failure) {
                _ = try await MachineExtraction.run(
                    BackupFile(opening: path + "/" + stream), to: path + "/" + folder,
                    progress: progress)
            } catch {
                if error.code == .cancelled || error.code == .noSpace { throw error }
                failures[path] = error
            }
        }
        return failures
    }

    /// The key of a configuration whose disk a device of a stream is: `drive-scsi0`,
    /// `drive-tpmstate0-backup`.
    static func key(of device: String) -> String {
        var key = device[...]
        if key.hasPrefix("drive-") { key = key.dropFirst(6) }
        if key.hasSuffix("-backup") { key = key.dropLast(7) }
        return String(key)
    }
}
