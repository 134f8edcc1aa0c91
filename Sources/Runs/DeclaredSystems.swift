import Basics
import Manifests
import Plans

/// The systems that the contract lists against the sources of the plan: each explains the other, or
/// the run ends with status 2.
struct DeclaredSystems {
    private(set) var gaps: [DeclaredCoverage.Gap] = []
    private let systems: [SystemPlan]
    /// How many artifacts the sources of each system have.
    private let artifacts: [Int]

    /// nil where the plan lists none.
    init?(_ systems: [SystemPlan], _ sources: [SourceRecord]) {
        guard !systems.isEmpty else { return nil }
        self.systems = systems
        artifacts = systems.map { system in
            sources.filter { system.sources.contains($0.name) }
                .reduce(0) { $0 + $1.artifacts.count }
        }
        for system in systems where system.exemption == nil && system.sources.isEmpty {
            gaps.append(
                .init(
                    kind: .notFound,
                    what: "\"\(system.category)\" of the contract is in no source of the plan"))
        }
        for source in sources
        where !systems.contains(where: { $0.sources.contains(source.name) }) {
            gaps.append(
                .init(
                    kind: .undeclared,
                    what: "the source \"\(source.name)\" belongs to nothing that the contract lists"
                ))
        }
    }

    /// For the catalogue, in the form of the coverage of a source.
    var json: JSON {
        [
            "declared": .array(
                zip(systems, artifacts).map { system, count in
                    var members: [JSON.Member] = [
                        .init("category", .string(system.category)),
                        .init("artifacts", .integer(Int64(count))),
                    ]
                    if let exemption = system.exemption {
                        members.append(.init("legal", "exempt"))
                        members.append(.init("ground", .string(exemption.ground)))
                        members.append(.init("clause", .string(exemption.clause)))
                    }
                    return .object(members)
                }),
            "unexplained": .integer(Int64(gaps.count)),
            "gaps": DeclaredCoverage.json(gaps),
        ]
    }
}
