import Basics
import Glibc
import Synchronization

/// Where the throw-away targets of one rehearsal are, and the list of what must go with them.
///
/// Everything that outlives a process (servers, directories elsewhere) is written down before it
/// exists, so that the next rehearsal can remove what one that was killed has left.
final class RunPlace: Sendable {
    /// `FOLDER/run-…`, 0700.
    let directory: String
    /// A short path that unprivileged servers can reach: sockets must be within 107 bytes (unix(7)).
    let short: String
    private let lock: Descriptor
    private let guardian: Mutex<Guardian?>

    /// Begins the name of every directory of ours outside of the folder.
    static let outsideName = "exeat-rehearsal-"

    init(in folder: String, world: World) throws(Failure) {
        try Files.makeDirectory(folder, mode: 0o700)
        let name = Hex.encode(world.random(6))
        let directory = Files.absolute(folder) + "/run-" + name
        let short = "/tmp/" + Self.outsideName + name
        do throws(Failure) {
            // Whoever cleans up meanwhile finds it locked, or not at all.
            lock = try FolderLock.holding(folder) { () throws(Failure) in
                try Self.locked(directory)
            }
            try Self.fill(directory, short)
            guardian = Mutex(try Guardian(of: directory))
        } catch {
            unsafe rmdir(short)
            try? Files.remove(directory)
            throw error
        }
        self.directory = directory
        self.short = short
    }

    private static func locked(_ directory: String) throws(Failure) -> Descriptor {
        try Files.makeDirectory(directory, mode: 0o700)
        let lock = try Descriptor(opening: directory + "/lock", O_RDWR | O_CREAT)
        guard try lock.lock() else {
            throw Failure(.locked, "\"\(directory)\" is in use by another process")
        }
        return lock
    }

    private static func fill(_ directory: String, _ short: String) throws(Failure) {
        try Files.write(Array((short + "\n").utf8), to: directory + "/places", mode: 0o600)
        try Files.makeDirectory(directory + "/processes", mode: 0o700)
        guard unsafe mkdir(short, 0o711) == 0 else {
            throw Failure(errno: errno, "cannot create \"\(short)\"")
        }
        // The mode counts, whatever the mask of the user is.
        unsafe chmod(short, 0o711)
    }

    /// Where a process writes down that it runs.
    func record(of name: String) -> String { directory + "/processes/" + name }

    /// A name for a container of this run. nspawn makes a directory of that name, which it leaves when it is
    /// killed; it is removed with everything else.
    func containerName(_ name: String) throws(Failure) -> String {
        let unique = Files.lastComponent(of: short) + "-" + name
        let file = try Descriptor(
            opening: directory + "/places", O_WRONLY | O_APPEND, mode: 0o600)
        try file.writeAll(Array("/run/systemd/nspawn/propagate/\(unique)\n".utf8))
        return unique
    }

    /// A new directory for one target.
    func makeDirectory(_ name: String) throws(Failure) -> String {
        let path = directory + "/" + name
        try Files.makeDirectory(path, mode: 0o700)
        return path
    }

    /// Removes everything; whatever has not ended yet is ended first.
    func remove() throws(Failure) {
        guardian.withLock { $0 = nil }
        try Self.clean(directory)
    }

    /// Leaves everything as it is, running servers included.
    func keep() {
        guardian.withLock { $0 = nil }
        try? Files.write([], to: directory + "/kept", mode: 0o600)
    }

    // MARK: - What others have left

    /// Removes what rehearsals that were killed have left in a folder; gives how many there were.
    static func cleanUp(after folder: String) -> Int {
        guard Files.exists(folder) else { return 0 }
        let abandoned = try? FolderLock.holding(folder) { () throws(Failure) in
            var found: [String] = []
            for name in try Files.names(in: folder) where isRun(name, in: folder) {
                let directory = folder + "/" + name
                guard !Files.exists(directory + "/kept") else { continue }
                if (try? locked(directory)) != nil { found.append(directory) }
            }
            return found
        }
        return (abandoned ?? []).count { (try? cleanAbandoned($0)) != nil }
    }

    /// A run whose lock can be had has no process any more.
    private static func cleanAbandoned(_ directory: String) throws(Failure) {
        let lock = try locked(directory)
        try clean(directory)
        // Until here nobody else cleans up.
        _ = lock.raw
    }

    /// Whether a directory was made by a rehearsal: a user's own may be called `run-2026`, too.
    private static func isRun(_ name: String, in folder: String) -> Bool {
        let directory = folder + "/" + name
        guard name.hasPrefix("run-"), name.utf8.count == 16,
            Hex.decode(name.dropFirst(4)) != nil,
            Files.kind(directory) == S_IFDIR, let names = try? Files.names(in: directory)
        else { return false }
        if let places = try? Files.readText(directory + "/places") {
            return places.hasPrefix("/tmp/" + outsideName + name.dropFirst(4) + "\n")
        }
        // It was killed before it wrote anything down.
        return names == ["lock"] || names == ["lock", "places.partial"]
    }

