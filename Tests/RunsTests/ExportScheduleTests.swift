import Basics
import Connectors
import Manifests
import Streams
import Synchronization
import Testing

@testable import Runs

@Suite struct ExportScheduleTests {
    private func outline(
        _ name: String, segments: Int = 0, deferral: Deferral? = nil, after: [Int] = []
    ) -> ArtifactOutline {
        if let deferral {
            return ArtifactOutline(
                name: name, slug: "x", kind: "x", legal: .exportableData, format: "x",
                deferral: deferral, after: after, expected: 1, bytes: 0)
        }
        return ArtifactOutline(
            name: name, slug: "x", kind: "x", legal: .exportableData, format: "x",
            segments: segments, after: after, expected: 1, bytes: 0)
    }

    private func schedule(_ outlines: [ArtifactOutline], lanes: Int = 1) -> ExportSchedule {
        ExportSchedule(
            [
                Inventory(
                    artifacts: outlines, objects: 1, moment: Moment(kind: "x", value: ""),
                    facts: .null, counts: [])
            ], lanes: lanes)
    }

    /// All steps in the order in which one lane takes them.
    private func steps(_ schedule: ExportSchedule, cuts: [Int] = []) -> [String] {
        var steps: [String] = []
        while let step = schedule.next() {
            switch step {
            case .cut(let place):
                steps.append("cut \(place.artifact)")
                schedule.finish(step, segments: cuts[place.artifact])
            case .segment(let place, let number):
                steps.append("\(place.artifact).\(number)")
                schedule.finish(step)
            case .conclude(let place):
                steps.append("end \(place.artifact)")
                schedule.finish(step)
            }
        }
        return steps
    }

    @Test func anArtifactConcludesRightAfterItsLastSegment() throws {
        let schedule = schedule([outline("a", segments: 2), outline("b", segments: 1)])
        #expect(steps(schedule) == ["0.0", "0.1", "end 0", "1.0", "end 1"])
        try schedule.check()
    }

    @Test func segmentsBeginInTheOrderOfTheirArtifact() throws {
        var ordered = outline("a", segments: 3)
        ordered.order = [1, 2, 0]
        let schedule = schedule([ordered, outline("b", segments: 2)])
        #expect(steps(schedule) == ["0.1", "0.2", "0.0", "end 0", "1.0", "1.1", "end 1"])
    }

    @Test func whatComesAfterOthersWaitsForTheirConclusion() throws {
        let schedule = schedule([
            outline("index", segments: 1, after: [1]), outline("tree", segments: 2),
        ])
        #expect(steps(schedule) == ["1.0", "1.1", "end 1", "0.0", "end 0"])
        try schedule.check()
    }

    @Test func artifactsWithoutSegmentsConclude() throws {
        let schedule = schedule([outline("empty"), outline("b", segments: 1)])
        #expect(steps(schedule) == ["end 0", "1.0", "end 1"])
        try schedule.check()
    }

    @Test func aDeferredArtifactIsCutFirst() throws {
        let node = Deferral(group: "100", queue: "pve1")
        let schedule = schedule([outline("a", deferral: node), outline("b", deferral: node)])
        #expect(
            steps(schedule, cuts: [2, 1])
                == ["cut 0", "0.0", "0.1", "end 0", "cut 1", "1.0", "end 1"])
        try schedule.check()
    }

    @Test func aQueueHasTwoOpenGroupsAndOneThatIsCut() {
        let outlines = (0..<4).map {
            outline("g\($0)", deferral: Deferral(group: "\($0)", queue: "pve1"))
        }
        let schedule = schedule(outlines, lanes: 8)
        var taken: [String] = []
        // The first is being cut: nothing else of its queue is, though lanes are free.
        guard case .cut(let first)? = schedule.next() else { return #expect(Bool(false)) }
        taken.append("cut \(first.artifact)")
        schedule.finish(.cut(first), segments: 1)
        guard case .cut(let second)? = schedule.next() else { return #expect(Bool(false)) }
        taken.append("cut \(second.artifact)")
        schedule.finish(.cut(second), segments: 1)
        // Two are open: the third waits, segments are next.
        guard case .segment(let place, _)? = schedule.next() else { return #expect(Bool(false)) }
        taken.append("segment \(place.artifact)")
        #expect(taken == ["cut 0", "cut 1", "segment 0"])
    }

    @Test func queuesAreCutSideBySide() {
        let outlines = (0..<2).map {
            outline("g\($0)", deferral: Deferral(group: "\($0)", queue: "pve\($0)"))
        }
        let schedule = schedule(outlines, lanes: 4)
        guard case .cut(let first)? = schedule.next(), case .cut(let second)? = schedule.next()
        else { return #expect(Bool(false)) }
        #expect([first.artifact, second.artifact] == [0, 1])
    }

    @Test func theFirstRealFailureStopsAllAndIsTold() {
        let schedule = schedule([outline("a", segments: 5)], lanes: 2)
        _ = schedule.next()
        _ = schedule.next()
        schedule.stop(Failure(.cancelled, "interrupted"))
        schedule.stop(Failure(.noSpace, "full"))
        #expect(schedule.next() == nil)
        #expect(throws: Failure(.noSpace, "")) { try schedule.check() }
    }

    @Test func artifactsThatWaitForEachOtherAreAFailure() {
        let schedule = schedule([
            outline("a", segments: 1, after: [1]), outline("b", segments: 1, after: [0]),
        ])
        #expect(steps(schedule).isEmpty)
        #expect(throws: Failure(.failed, "")) { try schedule.check() }
    }
}

extension ExportSchedule.Step: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.cut(let a), .cut(let b)), (.conclude(let a), .conclude(let b)): a == b
        case (.segment(let a, let m), .segment(let b, let n)): a == b && m == n
        default: false
        }
    }
}
