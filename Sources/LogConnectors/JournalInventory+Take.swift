import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Streams
import Synchronization

/// Takes the inventory of a journal: every file is read through, then entries are put in order.
struct JournalInventoryTaker: Sendable {
    let settings: JournaldSettings
    let accepted: Set<LogOmission>
    let room: Room

    func take() throws(Failure) -> JournalInventory {
        let found = try JournalPaths.find(
            settings.isLive ? try JournalPaths.live() : settings.directories)
        guard !found.files.isEmpty || !found.unreadable.isEmpty else {
            throw Failure(
                .notFound, "there are no journal files in \(quoted)",
                hint: "Journal files end in .journal or .journal~; look into the directory.")
        }
        var scanned = try scan(found.files)
        try verifySeals(&scanned)
        var inventory = JournalInventory()
        var report = JournalReport(settings)
        for (path, why) in found.unreadable {
            inventory.omissions.add(
                .filesUnreadable, 1, path, detail: why, accepted: accepted)
        }
        report.note(scanned, accepted, into: &inventory.omissions)
        let wanted = try boots(among: scanned)
        try order(scanned, boots: wanted, into: &inventory, &report)
        try report.noteGaps(scanned, room: room)
        inventory.files = scanned.map {
            .init(path: $0.path, fileID: $0.fileID, size: $0.size)
        }
        if settings.verbatim {
            inventory.verbatim = scanned.indices.filter { !scanned[$0].isDenied }
        }
        for place in scanned.indices { try Files.remove(records(place)) }
        inventory.facts = report.json
        return inventory
    }

