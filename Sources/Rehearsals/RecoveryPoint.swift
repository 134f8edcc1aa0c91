import Basics
import Manifests

/// How old the data of one source is when a rehearsal begins, which stands for the disaster.
///
/// Clocks are not taken at their word where that would make data younger: an objective that is met by a
/// wrong clock is not met.
struct RecoveryPoint: Sendable, Equatable {
    /// What stands for the consistent moment.
    let moment: Timestamp
    /// Whether it is the moment itself; else it is the time when the export was opened, which is no later.
    let isExact: Bool
    /// Whether the source says a moment at which its archive was sealed already, by the exporter's clock.
    let isAhead: Bool
    /// nil where the moment has not come yet by the clock of the machine that rehearses.
    let seconds: Int64?

    init(of said: Moment, openedAt: Timestamp, sealedAt: Timestamp, at start: Timestamp) {
        let time = Self.time(said)
        isAhead = time.map { $0 > sealedAt } ?? false
        if let time, !isAhead {
            (moment, isExact) = (time, true)
        } else {
            (moment, isExact) = (openedAt, false)
        }
        let age = start.seconds - moment.seconds
        seconds = age < 0 ? nil : age
    }

    /// nil for a moment that is a position.
    private static func time(_ moment: Moment) -> Timestamp? {
        if let time = Timestamp(moment.value) { return time }
        // As MariaDB prints a time in UTC.
        let parts = moment.value.split(separator: " ")
        guard moment.kind == "time", parts.count == 2 else { return nil }
        return Timestamp("\(parts[0])T\(parts[1])Z")
    }
}
