import Basics
import Connectors

/// Where the backup of a guest comes from.
protocol BackupProvider: Sendable {
    /// Whether a backup stays where it is until `finish`, and gives the same stream each time. Of one
    /// that does not, only the end tells that it is good.
    var canReadAgain: Bool { get }

    /// Makes a backup of the guest, or finds the one that this run made before it was interrupted.
    ///
    /// - Parameter directory: of the guest in the room; what must be known later is kept there.
    func open(_ guest: PlannedGuest, in directory: String) throws(Failure) -> OpenBackup

    /// The stream turned out to be damaged, or cannot be had: nothing of it may be used again. Gives what
    /// had to be left behind.
    func discard(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String?

    /// All of the guest is in the archive: takes away what was made for it, nothing else. Gives what
    /// had to be left behind.
    func finish(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String?
}

/// A backup while it is read.
struct OpenBackup: Sendable {
    /// Facts for the description of the guest: when it was taken, how, and what the task warned of.
    let facts: [JSON.Member]
    /// What vzdump wrote, decompressed. Called once.
    let stream: @Sendable () throws(Failure) -> SegmentStream
}
