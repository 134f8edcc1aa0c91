import Basics
import Connectors
import Manifests
import Streams

/// In which order lanes take the steps of an export: segments in the order of the inventory (those of an
/// artifact with an order of its own in that), an artifact's conclusion as soon as its last segment is committed, those that come `after` it then.
///
/// Artifacts with a `Deferral` are cut ahead of the segments that are being exported, so that a
/// source works on the next group while lanes still compress this one; at most two groups of a
/// queue are open, which bounds what a source has to keep ready.
final class ExportSchedule: Sendable {
    struct Artifact: Hashable, Sendable {
        let source: Int
        let artifact: Int
    }

    enum Step: Sendable {
        /// Ask how many segments there are.
        case cut(Artifact)
        case segment(Artifact, Int)
        case conclude(Artifact)
    }

    private struct Item {
        let place: Artifact
        let outline: ArtifactOutline
        /// nil until it is cut.
        var segments: Int?
        var isCutting = false
        var next = 0
        var running = 0
        var isConcluding = false
        var isConcluded = false
    }

    private struct State {
        var items: [Item]
        /// Items before this one are concluded.
        var first = 0
        var running = 0
        var cutting = 0
        /// Artifacts whose number of segments nobody has asked for yet.
        var uncut: Int
        var failure: Failure?
    }

    private let state: Monitor<State>
    private let places: [Artifact: Int]
    private let lanes: Int

    init(_ inventories: [Inventory], lanes: Int) {
        var items: [Item] = []
        var places: [Artifact: Int] = [:]
        for (source, inventory) in inventories.enumerated() {
            for (number, outline) in inventory.artifacts.enumerated() {
                let place = Artifact(source: source, artifact: number)
                places[place] = items.count
                items.append(
                    Item(
                        place: place, outline: outline,
                        segments: outline.deferral == nil ? outline.segments : nil))
            }
        }
        self.places = places
        self.lanes = lanes
        state = Monitor(State(items: items, uncut: items.count { $0.segments == nil }))
    }

    /// The next step for a lane, which waits for one; nil when there is none left, or after a
    /// failure.
    func next() -> Step? {
        let step = try? state.wait { (state) -> Step?? in
            if state.failure != nil { return .some(nil) }
            if let step = take(&state) {
                state.running += 1
                return .some(step)
            }
            // Steps that are under way may make others possible.
            return state.running > 0 ? nil : .some(nil)
        }
        return step ?? nil
    }

    /// - Parameter segments: of an artifact that was cut.
    func finish(_ step: Step, segments: Int? = nil) {
        try? state.change { state in
            state.running -= 1
            switch step {
            case .cut(let place):
                guard let index = places[place] else { return }
                state.cutting -= 1
                state.items[index].isCutting = false
                state.items[index].segments = segments
            case .segment(let place, _):
                guard let index = places[place] else { return }
                state.items[index].running -= 1
            case .conclude(let place):
                guard let index = places[place] else { return }
                state.items[index].isConcluded = true
                while state.first < state.items.count, state.items[state.first].isConcluded {
                    state.first += 1
                }
            }
        }
    }

    /// A real failure is worth more than the interruption that it may cause elsewhere.
    func stop(_ failure: Failure) {
        try? state.change { state in
            state.running -= 1
            if let known = state.failure, known.code != .cancelled { return }
            state.failure = failure
        }
    }

    /// Throws the failure that stopped the export.
    func check() throws(Failure) {
        let (failure, isComplete) = try state.change {
            ($0.failure, $0.first == $0.items.count)
        }
        if let failure { throw failure }
        guard isComplete else {
            throw Failure(.failed, "artifacts of a source wait for each other")
        }
    }

    private func take(_ state: inout State) -> Step? {
        var segment: Int?
        var cut: Int?
        /// Groups that are open, and queues that are cutting, as far as the items have been seen.
        var open: [Queue: Set<String>] = [:]
        var busy: Set<Queue> = []
        for index in state.first..<state.items.count {
            let item = state.items[index]
            if item.isConcluded { continue }
            let queue = item.outline.deferral.map {
                Queue(source: item.place.source, name: $0.queue)
            }
            if let queue, let group = item.outline.deferral?.group {
                if item.segments == nil, !item.isCutting {
                    let groups = open[queue, default: []]
                    if cut == nil, !busy.contains(queue),
                        groups.contains(group) || groups.count < 2,
                        isFree(item, state)
                    {
                        cut = index
                    }
                    continue
                }
                open[queue, default: []].insert(group)
                if item.isCutting { busy.insert(queue) }
            }
            guard let count = item.segments, isFree(item, state) else { continue }
            if item.next < count {
                if segment == nil { segment = index }
            } else if item.running == 0, !item.isConcluding {
                state.items[index].isConcluding = true
                return .conclude(item.place)
            }
            if segment != nil, cut != nil || state.uncut == 0 { break }
        }
        if let cut, state.cutting < max(1, lanes / 2), segment == nil || lanes > 1 {
            state.items[cut].isCutting = true
            state.cutting += 1
            state.uncut -= 1
            return .cut(state.items[cut].place)
        }
        guard let segment else { return nil }
        let item = state.items[segment]
        state.items[segment].next += 1
        state.items[segment].running += 1
        return .segment(item.place, item.outline.order?[item.next] ?? item.next)
    }

    private struct Queue: Hashable {
        let source: Int
        let name: String
    }

    /// Whether all that the artifact comes after is concluded.
    private func isFree(_ item: Item, _ state: State) -> Bool {
        item.outline.after.allSatisfy { other in
            places[Artifact(source: item.place.source, artifact: other)]
                .map { state.items[$0].isConcluded } ?? false
        }
    }
}

extension Scheduler {
    /// Lets all lanes take the steps of an export until there are none left; `body` gives the number
    /// of segments of what it has cut.
    func run(
        _ schedule: ExportSchedule,
        _ body: @escaping @Sendable (ExportSchedule.Step) throws(Failure) -> Int?
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask(executorPreference: lane) { @concurrent () async -> Void in
                    while let step = schedule.next() {
                        do throws(Failure) {
                            schedule.finish(step, segments: try body(step))
                        } catch { schedule.stop(error) }
                    }
                }
            }
        }
    }
}
