import Basics
import Glibc
import Streams

/// A container that was restored as a tar, unpacked, and run by systemd-nspawn where this machine
/// lets us.
struct Container: Sendable {
    /// Its root directory.
    let root: String
    let log: String
    let progress: Progress

    static func unpack(
        _ archive: String, to root: String, log: String, progress: Progress
    ) throws(Failure) -> Container {
        try Files.makeDirectory(root, mode: 0o755)
        // What vzdump adds about the guest is no file of the container.
        let outcome = try Command(
            "tar",
            [
                "--extract", "--file", archive, "--directory", root, "--numeric-owner",
                "--preserve-permissions", "--xattrs", "--xattrs-include=*", "--acls", "--sparse",
                "--exclude=./etc/vzdump", "--exclude=etc/vzdump",
            ], environment: ["LC_ALL": "C"]
        ).run(output: "/dev/null", errors: log, isCancelled: { progress.isCancelled })
        guard outcome.status == 0 else {
            let text = outcome.complaint
            throw Failure(
                text.contains("No space left") ? .noSpace : .guestContent,
                "cannot unpack a container: \(text)")
        }
        return Container(root: root, log: log, progress: progress)
    }

    /// Why containers cannot be started here; nil where they can.
    static func obstacle(_ rights: Cage.Rights) -> String? {
        guard rights.isRoot else { return "only root can start containers" }
        let version = try? Command("systemd-nspawn", ["--version"]).run(
            output: "/dev/null", errors: "/dev/null")
        guard version?.status == 0 else {
            return "systemd-nspawn is not installed (package systemd-container)"
        }
        return nil
    }

    private var caged: [String] {
        [
            "--quiet", "--register=no", "--private-network", "--keep-unit", "--directory=" + root,
        ]
    }

    /// Starts it to see whether its system comes up; gives what shows that.
    func boot(seconds: Int64, record: String, cage: Cage) throws(Failure) -> String {
        let process = try OwnedProcess(
            "systemd-nspawn", caged + ["--boot", "--console=pipe"], record: record, errors: log,
            cage: cage)
        defer { process.end() }
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds) * 1_000_000_000
        while monotonicNanoseconds() < end {
            try progress.checkCancelled()
            let text = String(decoding: (try? Files.read(log)) ?? [], as: UTF8.self)
            if let sign = Machine.sign(in: text) { return sign }
            // A container that comes up says something; one that nspawn cannot start here says nothing.
            guard !text.isEmpty || monotonicNanoseconds() < start + 20_000_000_000 else {
                throw Failure(
                    .unsupported, "unpacked, not started: systemd-nspawn does not work here")
            }
            if let outcome = try process.outcome() {
                throw Failure(
                    .guestContent, "the container did not start: \(outcome.complaint)")
            }
            usleep(200_000)
        }
        throw Failure(.guestContent, "the container has not come up within \(seconds) s")
    }

    /// What a command in the container writes to standard output.
    func run(_ words: [String], until end: UInt64) throws(Failure) -> String {
        let output = log + ".out"
        let file = try Descriptor(opening: output, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
        var running = try Command(
            "systemd-nspawn", caged + ["--pipe", "--as-pid2", "--"] + words
        ).start(output: file.raw)
        while true {
            if let outcome = try running.poll() {
                guard outcome.status == 0 else {
                    throw Failure(
                        .guestContent, "\"\(words[0])\" in the container: \(outcome.complaint)")
                }
                return String(decoding: try Files.read(output), as: UTF8.self)
            }
            // What is not fetched by then is killed with its owner.
            try progress.checkCancelled()
            guard monotonicNanoseconds() < end else {
                throw Failure(.guestContent, "\"\(words[0])\" in the container did not end in time")
            }
            usleep(50_000)
        }
    }
}
