import Archives
import Basics
import Connectors
import Glibc
import Primitives
import Streams

/// Answers what a file of a tree holds: its SHA-256, as sha256sum prints it.
enum FileProbe {
    static func answer(
        _ question: ProbeQuestion, below root: TreeRoot, _ progress: Progress
    ) throws(Failure) -> ProbeAnswer {
        guard case .file(let path) = question else {
            throw Failure(.unsupported, "a tree of files answers to file alone")
        }
        var cursor = TreeCursor(root)
        do throws(Failure) {
            let raw = try unsafe cursor.withParent(of: Array(path.utf8)) {
                (directory, name) throws(Failure) in
                let raw = unsafe openat(
                    directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                guard raw >= 0 else { throw Failure(errno: errno, "cannot open") }
                return raw
            }
            let file = Descriptor(owning: raw)
            guard try file.status().st_mode & S_IFMT == S_IFREG else {
                throw Failure(.invalidValue, "it is no regular file")
            }
            var hasher = SHA256()
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                try progress.checkCancelled()
                let count = try Failure.catching {
                    try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                }
                if count == 0 { break }
                hasher.update(count == buffer.count ? buffer : Array(buffer[..<count]))
            }
            return ProbeAnswer(.string(hasher.finish().hex))
        } catch {
            throw error.code == .cancelled
                ? error : error.during("cannot take the digest of \"\(root.path)/\(path)\"")
        }
    }
}
