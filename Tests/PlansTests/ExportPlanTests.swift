import Basics
import TestKit
import Testing

@testable import Plans

@Suite struct ExportPlanTests {
    @Test func readsEveryKey() throws {
        let plan = try Samples.parseExport(Samples.export)
        #expect(plan.run.purpose == .endOfContract)
        #expect(plan.run.contract == "E26-01/0042")
        #expect(plan.run.provider?.name == "Hébergeur SA")
        #expect(plan.run.customer?.name == "CH de Valmont")
        #expect(plan.sources.map(\.name) == ["partage", "etc"])
        #expect(plan.sources[0].accept == ["sockets"])
        #expect(plan.sources[0].bandwidth == 10_000_000)
        #expect(plan.sources[0].exclusions.map(\.reason) == ["temporary files"])
        #expect(plan.archive.name == "ch-valmont-20261123")
        #expect(plan.archive.compression.level == .fixed(7))
        #expect(plan.archive.compression.long)
        #expect(plan.archive.encryptTo == ["age1abc", "age1def"])
        #expect(plan.archive.encryptToPlaces == ["plans/plan.yaml:18:17", "plans/plan.yaml:18:26"])
        #expect(plan.archive.signWith == "plans/keys/hebergeur")
        #expect(plan.archive.timestamps.map(\.server?.url) == ["https://tsa.example/tsr"])
        #expect(plan.archive.timestamps.map(\.server?.certificates) == ["plans/tsa-ca.pem"])
        #expect(plan.archive.timestamps.map(\.isRequired) == [false])
        #expect(plan.archive.manifests == [.sha256, .sha512])
        #expect(plan.limits.workers == 4)
        #expect(plan.limits.bandwidth == 209_715_200)
    }

    @Test func absentKeysHaveTheirDefaults() throws {
        let plan = try Samples.parseExport(
            """
            exeat: 1
            run: { purpose: trial }
            sources: { etc: { kind: files, path: /etc } }
            archive: { name: a, sign-with: /keys/k }
            """)
        #expect(plan.archive.compression.level == .fixed(3))
        #expect(!plan.archive.compression.long)
        #expect(plan.archive.encryptTo.isEmpty)
        #expect(plan.archive.manifests == [.sha256])
        #expect(plan.archive.timestamps.isEmpty)
        #expect(plan.archive.previous == nil)
        #expect(plan.archive.restoreBefore == nil)
        #expect(plan.limits.workers == nil)
        #expect(plan.limits.bandwidth == nil)
        #expect(plan.sources[0].exclusions.isEmpty)
    }

