import Basics
import Manifests
import Plans

/// Which sources are rehearsed, and what must be done before each.
enum RehearsalOrder {
    /// All sources of an archive, those that were not asked for marked; throws for what the plan or the
    /// command names and the archive does not have, and for sources that wait for each other.
    static func sources(
        of manifest: Manifest, plan: ImportPlan, only: [String]
    ) throws(Failure) -> [RehearsedSource] {
        let names = manifest.sources.map(\.name)
        func check(_ name: String) throws(Failure) {
            guard !names.contains(name) else { return }
            throw Failure(
                .planInvalidValue, "the archive has no source \"\(name)\"",
                hint: "Its sources are: \(names.joined(separator: ", ")).")
        }
        for name in only { try check(name) }
        for target in plan.targets {
            try check(target.name)
            for name in target.rehearsal.after { try check(name) }
        }
        let sources = manifest.sources.enumerated().map { place, record in
            let target = plan.targets.first { $0.name == record.name }
            var source = RehearsedSource(
                place: place, record: record, tier: target?.rehearsal.tier,
                after: target?.rehearsal.after ?? [], isThrowAway: target?.isThrowAway ?? true)
            if !only.isEmpty, !only.contains(record.name) { source.outcome = .left }
            return source
        }
        try checkCycles(sources)
        return sources
    }

    private static func checkCycles(_ sources: [RehearsedSource]) throws(Failure) {
        var waiting = sources
        var done: Set<String> = []
        while !waiting.isEmpty {
            let ready = waiting.filter { $0.after.allSatisfy(done.contains) }
            guard !ready.isEmpty else {
                throw Failure(
                    .planInvalidValue,
                    "these sources wait for each other: "
                        + waiting.map(\.record.name).joined(separator: ", "),
                    hint: "Look at what they are rehearsed \"after\".")
            }
            done.formUnion(ready.map(\.record.name))
            waiting.removeAll { source in ready.contains { $0.place == source.place } }
        }
    }

    /// Those that may begin, the most urgent first: by tiers in the plan's order, then the largest, for
    /// it takes longest.
    static func ready(
        _ waiting: [RehearsedSource], done: Set<String>, plan: ImportPlan
    ) -> [RehearsedSource] {
        func rank(_ source: RehearsedSource) -> Int {
            plan.rehearsal.tiers.firstIndex { $0.name == source.tier } ?? Int.max
        }
        return waiting.filter { $0.after.allSatisfy(done.contains) }.sorted {
            (rank($0), -$0.plainBytes, $0.place) < (rank($1), -$1.plainBytes, $1.place)
        }
    }
}
