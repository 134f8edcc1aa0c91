import Bags
import Basics
import Connectors
import Manifests
import Plans
import Runs

/// What a rehearsal found, with names: `report-N.json` in the folder, the result of the command, and
/// its text.
struct RehearsalReport {
    let receipt: RehearsalReceipt
    let path: [TimedPhase]
    let prediction: Prediction?

    private var sources: [RehearsedSource] { receipt.sources }
    private var asked: [RehearsedSource] { sources.filter { $0.outcome != .left } }

    /// Everything that names objects; the receipt has its digest.
    var json: JSON {
        [
            "exeat-rehearsal-report": 1,
            "bag": .string("urn:uuid:" + receipt.run.archive.bag.seal.bag),
            "startedAt": .string(receipt.run.startedAt.text),
            "problems": .array(receipt.run.archive.report.problems.map(\.json)),
            "sources": .array(sources.map(source)),
        ]
    }

    private func source(_ source: RehearsedSource) -> JSON {
        var members: [JSON.Member] = [
            .init("name", .string(source.record.name)),
            .init("folder", .string(source.record.folder)),
            .init("kind", .string(source.record.kind)),
            .init("outcome", .string(source.outcome.rawValue)),
            .init("probes", .array(source.probes.map(probe))),
            .init(
                "guests",
                .array(
                    source.guests.map { guest in
                        [
                            "id": .integer(guest.id), "name": .string(guest.name),
                            "kind": guest.isContainer ? "container" : "machine",
                            "acceleration": guest.acceleration.map { .string($0) } ?? .null,
                            "evidence": guest.evidence.map { .string($0) } ?? .null,
                            "obstacle": guest.obstacle.map { .string($0) } ?? .null,
                            "failed": .bool(guest.didFail),
                            "notes": .array(guest.notes.map { .string($0) }),
                        ]
                    })),
        ]
        if let result = source.result {
            members += [
                .init("comparisons", .array(result.comparisons.map(\.json))),
                .init("mappings", result.mappings),
                .init("differences", .array(result.differences)),
                .init("notSet", .array(result.shortfalls)),
                .init("remarks", .array(result.remarks)),
            ]
        }
        if let intact = source.intact {
            members.append(
                .init(
                    "damaged",
                    .array(
                        intact.damage.map {
                            [
                                "artifact": .string($0.artifact), "kind": .string($0.kind),
                                "damagedFiles": .integer(Int64($0.damagedFiles)),
                                "files": .integer(Int64($0.files)),
                            ]
                        })))
        }
        if let failure = source.failure {
            members.append(.init("failure", .string(failure.rendered)))
        }
        return .object(members)
    }

    private func probe(_ probe: ProbeOutcome) -> JSON {
        [
            "name": .string(probe.name), "kind": .string(probe.kind), "request": probe.request,
            "expected": probe.expected ?? .null, "found": probe.found ?? .null,
            "held": .bool(probe.held), "isRecorded": .bool(probe.isRecorded),
            "complaint": probe.complaint.map { .string($0) } ?? .null,
            "milliseconds": .integer(probe.milliseconds),
        ]
    }

    func result(receipt file: String, report: String, predicate: JSON) -> JSON {
        var members: [JSON.Member] = [
            .init("status", .integer(Int64(receipt.status))),
            .init("verdict", .string(receipt.verdict)),
            .init("receipt", .string(file)), .init("report", .string(report)),
            .init("reservations", predicate["reservations"] ?? .array([])),
            .init("rehearsal", predicate["rehearsal"] ?? .null),
            .init("sources", .array(sources.map(source))),
        ]
        if let kept = receipt.keptAt { members.append(.init("kept", .string(kept))) }
        return .object(members)
    }

    // MARK: - Text

    func text(receipt file: String, isInArchive: Bool) -> String {
        var lines: [String] = []
        for problem in receipt.run.archive.report.problems.prefix(10) {
            lines.append("PROBLEM of the archive: \(problem.failure.what)")
        }
        for source in sources { lines += self.lines(of: source) }
        lines += chart
        for tier in receipt.tiers {
            let name =
                tier.name.map { "tier \($0)" } ?? (receipt.tiers.count > 1 ? "all else" : "all")
            var line =
                "\(name): restored and checked in \(Self.time(tier.milliseconds)), objective "
                + Self.time(tier.objectives.time * 1000)
            line += tier.isInTime ? "" : tier.isComplete ? " MISSED" : ", NOT COMPLETE"
            line +=
                tier.recoveryPoint.map { "; data of \(Self.time($0 * 1000)) ago" }
                ?? "; how old the data is, is NOT KNOWN"
            if let wanted = tier.objectives.recoveryPoint {
                line += ", objective \(Self.time(wanted * 1000))"
                if !tier.isRecentEnough { line += " MISSED" }
            }
            lines.append(line)
        }
        if let bound = CriticalPath.bound(path) {
            let whole = path.map(\.end).max() ?? 0
            let steps = path.filter { ($0.end - $0.start) * 100 >= whole }.map { step in
                (step.source.map { name($0) + " " } ?? "") + step.phase.rawValue + " "
                    + Self.time(Int64((step.end - step.start) / 1_000_000))
            }
            lines.append(
                "critical path: \(steps.joined(separator: " → ")); bound by \(bound.rawValue)")
        }
        if let prediction {
            let (size, cores) = (Self.size(prediction.bytes), prediction.cores)
            let machine = "\(cores) \(cores == 1 ? "core" : "cores")"
            lines.append("foretold for \(size) on \(machine): \(prediction.text)")
        }
        lines += receipt.reservations.map { "reservation: \($0.text)" }
        lines.append("receipt: \(file)" + (isInArchive ? ", and in proof/ of the archive" : ""))
        if let kept = receipt.keptAt { lines.append("kept: the targets are in \(kept)") }
        lines.append(verdictLine)
        return lines.joined(separator: "\n")
    }

