import Basics
import Testing

@testable import Plans

@Suite struct ImportPlanTests {
    @Test func readsEveryKey() throws {
        let plan = try Samples.parseImport(Samples.import)
        #expect(plan.trust == ["keys/a.trust.json", "/etc/exeat/b.trust.json"])
        #expect(plan.decryptWith == ["keys/valmont.agekey"])
        #expect(plan.signWith == "keys/valmont")
        #expect(plan.verify == .counts)
        let target = try #require(plan.targets.first)
        #expect(target.name == "partage")
        #expect(target.kind == "files")
        #expect(target.existing == .add)
        let problems = PlanProblems()
        #expect(
            target.map?.mapping(PlanShape(optional: ["owners"]), problems)?.string("owners")
                == "numeric")
        let settings = target.settings.mapping(PlanShape(required: ["path"]), problems)
        #expect(settings?.path("path") == "/srv/import")
        try problems.check()
    }

    @Test func comparesDigestsUnlessTold() throws {
        let plan = try Samples.parseImport(Samples.import.replacing("verify: counts\n", with: ""))
        #expect(plan.verify == .digest)
        #expect(plan.limits.workers == nil)
    }

    @Test(arguments: [
        ("verify: counts", "verify: digests", Failure.Code.planInvalidValue),
        ("existing: add", "existing: overwrite", .planInvalidValue),
        ("sign-with", "sign", .planMissingValue),
        ("kind: files", "kind: logs", .planUnknownKind),
        ("trust: [ keys/a.trust.json, /etc/exeat/b.trust.json ]", "trust: []", .planMissingValue),
        ("decrypt-with: keys/valmont.agekey", "decrypt-with:", .planMissingValue),
        ("targets:", "sources:", .planUnknownKey),
    ])
    func refuses(part: String, by other: String, code: Failure.Code) throws {
        #expect(throws: Failure(code, "")) {
            try Samples.parseImport(Samples.import.replacing(part, with: other))
        }
    }

    @Test func aPlanWithoutTargetsIsRefused() {
        #expect(throws: Failure(.planMissingValue, "")) {
            try Samples.parseImport("exeat: 1\ntrust: t\nsign-with: k\ntargets: {}\n")
        }
    }
}
