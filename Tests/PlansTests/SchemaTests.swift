import Basics
import Testing

@testable import Plans

/// The schemas in `Manifests/schemas` and the parser know the same keys, and both take the examples.
@Suite struct SchemaTests {
    private static let manifests: String = {
        var root = #filePath
        for _ in 0..<3 { root = Files.parent(of: root) }
        return root + "/Manifests"
    }()

    private static func schema(_ name: String) throws -> JSON {
        try JSON(parsing: Files.read("\(manifests)/schemas/v1/\(name).schema.json"))
    }

    @Test(arguments: [
        ("plan-export", nil, ExportPlan.shape), ("plan-export", "run", RunPlan.shape),
        ("plan-export", "party", RunPlan.Party.shape), ("plan-export", "system", SystemPlan.shape),
        ("plan-export", "source", SourcePlan.shape),
        ("plan-export", "exclusion", SourcePlan.exclusionShape),
        ("plan-export", "sourceLimits", SourcePlan.limitsShape),
        ("plan-export", "archive", ArchivePlan.shape),
        ("plan-export", "compression", ArchivePlan.Compression.shape),
        ("plan-export", "timestamp", TimestampAuthority.shape),
        ("plan-export", "limits", LimitsPlan.shape),
        ("plan-import", nil, ImportPlan.shape), ("plan-import", "target", TargetPlan.shape),
        ("plan-import", "targetLimits", SourcePlan.limitsShape),
        ("plan-import", "limits", LimitsPlan.shape),
        ("plan-import", "rehearse", RehearsalPlan.shape),
        ("plan-import", "tier", RehearsalPlan.tierShape),
        ("plan-import", "fullSize", RehearsalPlan.FullSize.shape),
        ("plan-import", "machine", RehearsedTarget.Machine.shape),
        ("plan-import", "probe", ProbePlan.shape), ("plan-export", "probe", ProbePlan.shape),
        ("plan-import", "timestamp", TimestampDemand.shape),
    ])
    func parserAndSchemaKnowTheSameKeys(
        schema name: String, definition: String?, shape: PlanShape
    ) throws {
        let schema = try Self.schema(name)
        let object = try definition.map { try #require(schema["$defs"]?[$0]) } ?? schema
        let keys = try #require(object["properties"]?.members).map(\.key)
        #expect(keys.sorted() == shape.keys.sorted())
        #expect(
            (object["required"]?.array ?? []).compactMap(\.string).sorted()
                == shape.required.sorted())
    }

    @Test func parserAndSchemaKnowTheSameWords() throws {
        let export = try Self.schema("plan-export")["$defs"]
        let plan = try Self.schema("plan-import")
        func words(_ schema: JSON?, _ path: String...) -> [String] {
            path.reduce(schema) { $0?[$1] }?["enum"]?.array?.compactMap(\.string) ?? []
        }
        #expect(
            words(export, "run", "properties", "purpose")
                == RunPlan.Purpose.allCases.map(\.rawValue))
        #expect(
            words(plan["properties"], "verify")
                == ImportPlan.Comparison.allCases.map(\.rawValue))
        #expect(
            words(plan["$defs"], "target", "properties", "existing")
                == TargetPlan.Existing.allCases.map(\.rawValue))
        #expect(
            export?["archive"]?["properties"]?["name"]?["maxLength"]?.integer
                == Int64(ArchivePlan.longestName))
        #expect(export?["name"]?["maxLength"]?.integer == Int64(CommonPlan.longestName))
        #expect(
            export?["limits"]?["properties"]?["workers"]?["maximum"]?.integer
                == LimitsPlan.mostWorkers)
    }

    @Test func everySchemaIsStrictJSONWithItsName() throws {
        let folder = Self.manifests + "/schemas/v1"
        let names = try Files.names(in: folder)
        #expect(names.count == 31)
        for name in names {
            let schema = try JSON(parsing: Files.read("\(folder)/\(name)"))
            #expect(schema["$id"]?.string == "urn:exeat:schema:v1:\(name.dropLast(12))")
        }
    }

    /// The examples of every connector, with the keys that the schemas know.
    @Test func examplePlansParse() throws {
        let sources = ["files", "postgresql", "mariadb", "proxmox", "disks", "configs", "logs"]
        let targets = [
            "files", "postgresql", "mariadb", "proxmox", "libvirt", "directory", "configs", "logs",
        ]
        func shape(_ schema: String, _ kind: String) throws -> PlanShape {
            let keys = try Self.schema(schema)["$defs"]?[kind]?["properties"]?.members ?? []
            #expect(!keys.isEmpty, "the schema of \(schema) does not know \(kind)")
            // What all targets have is read before the connector gets its settings.
            return PlanShape(optional: keys.map(\.key).filter { $0 != "map" })
        }
        var shapes: [String: PlanShape] = [:]
        for kind in sources { shapes["source " + kind] = try shape("plan-export", kind) }
        for kind in targets { shapes["target " + kind] = try shape("plan-import", kind) }
        let environment = ["PGPASSWORD": "secret"]
        for name in try Files.names(in: Self.manifests + "/plans") {
            let path = "\(Self.manifests)/plans/\(name)"
            if name.hasPrefix("import") {
                let plan = try ImportPlan.load(
                    path: path, kinds: targets, environment: environment,
                    rehearsing: name.contains("rehearsal")
                ) {
                    _ = $0.settings.mapping(shapes["target " + $0.kind] ?? PlanShape(), $1)
                }
                #expect(!plan.targets.isEmpty)
            } else {
                let plan = try ExportPlan.load(path: path, kinds: sources, environment: environment)
                {
                    _ = $0.settings.mapping(shapes["source " + $0.kind] ?? PlanShape(), $1)
                }
                #expect(!plan.sources.isEmpty)
            }
        }
    }
}