    private var quoted: String {
        settings.isLive
            ? "the directories of this machine's journal"
            : settings.directories.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    func records(_ file: Int) -> String { "\(room.directory)/records-\(file)" }

    /// Several files at a time: each is read by one thread.
    func scan(_ paths: [String]) throws(Failure) -> [ScannedFile] {
        let results = Mutex<[Int: ScannedFile]>([:])
        let scan = JournalScan(filter: settings.filter, progress: room.progress)
        let taker = self
        try Team.run(paths.count, threads: room.workers) { (place) throws(Failure) in
            try taker.room.progress.checkCancelled()
            let file = try scan.scan(paths[place], records: taker.records(place))
            results.withLock { $0[place] = file }
        }
        return results.withLock { results in paths.indices.compactMap { results[$0] } }
    }

    /// Holds sealed files against their tags, where the plan has the key.
    private func verifySeals(_ files: inout [ScannedFile]) throws(Failure) {
        guard let key = settings.key, files.contains(where: \.isSealed) else { return }
        let keys = try key.keys()
        let progress = room.progress
        for place in files.indices where files[place].isSealed && files[place].failure == nil {
            let seal = JournalSeal(try JournalFile(files[place].path), key, keys)
            files[place].seal = try seal.verify { () throws(Failure) in
                try progress.checkCancelled()
            }
        }
    }

    /// The boots that the plan asks for; nil for all.
    func boots(among files: [ScannedFile]) throws(Failure) -> Set<JournalID>? {
        guard let texts = settings.boots else { return nil }
        var beginnings: [JournalID: UInt64] = [:]
        var machines: Set<JournalID> = []
        for file in files {
            for run in file.runs { machines.insert(run.stream.machine) }
        }
        let needsOrder = texts.contains { JournalID($0) == nil }
        if needsOrder {
            guard machines.count <= 1 else {
                throw Failure(
                    .invalidValue,
                    "\"boots\" counts from the last one, but there are \(machines.count) machines",
                    hint: "Give the ids of the boots; exeat plan lists them.")
            }
            for (place, file) in files.enumerated() where file.failure == nil {
                var reader = RecordFileReader(
                    records(place), recordSize: JournalRecord.size, from: 0,
                    count: Int64(file.counts.entries))
                while let record = try unsafe reader.next({
                    unsafe JournalRecord($0, boots: file.boots)
                }) {
                    let entry = record.entry
                    beginnings[entry.boot] = min(
                        beginnings[entry.boot] ?? .max, entry.realtime)
                }
            }
        }
        let ordered = beginnings.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
        var wanted: Set<JournalID> = []
        for text in texts {
            if let id = JournalID(text) {
                wanted.insert(id)
            } else if let number = Int(text) {
                let place = number > 0 ? number - 1 : ordered.count - 1 + number
                guard ordered.indices.contains(place) else {
                    throw Failure(
                        .invalidValue, "there is no boot \(number) in the journal",
                        hint: "It holds \(ordered.count) boots.")
                }
                wanted.insert(ordered[place])
            }
        }
        return wanted
    }

    /// Puts the entries of each stream in order and cuts it into segments.
    private func order(
        _ files: [ScannedFile], boots: Set<JournalID>?, into inventory: inout JournalInventory,
        _ report: inout JournalReport
    ) throws(Failure) {
        var sources: [StreamName: [JournalMerge.Source]] = [:]
        for (place, file) in files.enumerated() where file.failure == nil {
            var runs: [StreamName: [(Int64, Int64)]] = [:]
            for run in file.runs { runs[run.stream, default: []].append((run.first, run.count)) }
            for (name, runs) in runs {
                sources[name, default: []].append(
                    JournalMerge.Source(
                        file: place, records: records(place), sequenceID: file.sequenceID,
                        boots: file.boots, runs: runs.map { (first: $0.0, count: $0.1) }))
            }
        }
        var streams: [(UInt64, JournalInventory.Stream)] = []
        let target = try target(files)
        for name in sources.keys.sorted(by: { ($0.machine, $0.boot) < ($1.machine, $1.boot) }) {
            try room.progress.checkCancelled()
            guard boots?.contains(name.boot) ?? true else {
                report.leftOut += sources[name]?.flatMap(\.runs).reduce(0) { $0 + $1.count } ?? 0
                continue
            }
            let number = streams.count
            let path = JournalInventory.ordered(number, in: room.directory)
            var writer = try RecordFileWriter(path, recordSize: OrderedEntry.size)
            var merge = try JournalMerge(sources[name] ?? [])
            var stream = JournalInventory.Stream(name: name, entries: 0, bytes: 0, segments: [])
            var first: UInt64?
            var segment = (entries: Int64(0), bytes: Int64(0))
            var clock = ClockWatch(name)
            while let item = try merge.next() {
                clock.see(item.record.entry)
                guard item.record.isWanted else {
                    report.leftOut += 1
                    continue
                }
                let entry = OrderedEntry(
                    file: item.file, offset: item.record.entry.offset,
                    sequence: item.record.entry.sequence)
                try unsafe writer.append { unsafe entry.store($0) }
                if segment.entries > 0, segment.bytes + item.record.size > target {
                    stream.segments.append(segment.entries)
                    segment = (0, 0)
                }
                segment.entries += 1
                segment.bytes += item.record.size
                stream.entries += 1
                stream.bytes += item.record.size
                first = first ?? item.record.entry.realtime
            }
            report.duplicates += merge.duplicates
            report.clockSteps += clock.steps
            report.clockStepCount += clock.count
            try writer.finish(durably: true)
            guard let first else { continue }
            stream.segments.append(segment.entries)
            streams.append((first, stream))
        }
        inventory.streams = streams.map(\.1)
    }

    /// How large segments are to be: small enough that all lanes have work, and no larger than
    /// 128 MiB.
    private func target(_ files: [ScannedFile]) throws(Failure) -> Int64 {
        let bytes = files.reduce(Int64(0)) { $0 + $1.size }
        return max(8 << 20, min(128 << 20, bytes / 16))
    }
}

extension OmissionSummary {
    /// Adds that many of what one line describes.
    mutating func add(
        _ reason: LogOmission, _ count: Int64, _ object: String, detail: String,
        accepted: Set<LogOmission>
    ) {
        guard count > 0 else { return }
        add(
            reason.rawValue, object, accepted: accepted.contains(reason), detail: detail)
        if let place = counts.firstIndex(where: { $0.reason == reason.rawValue }) {
            counts[place].count += count - 1
        }
    }
}
