import Basics
import Manifests
import Plans

/// What the contract declares against what was found and what is in the archive, of one source: three
/// lists of which each explains the others, or the run ends with status 2.
struct DeclaredCoverage {
    /// Something that one list has and the others do not explain.
    struct Gap: Sendable, Equatable {
        enum Kind: String, Sendable, CaseIterable {
            /// In the archive, and nobody has declared it.
            case undeclared
            /// Declared, and nothing of the kind was found.
            case notFound = "not-found"
            /// Declared by name as what must leave, and left out.
            case leftOut = "left-out"
            /// Left out, and not listed by name: whether it was declared cannot be told.
            case unlisted
            /// Declared exempt, and in the archive all the same.
            case exported = "exempt-exported"
            /// Of another legal category than declared.
            case category
            /// More or fewer of them than declared.
            case count
        }

        let kind: Kind
        /// May name objects.
        let what: String
    }

    private(set) var gaps: [Gap] = []
    private(set) var found: [Int]
    private(set) var exempt: [Int64]
    /// How many objects were left out beyond those that the manifest lists.
    private let unlisted: Int64
    private let declarations: [DeclarationPlan]

    /// Artifacts that are ours: lists of what the others hold, which no contract knows of.
    private static let own: Set<String> = [
        "file-index", "log-text-index", "log-text-streams", "secret-list", "postgresql-contents",
        "mariadb-contents",
    ]

    /// nil where the plan declares nothing.
    init?(_ declarations: [DeclarationPlan], _ source: SourceRecord) {
        guard !declarations.isEmpty else { return nil }
        self.declarations = declarations
        unlisted = source.omissions.total - Int64(source.omissions.lines.count)
        found = Array(repeating: 0, count: declarations.count)
        exempt = Array(repeating: 0, count: declarations.count)
        for artifact in source.artifacts where !Self.own.contains(artifact.kind) { judge(artifact) }
        for line in source.omissions.lines { judge(line) }
        if unlisted > 0, declarations.contains(where: { $0.exemption == nil && $0.isByName }) {
            gaps.append(
                Gap(
                    kind: .unlisted,
                    what: "\(unlisted) objects that were left out are not listed one by one, so "
                        + "nobody can tell whether one of them was declared by name"))
        }
        for (place, declaration) in declarations.enumerated() where declaration.exemption == nil {
            if let count = declaration.count, count != Int64(found[place]) {
                gaps.append(
                    Gap(
                        kind: .count,
                        what:
                            "\"\(declaration.category)\": \(count) declared, \(found[place]) found")
                )
            } else if found[place] == 0, declaration.count != 0 {
                gaps.append(
                    Gap(kind: .notFound, what: "\"\(declaration.category)\": nothing was found"))
            }
        }
    }

    private mutating func judge(_ artifact: ArtifactRecord) {
        let places = declarations.indices.filter {
            declarations[$0].covers(name: artifact.name, kind: artifact.kind)
        }
        // What is exempt by its name is so whatever covers everything.
        if let place = places.first(where: {
            declarations[$0].exemption != nil && declarations[$0].names(artifact.name)
        }) ?? (places.allSatisfy { declarations[$0].exemption != nil } ? places.first : nil) {
            gaps.append(
                Gap(
                    kind: .exported,
                    what:
                        "\"\(artifact.name)\" is exempt as \"\(declarations[place].category)\", and in "
                        + "the archive"))
            return
        }
        guard let place = places.first(where: { declarations[$0].exemption == nil }) else {
            return gaps.append(
                Gap(
                    kind: .undeclared,
                    what: "\"\(artifact.name)\" (\(artifact.kind)) is not declared"))
        }
        found[place] += 1
        if let legal = declarations[place].legal, legal != artifact.legal.rawValue {
            gaps.append(
                Gap(
                    kind: .category,
                    what: "\"\(artifact.name)\" is declared as \(legal), and is "
                        + artifact.legal.rawValue))
        }
    }

    /// An object that was found and left out: exempt, or covered by the plan in general, but not
    /// declared by its name as what must leave.
    private mutating func judge(_ line: JSON) {
        let bytes = line["path64"]?.string.flatMap { Base64.decode($0) }
        guard
            let name = (line["object"] ?? line["path"])?.string
                ?? bytes.map({ String(decoding: $0, as: UTF8.self) })
        else { return }
        if let place = declarations.indices.first(where: {
            declarations[$0].exemption != nil && declarations[$0].covers(name: name, kind: nil)
        }) {
            exempt[place] += 1
            return
        }
        guard let place = declarations.indices.first(where: { declarations[$0].names(name) }) else {
            return
        }
        gaps.append(
            Gap(
                kind: .leftOut,
                what:
                    "\"\(name)\" is declared as \"\(declarations[place].category)\", and was left out"
            ))
    }

    /// For the catalogue: no names but the contract's own words.
    var json: JSON {
        [
            "declared": .array(
                declarations.enumerated().map { place, declaration in
                    var members: [JSON.Member] = [
                        .init("category", .string(declaration.category)),
                        .init("artifacts", .integer(Int64(found[place]))),
                    ]
                    if let legal = declaration.legal {
                        members.append(.init("legal", .string(legal)))
                    }
                    if let exemption = declaration.exemption {
                        members.append(.init("legal", "exempt"))
                        members.append(.init("ground", .string(exemption.ground)))
                        members.append(.init("clause", .string(exemption.clause)))
                        // Of what is not listed nobody knows to which entry it belongs.
                        if unlisted == 0 {
                            members.append(.init("omitted", .integer(exempt[place])))
                        }
                    }
                    return .object(members)
                }),
            "unexplained": .integer(Int64(gaps.count)),
            "gaps": Self.json(gaps),
        ]
    }

    /// Their number by kind.
    static func json(_ gaps: [Gap]) -> JSON {
        .object(
            Dictionary(grouping: gaps, by: \.kind.rawValue).sorted { $0.key < $1.key }.map {
                .init($0.key, .integer(Int64($0.value.count)))
            })
    }
}
