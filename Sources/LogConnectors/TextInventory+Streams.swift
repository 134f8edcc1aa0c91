import Archives
import Basics
import Connectors
import Glibc
import Logs
import Streams

// Logs of files: what belongs together, in which order, and what a range of time selects.
extension TextInventory {
    mutating func makeStreams(selecting: Bool) throws(Failure) {
        let current = Set(
            found.filter { $0.rotation.place == .current }.map {
                Self.directory($0.name) + "/" + $0.rotation.base
            })
        var order: [String] = []
        var streams: [String: [Int]] = [:]
        for place in found.indices {
            let directory = Self.directory(found[place].name)
            if found[place].rotation.isDoubtful,
                !current.contains(directory + "/" + found[place].rotation.base)
            {
                let name = found[place].name
                let text = TextName.text(name[((name.lastIndex(of: 0x2f) ?? -1) + 1)...])
                found[place].rotation = TextRotation(
                    alone: text, packing: found[place].rotation.packing)
            }
            let key = directory + "/" + found[place].rotation.base
            if streams[key] == nil { order.append(key) }
            streams[key, default: []].append(place)
        }
        for key in order.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            try makeStream(key, streams[key] ?? [], selecting: selecting)
        }
    }

    private static func directory(_ path: [UInt8]) -> String {
        TextName.text(path[..<(path.lastIndex(of: 0x2f) ?? 0)])
    }

    private mutating func makeStream(
        _ base: String, _ members: [Int], selecting: Bool
    ) throws(Failure) {
        var stream = TextStream(base: TextName.bytes(base))
        let (sorted, byTimes) = ordered(members)
        if byTimes {
            stream.order = "times"
            findings.append(
                Finding(
                    "log-order", .note,
                    "the names of the files of \(TextHolder.quoted(stream.base)) tell another order "
                        + "than the times in them: times count"))
        }
        let group = settings.groups[found[sorted[0]].group]
        stream.zone = group.zone.name
        stream.isZoneGiven = group.isZoneGiven
        try inferYears(sorted)
        let number = layout.streams.count
        var continuing: Bool?
        var older: Timestamp?
        for place in sorted {
            var candidate = found[place]
            let range = settings.groups[candidate.group].range
            candidate.member.stream = number
            if candidate.isYearless {
                try settleYear(&candidate, since: older)
            }
            older = candidate.modified
            if selecting, !range.isAll {
                let selection = try select(&candidate, range, continuing)
                continuing = selection.continuing
                stream.outside += selection.outside
                if candidate.member.entry.size == 0 {
                    stream.membersOutside += 1
                    continue
                }
            }
            candidate.member.place = stream.members.count
            stream.members.append(layout.items.count)
            layout.items.append(.member(candidate.member))
        }
        layout.streams.append(stream)
    }

    /// Oldest first by rotation, unless the first times in the members contradict that.
    private func ordered(_ members: [Int]) -> (places: [Int], byTimes: Bool) {
        let byName = members.sorted { left, right in
            let (one, other) = (found[left].rotation, found[right].rotation)
            if one.precedes(other) { return true }
            if other.precedes(one) { return false }
            if let first = found[left].first, let second = found[right].first, first != second {
                return first < second
            }
            return found[left].name.lexicographicallyPrecedes(found[right].name)
        }
        // Years that were inferred from the times of files tell nothing about the order.
        guard !byName.contains(where: { found[$0].isYearless }) else { return (byName, false) }
        let times = byName.compactMap { found[$0].first }
        guard zip(times, times.dropFirst()).contains(where: { $1 < $0 }) else {
            return (byName, false)
        }
        // Members without a time stay behind the one that they followed.
        var last = Timestamp(seconds: .min)
        let keyed = byName.enumerated().map { (place, member) in
            last = found[member].first ?? last
            return (last, place, member)
        }
        return (keyed.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2), true)
    }

    /// Newest first: no line of a member without years is later than the first of the member that follows
    /// in the rotation, whatever the times of the files say.
    private mutating func inferYears(_ sorted: [Int]) throws(Failure) {
        var newer: Timestamp?
        for place in sorted.reversed() {
            if found[place].isYearless, let newer, newer < found[place].member.clock.latest {
                found[place].member.clock.latest = Timestamp(seconds: newer.seconds)
                var candidate = found[place]
                let file = try holder.open(candidate.member)
                try peek(&candidate, file)
                found[place] = candidate
            }
            newer = found[place].first ?? newer
        }
    }

    /// A member without years may be longer than one: then all of it is read, to count New Years.
    private func settleYear(
        _ candidate: inout Candidate, since older: Timestamp?
    ) throws(Failure) {
        let member = candidate.member
        let latest = member.clock.latest
        if let older, latest.seconds - older.seconds < 300 * 86_400 { return }
        var scanner = TextScanner(format: member.format, clock: member.seeded())
        var unseen = TextLinesUnseen()
        _ = try unsafe content(candidate).read(stored: { (_) throws(Failure) in }) {
            (bytes) throws(Failure) in
            unsafe scanner.feed(bytes, &unseen)
        }
        scanner.finish(&unseen)
        guard let first = scanner.facts.first, let last = scanner.facts.last else { return }
        // The first line was taken to be as late as can be; each New Year since makes it a year older.
        var surplus: Int64 = 0
        let end = scanner.clock.unshifted(last.seconds)
        while end - surplus * 31_556_952 > latest.seconds + 2 * 86_400 { surplus += 1 }
        let offset = Int64(member.clock.zone.period(at: first.seconds).offset)
        candidate.member.clock.firstYear = scanner.clock.settledYear(
            TextTimeZone.year(of: first.seconds + offset), less: surplus)
    }

    /// Not every file stays open: there may be more than a process may have.
    private func content(_ candidate: Candidate) throws(Failure) -> TextContent {
        TextContent(
            member: candidate.member, file: try holder.open(candidate.member), progress: progress)
    }

    private mutating func select(
        _ candidate: inout Candidate, _ range: TextRange, _ continuing: Bool?
    ) throws(Failure) -> (continuing: Bool?, outside: Int64) {
        let member = candidate.member
        guard member.packing != nil || candidate.rotation.packing == nil else {
            // Nobody can look into it: all of it stays.
            return (nil, 0)
        }
        var scanner = TextScanner(format: member.format, clock: member.seeded())
        var selector = TextSelector(range, continuing: continuing)
        let outcome = try unsafe content(candidate).read(stored: { (_) throws(Failure) in }) {
            (bytes) throws(Failure) in
            unsafe scanner.feed(bytes, &selector)
        }
        scanner.finish(&selector)
        let next = selector.finish(at: scanner.facts.bytes)
        if let damage = outcome.damage {
            layout.omitted.append(
                .init(
                    reason: .damaged, path: candidate.name,
                    detail: "nothing can be selected of what cannot be unpacked: \(damage)"))
        }
        let whole = 0..<scanner.facts.bytes
        let isWhole =
            selector.runs == [whole] && outcome.damage == nil && outcome.stored == member.size
        if isWhole { return (next, selector.outside) }
        candidate.member.runs = selector.runs
        candidate.member.entry.size = selector.runs.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        if let first = selector.first {
            candidate.member.clock.previous = first.seconds
            if scanner.facts.clock.yearless > 0 {
                let offset = Int64(member.clock.zone.period(at: first.seconds).offset)
                candidate.member.clock.firstYear = TextTimeZone.year(of: first.seconds + offset)
            }
        }
        return (next, selector.outside)
    }
}
