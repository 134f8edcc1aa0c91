import Basics
import Manifests
import Testing

@testable import Rehearsals

/// The export was opened at 1000 and sealed at 2000, by the exporter's clock.
@Suite struct RecoveryPointTests {
    private func point(_ kind: String, _ value: String, at start: Int64) -> RecoveryPoint {
        RecoveryPoint(
            of: Moment(kind: kind, value: value), openedAt: Timestamp(seconds: 1000),
            sealedAt: Timestamp(seconds: 2000), at: Timestamp(seconds: start))
    }

    @Test func aMomentThatIsATimeIsTaken() {
        let found = point("inventory-time", "1970-01-01T00:20:00Z", at: 5000)
        #expect(found.seconds == 3800 && found.isExact && !found.isAhead)
        #expect(point("time", "1970-01-01 00:20:00", at: 5000) == found)
        // Backups may be much older than the export.
        #expect(point("time", "1969-12-31T23:00:00Z", at: 5000).seconds == 8600)
    }

    @Test func forAPositionTheBeginningOfTheExportStands() {
        let found = point("lsn", "0/1A2B", at: 5000)
        #expect(found.seconds == 4000 && !found.isExact && !found.isAhead)
    }

    @Test func aSourceWhoseClockIsAheadIsNoYoungerForIt() {
        let found = point("time", "1970-01-01T01:00:00Z", at: 5000)
        #expect(found.seconds == 4000 && !found.isExact && found.isAhead)
        #expect(point("time", "1970-01-01T00:33:20Z", at: 5000).isExact)
    }

    @Test func whatHasNotHappenedYetHasNoAge() {
        #expect(point("lsn", "0/1A2B", at: 999).seconds == nil)
        #expect(point("lsn", "0/1A2B", at: 1000).seconds == 0)
        #expect(point("time", "1970-01-01T00:20:00Z", at: 1100).seconds == nil)
    }
}
