import Basics
import Connectors
import Glibc
import Logs
import Streams

/// What the inventory has learnt of one journal file.
struct ScannedFile: Sendable {
    var path: String
    /// Why it could not be read at all; then the rest says nothing.
    var failure: String?
    var isDenied = false
    var fileID = JournalID.zero
    var machineID = JournalID.zero
    var sequenceID = JournalID.zero
    var state = "unknown"
    var isSealed = false
    /// What the verification of a sealed file has given; nil without a key.
    var seal: JournalSeal.Outcome?
    var tags: UInt64 = 0
    var size: Int64 = 0
    /// What its head counts.
    var counted: UInt64 = 0
    var tailSequence: UInt64 = 0
    var counts = JournalWalk.Counts()
    var holes: [Range<Int64>] = []
    var compressions: [String] = []
    var boots: [JournalID] = []
    var machines: [JournalID] = []
    /// Stretches of entries of one stream, in the order of the file.
    var runs: [Run] = []
    var first: JournalEntry?
    var last: JournalEntry?
    /// Where entries are missing between two that are there, by sequence number; the first of them.
    var jumps: [(before: JournalEntry, after: JournalEntry)] = []

    struct Run: Sendable {
        var stream: StreamName
        var first: Int64
        var count: Int64
    }

    /// Entries that the head counts, and that were not found.
    var missing: UInt64 { counted > counts.entries ? counted - counts.entries : 0 }

    /// Damage that costs no entry. A file that is open for writing, or was left so, may list its last entries not yet.
    var isDamagedWithoutLoss: Bool {
        failure == nil && missing == 0 && state != "online"
            && (counts.unlisted > 0 || counts.unchained > 0 || counts.broken > 0
                || counts.lostBytes > 0)
    }
}

/// A stream is what one machine wrote in one boot.
struct StreamName: Hashable, Sendable {
    var machine: JournalID
    var boot: JournalID
}

/// Reads one journal file through and keeps a record of each of its entries.
struct JournalScan {
    let filter: JournalFilter
    let progress: Progress

    static let mostJumps = 100

    func scan(_ path: String, records: String) throws(Failure) -> ScannedFile {
        var scanned = ScannedFile(path: path)
        let file: JournalFile
        do throws(Failure) { file = try JournalFile(path) } catch {
            guard error.code != .cancelled else { throw error }
            scanned.failure = error.rendered
            var status = stat()
            if unsafe stat(path, &status) == 0 { scanned.size = Int64(status.st_size) }
            scanned.isDenied = error.code == .denied
            return scanned
        }
        let header = file.header
        scanned.fileID = header.fileID
        scanned.machineID = header.machineID
        scanned.sequenceID = header.sequenceID
        scanned.isSealed = header.isSealed
        scanned.tags = header.tags
        scanned.size = file.size
        scanned.counted = header.entries
        scanned.tailSequence = header.tailSequence
        scanned.compressions = header.compressions
        scanned.state =
            switch header.state {
            case .offline: "offline"
            case .online: "online"
            case .archived: "archived"
            case nil: "unknown"
            }
        try walk(file, records: records, into: &scanned)
        return scanned
    }

    private func walk(
        _ file: JournalFile, records: String, into scanned: inout ScannedFile
    ) throws(Failure) {
        var writer = try RecordFileWriter(records, recordSize: JournalRecord.size)
        let scanner = try JournalScanner(file, filter)
        var walk = try JournalWalk(file)
        var boots: [JournalID: Int] = [:]
        var number: Int64 = 0
        // Most entries are of the same boot as the one before.
        var lastBoot = (id: JournalID.zero, place: 0)
        while let entry = try walk.next() {
            if number & 0xfff == 0 { try progress.checkCancelled() }
            let description = try scanner.describe(entry)
            if entry.boot != lastBoot.id {
                let place = boots[entry.boot] ?? scanned.boots.count
                if place == scanned.boots.count {
                    boots[entry.boot] = place
                    scanned.boots.append(entry.boot)
                }
                lastBoot = (entry.boot, place)
            }
            let machine = description.machine.map { scanner.machines[$0] } ?? scanned.machineID
            let stream = StreamName(machine: machine, boot: entry.boot)
            if let last = scanned.runs.indices.last, scanned.runs[last].stream == stream {
                scanned.runs[last].count += 1
            } else {
                scanned.runs.append(.init(stream: stream, first: number, count: 1))
            }
            let record = JournalRecord(
                entry, size: description.size, boot: lastBoot.place, machine: 0,
                isWanted: description.isWanted)
            try unsafe writer.append { unsafe record.store($0) }
            if let last = scanned.last, entry.sequence > last.sequence + 1,
                scanned.jumps.count < Self.mostJumps
            {
                scanned.jumps.append((last, entry))
            }
            if scanned.first == nil { scanned.first = entry }
            scanned.last = entry
            number += 1
        }
        scanned.counts = walk.counts
        scanned.holes = walk.holes
        scanned.machines = scanner.machines
        try writer.finish()
    }
}