    private static func clean(_ directory: String) throws(Failure) {
        let records = directory + "/processes"
        var ended: [ProcessRecord] = []
        for name in (try? Files.names(in: records)) ?? [] {
            guard let record = ProcessRecord(reading: records + "/" + name), record.isRunning
            else { continue }
            record.end()
            ended.append(record)
        }
        // Children of a server notice a little later that it is gone.
        for _ in 0..<50 where ended.contains(where: \.isRunning) { usleep(100_000) }
        if !ended.isEmpty { usleep(200_000) }
        let places = (try? Files.readText(directory + "/places")) ?? ""
        for place in places.split(separator: "\n") where isOurs(place) {
            try removeSoon(String(place))
        }
        // The list goes last: it says what else there is, and whose all of it is.
        for name in try Files.names(in: directory) where name != "places" && name != "lock" {
            try removeSoon(directory + "/" + name)
        }
        try removeSoon(directory)
    }

    private static func isOurs(_ place: Substring) -> Bool {
        let parts = place.split(separator: "/", omittingEmptySubsequences: false)
        return parts.first == "" && !parts.contains("..")
            && parts.last?.hasPrefix(outsideName) == true
    }

    /// What is dying may still write.
    private static func removeSoon(_ path: String) throws(Failure) {
        for _ in 0..<50 {
            if (try? TreeRemoval.remove(path)) != nil { return }
            usleep(100_000)
        }
        try TreeRemoval.remove(path)
    }
}

/// Rehearsals of the same folder wait for each other where one makes its directory, looks for those of others, or
/// numbers its receipt.
enum FolderLock {
    static func holding<Value: ~Copyable>(
        _ folder: String, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let path = folder + "/.lock"
        while true {
            let lock = try Descriptor(opening: path, O_RDWR | O_CREAT, mode: 0o600)
            while try !lock.lock() { usleep(20_000) }
            // Whoever held it has removed it meanwhile: then it locks nothing any more.
            guard isThere(lock.raw, path) else { continue }
            defer {
                try? Files.remove(path)
                _ = lock.raw
            }
            return try body()
        }
    }

    private static func isThere(_ descriptor: Int32, _ path: String) -> Bool {
        var (held, there) = (stat(), stat())
        guard unsafe fstat(descriptor, &held) == 0, unsafe stat(path, &there) == 0 else {
            return false
        }
        return held.st_dev == there.st_dev && held.st_ino == there.st_ino
    }
}

/// Removes directories that were restored: their modes may forbid even their owner to look into them.
enum TreeRemoval {
    static func remove(_ path: String) throws(Failure) {
        guard let kind = Files.kind(path) else { return }
        guard kind == S_IFDIR else { return try Files.remove(path) }
        // Attributes such as "immutable" would stop even root.
        let outcome = try Command("rm", ["-rf", "--one-file-system", "--", path])
            .run(output: "/dev/null", errors: "/dev/null")
        if outcome.status == 0 { return }
        _ = try? Command("chattr", ["-R", "-f", "-i", "-a", "--", path])
            .run(output: "/dev/null", errors: "/dev/null")
        _ = try? Command("chmod", ["-R", "u+rwx", "--", path])
            .run(output: "/dev/null", errors: "/dev/null")
        let again = try Command("rm", ["-rf", "--one-file-system", "--", path])
            .run(output: "/dev/null", errors: "/dev/null")
        guard again.status == 0 else {
            throw Failure(
                .inputOutput, "cannot remove \"\(path)\"",
                hint: "Remove it by hand: it holds restored data.")
        }
    }
}

/// A process of ours as its record tells: its number, and when it began, so that no other process that
/// got the number later is taken for it.
struct ProcessRecord: Sendable {
    let number: pid_t
    /// Clock ticks since the machine started: field 22 of /proc/PID/stat, proc(5).
    let started: String

    init?(reading path: String) {
        guard let text = try? Files.readText(path) else { return nil }
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let number = pid_t(words[0]), number > 1 else { return nil }
        self.number = number
        started = String(words[1])
    }

    /// A process that runs now; nil where there is none of that number.
    private init?(running number: pid_t) {
        guard let state = Self.state(of: number) else { return nil }
        self.number = number
        started = state.started
    }

    private static func state(of number: pid_t) -> (started: String, hasEnded: Bool)? {
        guard let text = try? Files.readText("/proc/\(number)/stat"),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // A process that has ended and was not fetched is no more in the way.
        return fields.count > 19 ? (String(fields[19]), fields[0] == "Z") : nil
    }

    var isRunning: Bool {
        Self.state(of: number).map { $0.started == started && !$0.hasEnded } ?? false
    }

    /// SIGQUIT first: PostgreSQL then ends its children at once. Scripts leave theirs behind, which are
    /// ended with them.
    func end() {
        guard isRunning else { return }
        let below = ProcessorTime.tree(of: number).filter { $0 != number }
            .compactMap { ProcessRecord(running: $0) }
        kill(number, SIGQUIT)
        for _ in 0..<30 where isRunning { usleep(50_000) }
        if isRunning { kill(number, SIGKILL) }
        for child in below where child.isRunning { kill(child.number, SIGKILL) }
    }
}
