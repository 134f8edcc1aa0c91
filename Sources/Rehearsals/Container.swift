import Basics
import Connectors
import Glibc
import Streams

/// A container that was restored as a tar, unpacked, and running under systemd-nspawn: with a network of
/// its own, users of its own, and processes that end with it.
final class Container: Sendable {
    let process: OwnedProcess
    private let log: String
    private let progress: Progress

    /// - Parameters:
    ///   - files: of the archive that vzdump made of it.
    ///   - errors: a file for what tar complains about.
    static func unpack(
        _ files: String, to root: String, errors: String, asRoot: Bool, progress: Progress
    ) throws(Failure) {
        try Files.makeDirectory(root, mode: 0o755)
        // Whoever is not root can make neither devices nor files of others; what can be read is read.
        let rights =
            asRoot
            ? [
                "--numeric-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*",
                "--acls",
            ] : ["--no-same-owner", "--exclude=./dev/*", "--exclude=dev/*"]
        // What vzdump adds about the guest is no file of the container.
        let outcome = try Command(
            "tar",
            ["--extract", "--file", files, "--directory", root, "--sparse"] + rights
                + ["--exclude=./etc/vzdump", "--exclude=etc/vzdump"],
            environment: ["LC_ALL": "C"]
        ).run(output: "/dev/null", errors: errors, isCancelled: { progress.isCancelled })
        guard outcome.status == 0 else {
            let text = outcome.complaint
            throw Failure(
                text.contains("No space left") ? .noSpace : .guestContent,
                "cannot unpack a container: \(text)")
        }
    }

    /// Starts the system in `root`.
    ///
    /// - Parameters:
    ///   - name: as nspawn knows it; it names a directory in /run.
    ///   - log: a file for its console.
    init(
        _ root: String, named name: String, log: String, record: String, cage: Cage,
        progress: Progress
    ) throws(Failure) {
        self.log = log
        self.progress = progress
        process = try OwnedProcess(
            Self.owning[0],
            Self.owning.dropFirst() + Self.words(root, name) + ["--boot", "--console=pipe"],
            record: record, errors: log, cage: cage)
        let end = monotonicNanoseconds() + 120_000_000_000
        while leader == nil {
            try progress.checkCancelled()
            if let outcome = try process.outcome() {
                throw Failure(
                    .guestContent, "the container did not start: \(outcome.complaint)")
            }
            guard monotonicNanoseconds() < end else {
                process.end()
                throw Failure(.guestContent, "the container did not start: no process is in it")
            }
            usleep(50_000)
        }
    }

    /// The processes of a container outlive a systemd-nspawn that is killed. In a name space of our own
    /// they all end with its first process, and that one with unshare(1).
    private static let owning = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

    private static func words(_ root: String, _ name: String) -> [String] {
        [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
            "--private-users=pick", "--private-users-ownership=auto", "--machine=" + name,
            "--directory=" + root,
        ]
    }

    /// Why containers cannot be started here; nil where they can, which is tried with a root that has
    /// nothing but this machine's programs.
    static func obstacle(
        _ rights: Cage.Rights, in directory: String, named name: String
    ) -> String? {
        guard rights.isRoot else { return "only root can start containers" }
        let version = try? Command("systemd-nspawn", ["--version"]).run(
            output: "/dev/null", errors: "/dev/null")
        guard version?.status == 0 else {
            return "systemd-nspawn is not installed (package systemd-container)"
        }
        do throws(Failure) {
            let root = directory + "/container-trial"
            for path in [root, root + "/etc", root + "/usr"] where !Files.exists(path) {
                try Files.makeDirectory(path, mode: 0o755)
            }
            try Files.write(Array("ID=trial\n".utf8), to: root + "/etc/os-release")
            for link in ["bin", "sbin", "lib", "lib64"] {
                _ = unsafe symlink("usr/" + link, root + "/" + link)
            }
            let outcome = try Command(
                owning[0],
                owning.dropFirst() + words(root, name)
                    + ["--bind-ro=/usr", "--pipe", "--", "/usr/bin/env", "true"]
            ).run(output: "/dev/null", errors: root + ".log")
            guard outcome.status != 0 else { return nil }
            return "systemd-nspawn does not work here: \(outcome.complaint)"
        } catch {
            return "systemd-nspawn does not work here: \(error.what)"
        }
    }

    // MARK: - What it shows

    var isRunning: Bool { process.isRunning && leader != nil }

    /// What came over the console so far.
    var console: String {
        String(decoding: (try? Files.read(log)) ?? [], as: UTF8.self)
    }

    /// Its first process, once that is a program of its own.
    private var leader: Int32? {
        let root = process.number
        return ProcessorTime.tree(of: root).first { number in
            let status = (try? Files.readText("/proc/\(number)/status")) ?? ""
            let spaces =
                status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?
                .split(separator: "\t").dropFirst() ?? []
            // Number 1 of a name space below that of systemd-nspawn.
            guard spaces.count > 2, spaces.last == "1" else { return false }
            let name = (try? Files.readText("/proc/\(number)/comm")) ?? ""
            return !name.hasPrefix("(sd-") && !name.hasPrefix("systemd-nspawn")
        }
    }

    private static func checkLength(_ output: String) throws(Failure) {
        guard try Descriptor(opening: output, O_RDONLY).status().st_size > ProbeAnswer.longest
        else { return }
        throw Failure(
            .invalidValue, "the answer has more than \(ProbeAnswer.longest) bytes",
            hint: "Ask for less, such as a count.")
    }

    /// What a command in the running container writes to standard output. It sees nothing of our
    /// environment.
    func run(_ words: [String], until end: UInt64) throws(Failure) -> String {
        guard let leader else { throw Failure(.notFound, "the container has ended") }
        let output = log + ".out"
        let file = try Descriptor(opening: output, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
        var running = try Command(
            "env",
            [
                "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/root", "TERM=dumb", "nsenter", "--target", String(leader), "--all",
                "--root", "--wd", "--",
            ] + words
        ).start(output: file.raw)
        while true {
            if let outcome = try running.poll() {
                guard outcome.status == 0 else {
                    throw Failure(
                        .guestContent, "\"\(words[0])\" in the container: \(outcome.complaint)")
                }
                try Self.checkLength(output)
                return String(decoding: try Files.read(output), as: UTF8.self)
            }
            try Self.checkLength(output)
            // What is not fetched by then is killed with its owner.
            try progress.checkCancelled()
            guard monotonicNanoseconds() < end else {
                throw Failure(.guestContent, "\"\(words[0])\" in the container did not end in time")
            }
            usleep(50_000)
        }
    }
}