    @Test func connectorsReadPatternsAndSettings() throws {
        let plan = try Samples.parseExport(Samples.export)
        let problems = PlanProblems()
        let patterns = plan.sources[0].exclusions[0].patterns
            .mapping(PlanShape(required: ["paths"]), problems)
        #expect(patterns?.strings("paths") == ["*.tmp"])
        let settings = plan.sources[0].settings.mapping(Samples.settings, problems)
        #expect(settings?.path("path") == "plans/shares/partage")
        try problems.check()
        plan.sources[0].checkAccepted(among: ["sockets", "mount-points"], problems)
        try problems.check()
        plan.sources[0].checkAccepted(among: ["socket"], problems)
        #expect(
            problems.all.map(\.text) == [
                "plans/plan.yaml:12:15: \"accept[0]\" must be one of socket, not \"sockets\", "
                    + "did you mean \"socket\"?"
            ])
    }

    @Test func listsAllProblemsWithPlaceAndNearestKey() throws {
        let plan = Samples.export
            .replacing("level: 7", with: "levle: 7")
            .replacing("workers: 4", with: "workers: many")
            .replacing("devices: true", with: "device: true")
            .replacing("end-of-contract", with: "drp")
            .replacing("  name: ch-", with: "  nom: ch-")
        let failure = try #require(Samples.problems(plan))
        #expect(failure.code == .planInvalidValue)
        #expect(
            failure.what == """
                plans/plan.yaml:3:12: "purpose" must be one of end-of-contract, drp-rehearsal, \
                migration, trial, not "drp", did you mean "drp-rehearsal"?
                plans/plan.yaml:14:35: unknown key "device" in "etc", did you mean "devices"?
                plans/plan.yaml:15:1: "archive" lacks "name"
                plans/plan.yaml:16:3: unknown key "nom" in "archive", did you mean "name"?
                plans/plan.yaml:17:18: unknown key "levle" in "compression", did you mean "level"?
                plans/plan.yaml:22:20: "workers" must be a whole number
                """)
    }

    @Test func saysWhatIsKnownWhereNothingIsNear() throws {
        let failure = try #require(
            Samples.problems(Samples.export.replacing("long: true", with: "zzzzzz: true")))
        #expect(failure.code == .planUnknownKey)
        #expect(failure.what.hasSuffix("in \"compression\"; known: level, long"))
    }

    @Test(arguments: [
        ("kind: files", "kind: file", Failure.Code.planUnknownKind),
        ("kind: files\n", "", .planSyntax),
        ("age1abc, age1def", "age1abc, age1pq1def", .ageRecipientsMixed),
        ("exeat: 1", "exeat: 2", .planInvalidValue),
        ("exeat: 1\n", "", .planMissingValue),
        ("  partage:\n", "  Partage:\n", .planInvalidValue),
        ("  partage:\n", "  -partage:\n", .planInvalidValue),
        ("  partage:\n", "  a1234567890123456789012345678901x:\n", .planInvalidValue),
        ("ch-valmont-20261123", ".valmont", .planInvalidValue),
        ("ch-valmont-20261123", "a/b", .planInvalidValue),
        ("ch-valmont-20261123", "", .planMissingValue),
        ("level: 7", "level: 20", .planInvalidValue),
        ("level: 7", "level: \"7\"", .planWrongType),
        ("long: true", "long: yes", .planWrongType),
        ("long: true", "long: \"true\"", .planWrongType),
        ("age1abc", "AGE-SECRET-KEY-1ABC", .planInvalidValue),
        ("age1abc", "age1def", .planInvalidValue),
        ("[ age1abc, age1def ]", "[]", .planMissingValue),
        ("https://tsa", "ftp://tsa", .planInvalidValue),
        ("[ sha512, sha256 ]", "[ sha512 ]", .planInvalidValue),
        ("200MiB/s", "200", .planInvalidValue),
        ("workers: 4", "workers: 0", .planInvalidValue),
        (", reason: \"temporary files\"", "", .planMissingValue),
        ("paths: [\"*.tmp\"], ", "", .planMissingValue),
        ("name: CH de Valmont", "nom: CH de Valmont", .planMissingValue),
        ("shares/partage", "~/partage", .planInvalidValue),
        ("shares/partage", "{ a: b }", .planWrongType),
        ("shares/partage", "${env:HOME}/partage", .planInvalidValue),
        ("sources:\n", "targets:\n", .planUnknownKey),
    ])
    func refuses(part: String, by other: String, code: Failure.Code) throws {
        let failure = try #require(Samples.problems(Samples.export.replacing(part, with: other)))
        #expect(failure.code == code, "\(failure.what)")
    }

    @Test func severalAuthoritiesAndOneForLater() throws {
        let one = "{ url: https://tsa.example/tsr, ca: tsa-ca.pem }"
        let several = """
            [ { url: "http://tsa.example:8080/a?b=1", ca: a.pem, policy: 1.2.3, hash: sha512, \
            required: true, timeout: 5 }, { url: https://b.example, ca: b.pem, user: u, \
            password: "${env:P}", tls-ca: c.pem }, { offline: true, policy: 2.999.1 } ]
            """
        let plan = try Samples.parseExport(
            Samples.export.replacing(one, with: several), environment: ["P": "secret"])
        let authorities = plan.archive.timestamps
        #expect(authorities.map(\.policy) == ["1.2.3", nil, "2.999.1"])
        #expect(authorities.map(\.hash) == [.sha512, .sha256, .sha256])
        #expect(authorities.map(\.isRequired) == [true, false, false])
        #expect(authorities.map(\.timeout) == [5, 30, 30])
        #expect(authorities[1].server?.password?.revealed() == "secret")
        #expect(authorities[2].server == nil)
        for (wrong, code) in [
            ("{ ca: a.pem }", Failure.Code.planMissingValue),
            ("{ url: https://a.example }", .planMissingValue),
            ("{ url: https://, ca: a }", .planInvalidValue),
            ("{ url: \"https://u:p@a.example/\", ca: a }", .planInvalidValue),
            ("{ url: http://a.example, ca: a, token: \"${env:P}\" }", .planInvalidValue),
            ("{ url: https://a.example, ca: a, user: u }", .planMissingValue),
            ("{ url: https://a.example, ca: a, policy: x }", .planInvalidValue),
            ("{ url: https://a.example, ca: a, hash: sha1 }", .planInvalidValue),
            ("{ offline: true, url: https://a.example }", .planInvalidValue),
            ("{ url: https://a.example, ca: a, token: literal }", .planInvalidValue),
        ] {
            let text = Samples.export.replacing(one, with: wrong)
            #expect(throws: Failure(code, ""), "\(wrong)") {
                try Samples.parseExport(text, environment: ["P": "secret"])
            }
        }
    }

    @Test(arguments: [
        ("2027-03-31", "2027-03-31T00:00:00.000Z"),
        ("2027-03-31T18:00:00Z", "2027-03-31T18:00:00.000Z"),
        ("2027-02-30", nil), ("31.03.2027", nil),
    ])
    func datesOfExpiryAreDaysOrTimes(text: String, expected: String?) throws {
        let plan = Samples.export.replacing(
            "  manifests:",
            with: "  restore-before: \(text)\n  previous: last/seal.json\n  manifests:")
        let parsed = try? Samples.parseExport(plan)
        #expect(parsed?.archive.restoreBefore?.text == expected)
        if expected != nil { #expect(parsed?.archive.previous == "plans/last/seal.json") }
    }

    @Test func aPlanForTheOtherCommandIsNamed() throws {
        let failure = try #require(Samples.problems(Samples.import))
        #expect(failure.what == "plans/plan.yaml:5:1: \"targets\" makes this an import plan")
    }

    @Test func digestLeavesOutLimitsAlone() throws {
        let digest = try Samples.parseExport(Samples.export).digest
        func same(_ part: String, _ other: String) throws -> Bool {
            try Samples.parseExport(Samples.export.replacing(part, with: other)).digest == digest
        }
        #expect(try same("workers: 4", "workers: 8"))
        #expect(try same("bandwidth: 10MB/s", "bandwidth: 1MB/s"))
        #expect(try same("limits: { workers: 4, bandwidth: 200MiB/s }", "# none"))
        #expect(try same("[ sockets ]", "[ \"sockets\" ]"))
        #expect(try !same("level: 7", "level: 8"))
        #expect(try !same("shares/partage", "shares/autre"))
        #expect(try !same("sockets", "mount-points"))
    }

    @Test func digestCoversTheOrderOfSources() throws {
        func plan(_ sources: String) throws -> ExportPlan {
            try Samples.parseExport(
                """
                exeat: 1
                run: { purpose: trial }
                sources: { \(sources) }
                archive: { name: a, sign-with: k }
                """)
        }
        let one = "a: { kind: files, path: /a }"
        let two = "b: { kind: files, path: /b }"
        #expect(try plan("\(one), \(two)").digest != plan("\(two), \(one)").digest)
    }

    @Test func loadsAFileAndResolvesBesideIt() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.file("plan.yaml", Array(Samples.export.utf8))
        let plan = try ExportPlan.load(path: path, kinds: ["files"], environment: [:]) { _, _ in }
        #expect(plan.archive.signWith == folder.path + "/keys/hebergeur")
        #expect(throws: Failure(.notFound, "")) {
            try ExportPlan.load(path: path + "x", kinds: [], environment: [:]) { _, _ in }
        }
    }
}
