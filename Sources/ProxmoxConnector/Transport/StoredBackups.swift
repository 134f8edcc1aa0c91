import Basics
import Connectors
import Guests
import Streams

/// Backups that the cluster writes to a storage on demand, one guest of a node at a time, and that are
/// read from there and deleted.
///
/// What was made stands in `backup` of the guest's directory before anything is read from it; what is
/// being made, in `task`, so that a run that was killed goes on waiting for it.
struct StoredBackups: BackupProvider {
    let canReadAgain = true

    let client: ProxmoxClient
    let reader: ClusterReader
    let settings: ProxmoxSettings
    let storage: String
    let files: any BackupFiles
    /// Stands in the notes of every backup that this run has made.
    let run: String
    let room: Room

    /// A backup on the storage.
    struct Record: Sendable {
        var node: String
        var volume: String
        /// As the node sees it.
        var path: String
        var bytes: Int64
        var facts: [JSON.Member]
    }

    private var mark: String { "exeat export \(run)" }

    func open(_ guest: PlannedGuest, in directory: String) throws(Failure) -> OpenBackup {
        let path = directory + "/backup"
        let record: Record
        if let known = try Record(reading: path) {
            record = known
            guard try isThere(record, guest) else {
                throw Failure(
                    .guestBackupLost, "the backup \"\(record.volume)\" is no longer on the storage",
                    hint: "Run the same command again: this guest begins anew with another backup.")
            }
        } else {
            if let found = try resumed(guest, in: directory) {
                record = found
            } else {
                record = try make(guest, in: directory)
            }
            try Files.write(record.json.canonical, to: path, mode: 0o600)
            try Files.remove(taskPath(directory))
        }
        return OpenBackup(facts: record.facts) { () throws(Failure) in
            try files.open(record)
        }
    }

    private func taskPath(_ directory: String) -> String { directory + "/task" }

    /// What the task makes, or has made, that an interrupted process began; nil where there is none, or
    /// it failed.
    private func resumed(
        _ guest: PlannedGuest, in directory: String
    ) throws(Failure) -> Record? {
        guard Files.exists(taskPath(directory)),
            let upid = UPID(try Files.readText(taskPath(directory)))
        else { return nil }
        do throws(Failure) {
            let follower = TaskFollower(client)
            let result = try follower.follow(upid)
            return try record(
                guest, upid.node, result, follower,
                Timestamp(seconds: upid.start))
        } catch {
            // An interruption has stopped the task as well.
            if error.code == .cancelled { try? removeUnfinished(guest) }
            if error.code == .cancelled || error.code == .serverTaskFailed {
                clear(upid, guest, in: directory)
            }
            if error.code == .cancelled || error.mayRetry { throw error }
            return nil
        }
    }

    /// Makes the backup on the node that the guest is on, wherever it has moved to.
    private func make(_ guest: PlannedGuest, in directory: String) throws(Failure) -> Record {
        try removeUnfinished(guest)
        var node = try reader.node(of: guest.id)
        for _ in 0..<5 {
            let began = room.world.now()
            let fields = parameters(guest)
            switch try client.start(["nodes", node, "vzdump"], fields) {
            case .nothing:
                // It has moved away between the question and the task.
                node = try reader.node(of: guest.id)
            case .running(let upid):
                try Files.write(Array(upid.text.utf8), to: taskPath(directory), mode: 0o600)
                let follower = TaskFollower(client)
                let result: TaskResult
                do throws(Failure) { result = try follower.follow(upid) } catch {
                    try? removeUnfinished(guest)
                    clear(upid, guest, in: directory)
                    throw error
                }
                return try record(guest, node, result, follower, began)
            }
        }
        throw Failure(
            .sourceChanged, "\(guest.title) moves from node to node",
            hint: "Run the same command again when it has settled.", mayRetry: false)
    }

    /// Takes away what a task that has ended left; what cannot go now stays noted.
    private func clear(_ upid: UPID, _ guest: PlannedGuest, in directory: String) {
        let path = ["nodes", upid.node, "tasks", upid.text]
        // An interruption must not keep us from it.
        guard (try? client.getAnyway(path + ["status"]))?["status"]?.string == "stopped",
            let log = try? client.getAnyway(path + ["log"], ["start": "0", "limit": "500"])
        else { return }
        let lines = (log.array ?? []).compactMap { $0["t"]?.string }
        let remains = TaskRemains(files: files, directory: directory)
        var file = Self.archivePath(in: lines)
        if file == nil, let name = TaskRemains.name(of: guest, in: lines),
            let folder = try? reader.storage(storage, on: upid.node).path
        {
            file = folder + "/dump/" + name
        }
        if let file { try? remains.note(file, of: guest, on: upid.node) }
        _ = try? remains.remove()
    }

