import Basics
import Connectors
import Glibc
import Logs
import Manifests

extension JournalFamily {
    /// What `exeat plan` tells: machines and boots with their entries, what is missing already, and
    /// which rights are.
    func survey() throws(Failure) -> Survey {
        let scratch = "\(room.directory)/survey-\(getpid())"
        try Files.makeDirectory(scratch, mode: 0o700)
        defer { try? Files.remove(scratch) }
        let inner = Room(
            directory: scratch, progress: room.progress, world: room.world,
            isEncrypted: room.isEncrypted, workers: room.workers)
        let taker = JournalInventoryTaker(settings: settings, accepted: accepted, room: inner)
        let inventory = try taker.take()
        let entries = inventory.streams.reduce(Int64(0)) { $0 + $1.entries }
        var survey = Survey(
            bytes: inventory.streams.reduce(0) { $0 + $1.bytes },
            counts: [
                .init("journal-entries", .integer(entries)),
                .init("journal-streams", .integer(Int64(inventory.streams.count))),
                .init("journal-files", .integer(Int64(inventory.files.count))),
            ],
            parts: inventory.streams.map { stream in
                Survey.Part(
                    name: "machine \(stream.name.machine), boot \(stream.name.boot)",
                    bytes: stream.bytes, pieces: [("\(stream.entries) entries", stream.bytes)])
            }, findings: [], omissions: inventory.omissions)
        survey.findings = findings(inventory)
        return survey
    }

    private func findings(_ inventory: JournalInventory) -> [Finding] {
        var findings = inventory.omissions.counts.filter { !$0.accepted }.map { omission in
            Finding(
                omission.reason, .decision,
                "\(counted(omission.count, "object is", "objects are")) missing from the journal: "
                    + omission.reason,
                decision: omission.reason == LogOmission.filesUnreadable.rawValue
                    ? "Make the files readable (the group systemd-journal may read the journal), or "
                        + "add \(omission.reason) to accept of this source; else the run ends with "
                        + "status 2."
                    : "Nothing can bring these back from here: add \(omission.reason) to accept of "
                        + "this source, or the run ends with status 2.")
        }
        let facts = inventory.facts
        if !settings.range.isAll {
            findings.append(
                Finding(
                    "journal-range", .note, "entries of the journal \(settings.range.text)"))
        }
        if geteuid() != 0, settings.isLive {
            findings.append(
                Finding(
                    "not-in-systemd-journal", .note,
                    "without root or the group systemd-journal only the user's own journal can be "
                        + "read"))
        }
        if let gaps = facts["gapCount"]?.integer, gaps > 0 {
            findings.append(
                Finding(
                    "journal-gaps", .note,
                    "numbers are missing in the sequence of entries in \(gaps) places: rotated away, "
                        + "in files that are not here, or lost"))
        }
        if let steps = facts["clockStepCount"]?.integer, steps > 0 {
            findings.append(
                Finding("clock-steps", .note, "the clock was set in \(steps) places"))
        }
        let damaged = (facts["files"]?.array ?? []).filter {
            $0["unreadableBytes"] != nil || $0["unlisted"] != nil || $0["brokenPlaces"] != nil
        }
        if !damaged.isEmpty {
            findings.append(
                Finding(
                    "journal-damaged", .warning,
                    "\(damaged.count) journal files are damaged: "
                        + damaged.prefix(10).compactMap { $0["path"]?.string }
                        .joined(separator: ", ")))
        }
        let online = (facts["files"]?.array ?? []).filter { $0["state"]?.string == "online" }
        if !online.isEmpty {
            findings.append(
                Finding(
                    "files-online", .note,
                    "\(online.count) journal files are open for writing, or were left so by a crash: "
                        + "what they hold at the inventory is exported"))
        }
        if settings.key == nil,
            (facts["files"]?.array ?? []).contains(where: { $0["sealed"]?.bool == true })
        {
            findings.append(
                Finding(
                    "seals-unchecked", .note,
                    "journal files are sealed (FSS), and the plan has no verification-key: their "
                        + "seals are not checked"))
        }
        return findings
    }
}
