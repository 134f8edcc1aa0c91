import Basics
import Runs

/// A phase of a source on the time line of a rehearsal; nanoseconds since its beginning.
struct TimedPhase: Sendable, Equatable {
    /// The place of the source; nil for what concerns the whole archive.
    let source: Int?
    let phase: RehearsalPhase
    let start: UInt64
    let end: UInt64
    /// What all lanes together spent in it.
    let busy: UInt64
    let bound: Bound

    /// For how long at least one of these went on.
    static func covered(_ phases: [TimedPhase]) -> UInt64 {
        var (sum, reached) = (UInt64(0), UInt64(0))
        for phase in phases.sorted(by: { $0.start < $1.start }) where phase.end > reached {
            sum += phase.end - max(phase.start, reached)
            reached = phase.end
        }
        return sum
    }
}

extension RehearsedSource {
    /// Its phases in the order of their beginning.
    var phases: [TimedPhase] {
        guard let clock else { return [] }
        let reading = clock.reading
        let load = loads[.load] ?? MachineLoad(busy: 0, waiting: 0, idle: 0)
        return clock.spans.map { span in
            var busy = span.busy
            let bound: Bound
            switch span.phase {
            case .fetch: bound = .sourceRead
            case .decode:
                // It was measured together with the reading of stored bytes.
                busy = busy > reading.fetch ? busy - reading.fetch : 0
                bound = .cpu
            case .boot: bound = .guest
            // Servers and trees answer themselves.
            case .probe: bound = guests.isEmpty ? .target : .guest
            case .load:
                bound = .of(
                    fetch: reading.fetch, decode: reading.decode, limit: reading.limit,
                    target: span.busy > span.reading ? span.busy - span.reading : 0, load: load)
            case .verify: bound = .sourceRead
            case .prepare, .index, .analyse, .compare:
                bound = load.percentBusy >= 85 ? .cpu : .target
            }
            return TimedPhase(
                source: place, phase: span.phase, start: span.start, end: span.end, busy: busy,
                bound: bound)
        }
    }
}

/// The chain of phases without which the rehearsal would have been done sooner, from its end back to
/// its beginning.
enum CriticalPath {
    /// - Parameter after: for a source, the places of those it had to wait for.
    static func find(_ phases: [TimedPhase], after: [Int: [Int]]) -> [TimedPhase] {
        // Reading goes on inside of what loads.
        let steps = phases.filter { $0.phase != .fetch && $0.phase != .decode }
        guard var current = steps.max(by: { $0.end < $1.end }) else { return [] }
        var path = [current]
        while path.count <= steps.count {
            let earlier = steps.filter { $0.start < current.start }
            let own = earlier.filter { $0.source == current.source }
            let required = earlier.filter { step in
                guard let source = step.source else { return true }
                return current.source.map { after[$0]?.contains(source) ?? false } ?? false
            }
            // A source that waited for nothing it needs waited for a lane.
            let before =
                own.max { min($0.end, current.start) < min($1.end, current.start) }
                ?? required.max { $0.end < $1.end }
                ?? earlier.filter { $0.end <= current.start }.max { $0.end < $1.end }
            guard let before else { break }
            path.append(before)
            current = before
        }
        return path.reversed()
    }

    /// What bounded most of the time on the path.
    static func bound(_ path: [TimedPhase]) -> Bound? {
        var sums: [Bound: UInt64] = [:]
        for step in path { sums[step.bound, default: 0] += step.end - step.start }
        return sums.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
    }
}
