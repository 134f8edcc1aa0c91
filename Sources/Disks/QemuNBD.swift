public import Basics
import Glibc
import Synchronization

/// A `qemu-nbd` of ours that serves one image on a socket that nobody else can reach.
///
/// It ends when its last connection does, and this value holds one as long as it lives: when our
/// process dies, however that comes, the kernel closes the connections and qemu-nbd ends by itself.
/// In the moments before the first connection a `Guardian` ends it.
public struct QemuNBD: ~Copyable {
    /// The path of the socket, for `NBDConnection` on any lane; good as long as this value lives.
    public let socket: String
    /// Bytes of the disk.
    public let size: Int64
    private let guardian: Guardian
    private let directory: PrivateDirectory
    private var running: RunningCommand
    private var holder: NBDConnection?
    /// The image to be synced at the end, where qemu-nbd does not.
    private let unsynced: String?

    public enum Access: Sendable {
        case read
        /// A flush brings what was written before it to where it outlives a power cut.
        case write
        /// For an image that is made anew after a crash: nothing waits for the disk before `finish`, which
        /// does. Spares the flushes that keep the image's own tables in order meanwhile.
        case fill
    }

    /// Starts qemu-nbd and waits until it serves.
    ///
    /// - Parameter connections: how many may be open at a time.
    public init(
        _ image: QemuImage, _ access: Access, connections: Int,
        isCancelled: () -> Bool = { false }
    ) throws(Failure) {
        let directory = try PrivateDirectory()
        let socket = directory.path + "/socket"
        var arguments = [
            "--format=\(image.format.rawValue)", "--socket=\(socket)",
            // One for the holder.
            "--shared=\(connections + 1)",
            "--cache=\(access == .fill ? "unsafe" : "writeback")",
        ]
        switch access {
        case .read: arguments.append("--read-only")
        case .write, .fill: arguments += ["--discard=unmap", "--detect-zeroes=unmap"]
        }
        let guardian = try Guardian(of: directory.path)
        var running = try QemuTool.start("qemu-nbd", arguments + ["--", image.path])
        holder = try Self.wait(for: socket, &running, image, isCancelled)
        size = holder?.size ?? 0
        unsynced = access == .fill ? image.path : nil
        self.running = running
        self.directory = directory
        self.guardian = guardian
        self.socket = socket
    }

    private static func wait(
        for socket: String, _ running: inout RunningCommand, _ image: QemuImage,
        _ isCancelled: () -> Bool
    ) throws(Failure) -> NBDConnection {
        let deadline = monotonicSeconds() + 30
        while true {
            if isCancelled() { throw Failure(.cancelled, "interrupted") }
            if let outcome = try running.poll() {
                throw QemuTool.failed("cannot serve \"\(image.path)\"", outcome)
            }
            do throws(Failure) { return try NBDConnection(socket: socket) } catch {
                // Not there yet, or not listening yet; or it listened before it opened the image, and has
                // ended since, which the next round sees.
                guard [.notFound, .inputOutput].contains(error.code) || error.mayRetry else {
                    throw error
                }
                guard monotonicSeconds() < deadline else {
                    throw Failure(
                        .diskTool, "\"qemu-nbd\" does not serve \"\(image.path)\" after 30 s",
                        cause: error)
                }
            }
            usleep(5000)
        }
    }

    private static func monotonicSeconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    /// Flushes, ends the serving, and waits for qemu-nbd, whose good end says that the image is closed.
    ///
    /// All connections must be gone. Nothing may be called afterwards.
    public mutating func finish(isCancelled: () -> Bool = { false }) throws(Failure) {
        guard var last = holder.take() else { return }
        if !last.isReadOnly { try last.flush() }
        try last.disconnect()
        _ = consume last
        let outcome = try running.wait(isCancelled: isCancelled)
        guard outcome.status == 0 else {
            throw QemuTool.failed("cannot close the image", outcome)
        }
        // The flush before has written all to the file, and said what went wrong; this brings it down.
        if let unsynced {
            do throws(Failure) {
                try Descriptor(opening: unsynced, O_RDWR | O_NOFOLLOW).sync()
            } catch {
                throw error.during("cannot write \"\(unsynced)\"")
            }
        }
    }
}

/// A directory of our own that nobody else can enter, removed with what is in it.
struct PrivateDirectory: ~Copyable {
    let path: String

    init() throws(Failure) {
        var template = Array("/tmp/exeat-disk-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw Failure(errno: errno, "cannot make a directory in \"/tmp\"")
        }
        path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? Files.remove(path) }
}
