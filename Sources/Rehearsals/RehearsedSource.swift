import Basics
import Connectors
import Manifests
import Plans
import Primitives
import Runs

/// What became of one source in a rehearsal.
struct RehearsedSource: Sendable {
    enum Outcome: String, Sendable, CaseIterable {
        /// Restored, compared equal, all probes held.
        case passed
        /// Restored, and not equal to the archive, or a probe or a start failed.
        case different
        /// Not restored: something went wrong on the way.
        case failed
        /// Not restored, or not all of it: files of it are damaged in the archive.
        case damaged
        /// The time limit or an interruption came first.
        case unfinished
        /// Not asked for (`--only`).
        case left
    }

    let place: Int
    let record: SourceRecord
    let tier: String?
    let after: [String]
    let isThrowAway: Bool
    var outcome = Outcome.unfinished
    var failure: Failure?
    var result: ImportResult?
    /// How it was compared.
    var comparison = ImportPlan.Comparison.digest
    var probes: [ProbeOutcome] = []
    var guests: [StartedGuest] = []
    var clock: PhaseClock?
    var loads: [RehearsalPhase: MachineLoad] = [:]
    /// Of the processors, by its throw-away server until all was compared.
    var serverMilliseconds: Int64 = 0
    /// Nanoseconds since the beginning of the rehearsal.
    var start: UInt64 = 0
    var end: UInt64 = 0
    /// What is restored where stored files of it are damaged; nil where none are.
    var intact: IntactParts?
    /// What is true and no failure, in words without names of objects.
    var reservations: [Reservation] = []

    var damagedFiles: Int { intact?.damagedFiles ?? 0 }
    /// What is restored of it.
    var restored: SourceRecord { intact?.record ?? record }
    var plainBytes: Int64 { restored.artifacts.reduce(0) { $0 + $1.plainBytes } }
    var storedBytes: Int64 {
        restored.artifacts.flatMap(\.segments).reduce(0) { $0 + $1.bytes }
    }
    /// Whether its throw-away target is a server.
    var isServer: Bool { ["postgresql", "mariadb"].contains(record.kind) }
    var notSet: Int64 { result?.shortfallCount ?? 0 }

    /// Whether all comparisons found what the archive has.
    var isEqual: Bool {
        result.map { $0.differenceCount == 0 && $0.comparisons.allSatisfy(\.equal) } ?? false
    }

    /// What was restored is, as far as it was compared.
    var equality: String {
        guard isEqual else { return "NOT EQUAL" }
        return switch comparison {
        case .digest: "equal"
        case .counts: "equal by counts"
        case .none: "NOT COMPARED"
        }
    }

    /// The exit status that it alone would give.
    var status: Int32 {
        switch outcome {
        case .passed:
            notSet > 0 || comparison != .digest || guests.contains { $0.isUnproven } ? 2 : 0
        case .different, .damaged: 3
        case .failed: failure.map { $0.code.exitStatus == 3 ? 3 : 1 } ?? 1
        case .unfinished: 1
        case .left: 0
        }
    }
}

/// A question that was asked of what was restored, and whether the right answer came.
struct ProbeOutcome: Sendable {
    let name: String
    let kind: String
    let request: JSON
    /// nil where any answer will do.
    let expected: JSON?
    let found: JSON?
    let held: Bool
    /// The answer expected was given by the source at its export.
    let isRecorded: Bool
    let milliseconds: Int64
    /// Why there is no answer, or what is wrong with it.
    let complaint: String?

    var requestDigest: Digest256 { SHA256.hash(request.canonical) }
}

/// A machine or container of a source, and whether it came up.
struct StartedGuest: Sendable {
    let id: Int64
    let name: String
    let isContainer: Bool
    /// `kvm`, `tcg`, `nspawn`; nil where it was not started.
    var acceleration: String?
    /// What shows that it came up; nil where nothing does.
    var evidence: String?
    /// Why it did not start, or was not started.
    var obstacle: String?
    /// Started, and nothing shows whether its system came up; or not startable here.
    var isUnproven = false
    var didFail = false
    var milliseconds: Int64 = 0
    var notes: [String] = []

    init(id: Int64, name: String, isContainer: Bool) {
        self.id = id
        self.name = name
        self.isContainer = isContainer
    }

    /// One that was not restored, since files of it are damaged in the archive.
    init(lost id: Int64, of source: SourceRecord) {
        self.init(
            id: id, name: "",
            isContainer: source.artifacts.contains {
                $0.kind == "container" && $0.name.hasPrefix("\(id)/")
            })
        obstacle = "damaged in the archive, not restored"
        didFail = true
    }
}