    private var verdictLine: String {
        switch receipt.status {
        case 0:
            receipt.asked.count == receipt.sources.count
                ? "PASSED: everything was restored, equal, and in time"
                : "PASSED: what was asked for was restored, equal, and in time"
        case 2: "PASSED WITH RESERVATIONS, exit status 2"
        case 3: "FAILED: \(faults.joined(separator: ", ")), exit status 3"
        case 4: "OBJECTIVE MISSED, exit status 4"
        default: "INCOMPLETE: not everything could be restored, exit status 1"
        }
    }

    /// What makes a rehearsal fail.
    private var faults: [String] {
        var texts: [String] = []
        if !receipt.run.archive.report.isGood { texts.append("the archive is damaged") }
        let restored = asked.filter { $0.result != nil }
        if restored.contains(where: { !$0.isEqual }) { texts.append("not everything is equal") }
        let guests = asked.flatMap(\.guests).count(where: \.didFail)
        if guests > 0 { texts.append("\(guests) \(guests == 1 ? "guest" : "guests") not up") }
        let probes = asked.flatMap(\.probes).count { !$0.held }
        if probes > 0 { texts.append("\(probes) \(probes == 1 ? "probe" : "probes") not held") }
        return texts.isEmpty ? ["what was restored could not be checked"] : texts
    }

    private func name(_ place: Int) -> String {
        receipt.run.archive.contents.manifest.sources[place].name
    }

    private func lines(of source: RehearsedSource) -> [String] {
        let name = source.record.name
        var lines = ["\(name) (\(source.record.kind)): \(source.summary)"]
        if let failure = source.failure, source.outcome != .unfinished {
            lines += failure.rendered.split(separator: "\n").map { "  \($0)" }
        }
        for comparison in source.result?.comparisons ?? [] where !comparison.equal {
            lines.append(
                "  \(comparison.name) DIFFERENT, expected \(comparison.expected), found "
                    + comparison.found)
        }
        for difference in (source.result?.differences ?? []).prefix(10) {
            lines.append("  different: " + String(decoding: difference.line, as: UTF8.self))
        }
        for shortfall in (source.result?.shortfalls ?? []).prefix(5) {
            lines.append("  not set: " + String(decoding: shortfall.line, as: UTF8.self))
        }
        for guest in source.guests {
            let title =
                (guest.isContainer ? "container" : "machine") + " \(guest.id)"
                + (guest.name.isEmpty ? "" : " \"\(guest.name)\"")
            let how = guest.acceleration.map { " (\($0))" } ?? ""
            let state =
                guest.didFail
                ? "DID NOT COME UP\(how): \(guest.obstacle ?? "")"
                : guest.evidence.map { "came up\(how) in \(Self.time(guest.milliseconds)): \($0)" }
                    ?? guest.obstacle ?? "started\(how)"
            lines.append("  \(title): \(state)")
        }
        for probe in source.probes {
            let state =
                probe.held
                ? probe.isRecorded ? "same answer as at the export" : "held"
                : "FAILED, \(probe.complaint ?? "")"
            lines.append("  probe \(probe.name) (\(probe.kind)): \(state)")
        }
        return lines
    }

    /// The phases as bars on one time line, source by source; those that took next to no time are left out.
    private var chart: [String] {
        let all = receipt.phases
        guard let end = all.map(\.end).max(), end > 0 else { return [] }
        let width: UInt64 = 40
        let phases = all.filter { ($0.end - $0.start) * 100 >= end }
            .sorted { ($0.source ?? -1, $0.start, $0.end) < ($1.source ?? -1, $1.start, $1.end) }
        let titles = phases.map { phase in
            (phase.source.map { name($0) + " " } ?? "") + phase.phase.rawValue
        }
        let longest = titles.map(\.count).max() ?? 0
        return zip(phases, titles).map { phase, title in
            let from = min(Int(phase.start * width / end), 39)
            let to = max(from + 1, Int((phase.end * width + end - 1) / end))
            let bar =
                String(repeating: " ", count: from) + String(repeating: "=", count: to - from)
            let pad = String(repeating: " ", count: longest - title.count)
            let time = Self.time(Int64((phase.end - phase.start) / 1_000_000))
            return
                "  \(title)\(pad) |\(bar)\(String(repeating: " ", count: max(0, 40 - to)))| \(time)"
        }
    }

    /// A size for people.
    static func size(_ bytes: Int64) -> String {
        var (value, unit) = (Double(bytes), 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        let tenths = Int64((value * 10).rounded())
        return unit == 0 || tenths >= 1000 || tenths % 10 == 0
            ? "\((tenths + 5) / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// A length of time for people.
    static func time(_ milliseconds: Int64) -> String {
        if milliseconds < 10_000 {
            return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
        }
        let seconds = milliseconds / 1000
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if seconds >= 86_400 { return "\(seconds / 86_400) d \(seconds / 3600 % 24) h" }
        if seconds >= 3600 { return "\(seconds / 3600) h \(two(seconds / 60 % 60)) min" }
        if seconds >= 60 { return "\(seconds / 60) min \(two(seconds % 60)) s" }
        return "\(seconds) s"
    }
}