    /// What the log of a backup says that it writes.
    static func archivePath(in log: [String]) -> String? {
        var path: String?
        for line in log {
            guard let start = line.range(ofText: "creating vzdump archive '"),
                let end = line[start...].firstIndex(of: "'")
            else { continue }
            path = String(line[start..<end])
        }
        return path
    }

    private func parameters(_ guest: PlannedGuest) -> APIFields {
        var fields = APIFields()
        fields.add("vmid", String(guest.id))
        fields.add("mode", settings.mode.rawValue)
        fields.add(
            "compress", settings.compress == .none ? "0" : settings.compress.rawValue)
        fields.add("storage", storage)
        // Never by the storage's own retention: older backups are the customer's.
        fields.add("remove", false)
        // /tmp, /var/tmp and files of process ids are in a container, too.
        if guest.kind == .container { fields.add("stdexcludes", false) }
        if reader.version.has(.importFrom) {
            fields.add("notes-template", mark)
            // Whatever vzdump.conf says: what is made for a while must be deleted again.
            fields.add("protected", false)
        }
        if let fleecing = settings.fleecing, guest.kind == .machine,
            reader.version.has(.fleecing)
        {
            fields.add("fleecing", "enabled=1,storage=\(fleecing)")
        }
        return fields
    }

    /// Finds what a task has written: by its log and on the storage, which must agree.
    private func record(
        _ guest: PlannedGuest, _ node: String, _ result: TaskResult, _ follower: TaskFollower,
        _ began: Timestamp
    ) throws(Failure) -> Record {
        let log = try follower.log(result.upid)
        guard let path = Self.archivePath(in: log), !path.hasSuffix(".dat") else {
            throw Failure(
                .serverAnswer, "the log of the backup of \(guest.title) names no file",
                hint: "Look at the task \(result.upid.text) on the node.")
        }
        let name = Files.lastComponent(of: path)
        let volumes = try content(node, guest.id).filter { $0.volume.hasSuffix("/" + name) }
        guard let volume = volumes.first, volumes.count == 1, volume.bytes > 0 else {
            throw Failure(
                .serverAnswer, "the backup \"\(name)\" is not on the storage \"\(storage)\"")
        }
        var facts: [JSON.Member] = [
            .init("node", .string(node)), .init("began", .string(began.text)),
            .init("ended", .string(room.world.now().text)),
            .init("task", .string(result.upid.text)), .init("file", .string(name)),
            .init("taken", .string(Self.taken(name))),
            .init("mode", .string(Self.mode(in: log) ?? settings.mode.rawValue)),
            .init("version", .string(reader.version.description)),
        ]
        // What goes wrong without ending the backup, such as freezing, is an error in the log alone.
        let warnings = log.filter { $0.contains("WARN") || $0.hasPrefix("ERROR") }
        if !warnings.isEmpty {
            facts.append(.init("warnings", .array(warnings.prefix(20).map { .string($0) })))
        }
        if let freeze = Self.freezing(in: log) {
            facts.append(.init("freeze", .string(freeze)))
        }
        return Record(
            node: node, volume: volume.volume, path: path, bytes: volume.bytes, facts: facts)
    }

    /// The way that was gone: a container on a storage without snapshots is suspended, for one.
    private static func mode(in log: [String]) -> String? {
        let words = "INFO: backup mode: "
        return log.last { $0.hasPrefix(words) }.map { String($0.dropFirst(words.count)) }
    }

    /// What a log says of freezing file systems. It thaws them after a failure, too, and so its last
    /// word is no proof that they were frozen.
    static func freezing(in log: [String]) -> String? {
        let told = log.filter { $0.contains("guest-agent") || $0.contains("fsfreeze") }
        return told.first { $0.contains("fsfreeze") && $0.contains("failed") } ?? told.last
    }

    /// The time in the name of a backup.
    private static func taken(_ name: String) -> String {
        let parts = name.split(separator: "-", maxSplits: 3)
        return parts.count == 4 ? String(parts[3].prefix { $0 != "." }) : ""
    }

