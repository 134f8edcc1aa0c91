import Basics
import Glibc
import Manifests
import Synchronization

/// The room on the file system of the throw-away targets: checked before a source begins, and promised
/// to one at a time.
final class FreeSpace: Sendable {
    private struct State {
        var promised: [String: Int64] = [:]
    }

    private let path: String
    private let state = Mutex(State())

    init(of path: String) { self.path = path }

    /// Bytes that an unprivileged user could still write (statvfs(3)).
    static func available(at path: String) -> Int64 {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return .max }
        return Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
    }

    /// What a source needs at least where it is restored. Rows take more as tables with their indexes
    /// than as text; what a log of a database takes comes with its server.
    static func need(of source: SourceRecord) -> Int64 {
        let plain = source.artifacts.reduce(Int64(0)) { $0 &+ $1.plainBytes }
        return switch source.kind {
        case "postgresql": plain &* 3 / 2 &+ 100 << 20
        case "mariadb": plain &* 3 / 2 &+ 250 << 20
        // Holes of images take no room.
        case "proxmox", "disks":
            source.artifacts.reduce(Int64(8 << 20)) { sum, artifact in
                let data = artifact.counts.first { $0.key == "data" }?.value.integer
                // Containers are unpacked beside their archives, and streams of machines opened.
                let times: Int64 = ["container", "vzdump"].contains(artifact.kind) ? 2 : 1
                return sum &+ (data ?? artifact.plainBytes) &* times
            }
        default: plain &+ plain / 20 &+ 1 << 20
        }
    }

    /// Throws `.noSpace` where a source would not fit beside those that have begun.
    func admit(_ source: SourceRecord) throws(Failure) {
        let need = Self.need(of: source)
        let free = Self.available(at: path)
        let (fits, promised) = state.withLock { state in
            let promised = state.promised.values.reduce(0, &+)
            let fits = need <= free &- promised
            if fits { state.promised[source.name] = need }
            return (fits, promised)
        }
        guard !fits else { return }
        throw Failure(
            .noSpace,
            "source \"\(source.name)\" needs about \(need >> 20) MiB to be restored, and "
                + "\(max(0, free &- promised) >> 20) MiB are free in \"\(path)\"",
            hint: "Free space, or name a directory on a larger file system with --work.")
    }

    func giveBack(_ source: SourceRecord) {
        state.withLock { $0.promised[source.name] = nil }
    }
}
