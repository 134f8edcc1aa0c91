import Bags
import Basics
import Manifests
import Plans
import Primitives
import Runs

/// The member `rehearsal` of the receipt (docs/FORMAT.md, section 8.8).
extension RehearsalReceipt {
    func rehearsal(_ history: RehearsalHistory) -> JSON {
        let report = run.archive.report
        var members: [JSON.Member] = [
            .init("verdict", .string(verdict)),
            .init("milliseconds", .integer(milliseconds)),
            .init("objectiveSeconds", .integer(objectives.time)),
            .init("isInTime", .bool(isInTime && asked.allSatisfy { $0.outcome == .passed })),
            .init("reachedTimeLimit", .bool(reachedLimit)),
            .init(
                "archive",
                [
                    "isIntact": .bool(report.isGood),
                    "damagedFiles": .integer(Int64(run.archive.bag.damaged.count)),
                    "storedBytes": .integer(report.payload.bytes),
                    "plainBytes": .integer(
                        manifest.sources.flatMap(\.artifacts).reduce(0) { $0 + $1.plainBytes }),
                ]),
            .init(
                "machine",
                [
                    "cores": .integer(Int64(run.host.cores)),
                    "workers": .integer(Int64(run.workers)),
                    "kvm": .bool(run.host.hasKVM),
                    "percentBusy": .integer(load.percentBusy),
                ]),
            .init("tiers", .array(tiers.map(tierJSON))),
            .init("sources", .array(sources.map(sourceJSON))),
            .init("phases", .array(phases.map(phaseJSON))),
            .init("criticalPath", .array(criticalPath.map(phaseJSON))),
            .init("probes", .array(probesJSON)),
            .init(
                "earlier",
                .array(
                    history.entries.suffix(20).map {
                        [
                            "at": .string($0.at.text), "status": .integer(Int64($0.status)),
                            "bag": .string("urn:uuid:" + $0.bag),
                            "milliseconds": .integer($0.milliseconds),
                            "objectiveSeconds": .integer($0.objectiveSeconds),
                            "receiptSha256": .string($0.receipt),
                        ]
                    })),
        ]
        if let limit = run.plan.rehearsal.timeLimit {
            members.append(.init("timeLimitSeconds", .integer(limit)))
        }
        if let bound = CriticalPath.bound(criticalPath) {
            members.append(.init("boundBy", .string(bound.rawValue)))
        }
        if let prediction = prediction(history) {
            members.append(.init("prediction", prediction.json))
        }
        if let rates { members.append(.init("rates", rates.json)) }
        return .object(members)
    }

    private func tierJSON(_ tier: Tier) -> JSON {
        var members: [JSON.Member] = [
            .init("objectiveSeconds", .integer(tier.objectives.time)),
            .init("milliseconds", .integer(tier.milliseconds)),
            .init("isComplete", .bool(tier.isComplete)),
            .init("isInTime", .bool(tier.isInTime)),
            .init("isRecentEnough", .bool(tier.isRecentEnough)),
        ]
        if let name = tier.name { members.append(.init("tier", .string(name))) }
        if let wanted = tier.objectives.recoveryPoint {
            members.append(.init("recoveryPointObjectiveSeconds", .integer(wanted)))
        }
        if let age = tier.recoveryPoint {
            members.append(.init("recoveryPointSeconds", .integer(age)))
        }
        return .object(members)
    }

    private func sourceJSON(_ source: RehearsedSource) -> JSON {
        let point = point(source)
        var members: [JSON.Member] = [
            .init("folder", .string(source.record.folder)),
            .init("kind", .string(source.record.kind)),
            .init("outcome", .string(source.outcome.rawValue)),
            .init("target", .string(source.isThrowAway ? "throw-away" : "given")),
            .init(
                "after",
                .array(
                    sources.filter { source.after.contains($0.record.name) }
                        .map { .string($0.record.folder) })),
            .init("plainBytes", .integer(source.plainBytes)),
            .init("storedBytes", .integer(source.storedBytes)),
            .init("startMilliseconds", .integer(Int64(source.start / 1_000_000))),
            .init("endMilliseconds", .integer(Int64(source.end / 1_000_000))),
            .init(
                "moment",
                [
                    "kind": .string(source.record.moment.kind), "at": .string(point.moment.text),
                    "isExact": .bool(point.isExact),
                ]),
            .init("guests", .array(source.guests.enumerated().map { guestJSON($1, $0 + 1) })),
        ]
        if let age = point.seconds { members.append(.init("recoveryPointSeconds", .integer(age))) }
        if let tier = source.tier { members.append(.init("tier", .string(tier))) }
        if source.damagedFiles > 0 {
            members.append(.init("damagedFiles", .integer(Int64(source.damagedFiles))))
        }
        if let failure = source.failure {
            members.append(
                .init(
                    "failure",
                    [
                        "code": .integer(Int64(failure.code.rawValue)),
                        "word": .string(failure.code.word),
                    ]))
        }
        return .object(members)
    }

    private func guestJSON(_ guest: StartedGuest, _ number: Int) -> JSON {
        let state =
            guest.didFail
            ? "failed"
            : guest.evidence != nil
                ? "up" : guest.acceleration != nil ? "started" : "not-started"
        var members: [JSON.Member] = [
            .init("number", .integer(Int64(number))),
            .init("kind", guest.isContainer ? "container" : "machine"),
            .init("state", .string(state)),
            .init("milliseconds", .integer(guest.milliseconds)),
        ]
        if let acceleration = guest.acceleration {
            members.append(.init("acceleration", .string(acceleration)))
        }
        return .object(members)
    }

    func phaseJSON(_ phase: TimedPhase) -> JSON {
        var members: [JSON.Member] = [
            .init("phase", .string(phase.phase.rawValue)),
            .init("startMilliseconds", .integer(Int64(phase.start / 1_000_000))),
            .init("endMilliseconds", .integer(Int64(phase.end / 1_000_000))),
            .init("busyMilliseconds", .integer(Int64(phase.busy / 1_000_000))),
            .init("boundBy", .string(phase.bound.rawValue)),
        ]
        if let source = phase.source {
            members.append(.init("folder", .string(manifest.sources[source].folder)))
        }
        return .object(members)
    }

    private var probesJSON: [JSON] {
        asked.flatMap { source in
            source.probes.enumerated().map { place, probe in
                var members: [JSON.Member] = [
                    .init("folder", .string(source.record.folder)),
                    .init("number", .integer(Int64(place + 1))),
                    .init("kind", .string(probe.kind)),
                    .init("requestSha256", .string(probe.requestDigest.hex)),
                    .init("held", .bool(probe.held)),
                    .init("isRecorded", .bool(probe.isRecorded)),
                    .init("milliseconds", .integer(probe.milliseconds)),
                ]
                if let expected = probe.expected {
                    members.append(
                        .init("expectedSha256", .string(SHA256.hash(expected.canonical).hex)))
                }
                if let found = probe.found {
                    members.append(
                        .init("foundSha256", .string(SHA256.hash(found.canonical).hex)))
                }
                return .object(members)
            }
        }
    }
}