    // MARK: - What is on the storage

    private struct Volume {
        let volume: String
        let bytes: Int64
        let notes: String
    }

    private func content(_ node: String, _ id: Int64) throws(Failure) -> [Volume] {
        let answer = try client.get(
            ["nodes", node, "storage", storage, "content"],
            ["content": "backup", "vmid": String(id)])
        return (answer.array ?? []).compactMap { item in
            item["volid"]?.string.map {
                Volume(
                    volume: $0, bytes: item["size"]?.number ?? 0,
                    notes: item["notes"]?.string ?? "")
            }
        }
    }

    private func isThere(_ record: Record, _ guest: PlannedGuest) throws(Failure) -> Bool {
        let node = try reader.node(of: guest.id)
        func holds(_ volumes: [Volume]) -> Bool {
            volumes.contains { $0.volume == record.volume && $0.bytes == record.bytes }
        }
        // A storage that does not answer has not lost it.
        if holds(try content(node, guest.id)) { return true }
        // The node that the guest was on before may be gone for good.
        guard node != record.node, let volumes = try? content(record.node, guest.id) else {
            return false
        }
        return holds(volumes)
    }

    /// Takes away backups of this run that nobody has noted: the process was killed in between.
    private func removeUnfinished(_ guest: PlannedGuest) throws(Failure) {
        guard reader.version.has(.importFrom) else { return }
        let node = try reader.node(of: guest.id)
        for volume in try content(node, guest.id) where isOurs(volume.notes) {
            try delete(volume.volume, on: node)
        }
    }

    private func isOurs(_ notes: String) -> Bool {
        notes.split(separator: "\n").first.map { $0 == mark } ?? false
    }

    private func delete(_ volume: String, on node: String) throws(Failure) {
        let answer = try client.deleteAnyway(
            ["nodes", node, "storage", storage, "content", volume])
        if let upid = answer.string.flatMap({ UPID($0) }) {
            _ = try TaskFollower(client).follow(upid)
        }
    }

    func discard(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? {
        guard let record = try Record(reading: directory + "/backup") else { return nil }
        if try isThere(record, guest) {
            try delete(record.volume, on: record.node)
            return nil
        }
        // On the own storage of a node that does not answer it may be there still.
        do throws(Failure) { _ = try content(record.node, guest.id) } catch {
            if error.code == .cancelled { throw error }
            return "\(record.volume) on \(record.node): \(error.cause?.what ?? error.what)"
        }
        return nil
    }

    func finish(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? {
        var left: [String] = []
        if let record = try Record(reading: directory + "/backup") {
            do throws(Failure) {
                if let kept = try remove(record, of: guest) { left.append(kept) }
            } catch {
                if error.code == .cancelled { throw error }
                left.append("\(record.volume): \(error.what)")
            }
        }
        left += try TaskRemains(files: files, directory: directory).remove()
        return left.isEmpty ? nil : left.joined(separator: "; ")
    }

    /// Gives why it was kept.
    private func remove(_ record: Record, of guest: PlannedGuest) throws(Failure) -> String? {
        // Only what bears our mark, or what the task of this run has named on versions without notes.
        let there = try content(record.node, guest.id).first { $0.volume == record.volume }
        if let there {
            guard isOurs(there.notes) || !reader.version.has(.importFrom) else {
                return "\(record.volume): its notes were changed, so that it was not deleted"
            }
            try delete(record.volume, on: record.node)
        }
        // One more, where a process was killed before it could note what it had begun.
        try removeUnfinished(guest)
        return nil
    }
}

extension StoredBackups.Record {
    var json: JSON {
        [
            "node": .string(node), "volume": .string(volume), "path": .string(path),
            "bytes": .integer(bytes), "facts": .object(facts),
        ]
    }

    init?(reading path: String) throws(Failure) {
        guard Files.exists(path) else { return nil }
        let json = try JSON(parsing: Files.read(path))
        guard let node = json["node"]?.string, let volume = json["volume"]?.string,
            let place = json["path"]?.string, let bytes = json["bytes"]?.integer,
            let facts = json["facts"]?.members
        else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
        self.init(node: node, volume: volume, path: place, bytes: bytes, facts: facts)
    }
}

extension String {
    /// Where a text ends in this one; nil where it is not in it.
    fileprivate func range(ofText text: String) -> Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
