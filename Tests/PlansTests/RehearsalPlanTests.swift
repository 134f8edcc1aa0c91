import Basics
import Testing

@testable import Plans

@Suite struct RehearsalPlanTests {
    private static func parse(_ text: String) throws(Failure) -> ImportPlan {
        try ImportPlan(
            parsing: Array(text.utf8), file: "plan.yaml", kinds: ["files", "postgresql"],
            environment: [:], rehearsing: true
        ) { _, _ in }
    }

    private static let head = "exeat: 1\ntrust: a\nsign-with: b\n"

    private static func problem(_ text: String) -> Failure? {
        do throws(Failure) { _ = try parse(head + text) } catch { return error }
        return nil
    }

    @Test func nothingNeedsToBeSaid() throws {
        let plan = try Self.parse(Self.head)
        #expect(plan.targets.isEmpty)
        #expect(plan.rehearsal.objectives == .init(time: 4 * 3600, recoveryPoint: nil))
        #expect(plan.rehearsal.timeLimit == nil)
    }

    @Test func anImportStillNamesItsTargets() {
        #expect(throws: Failure.self) {
            _ = try ImportPlan(
                parsing: Array(Self.head.utf8), file: "plan.yaml", kinds: ["files"],
                environment: [:]
            ) { _, _ in }
        }
        // A throw-away target is no place to import to.
        #expect(throws: Failure.self) {
            _ = try ImportPlan(
                parsing: Array(
                    (Self.head + "targets: { a: { kind: throw-away } }\n").utf8),
                file: "plan.yaml", kinds: ["files"], environment: [:]
            ) { _, _ in }
        }
    }

    @Test func tiersTakeWhatTheyDoNotSayFromTheWhole() throws {
        let plan = try Self.parse(
            Self.head + """
                rehearse:
                  objective: 2h
                  recovery-point: 1d
                  tiers: { vital: { objective: 30min }, later: { recovery-point: 2d } }
                targets:
                  dpi: { kind: throw-away, tier: vital, after: annuaire }
                """)
        #expect(plan.rehearsal.objectives(of: "vital") == .init(time: 1800, recoveryPoint: 86_400))
        #expect(plan.rehearsal.objectives(of: "later") == .init(time: 7200, recoveryPoint: 172_800))
        #expect(plan.targets[0].rehearsal.after == ["annuaire"])
        #expect(plan.targets[0].isThrowAway)
    }

    @Test func probesOfAllKindsAreRead() throws {
        let plan = try Self.parse(
            Self.head + """
                targets:
                  dpi:
                    kind: throw-away
                    probes:
                      - { name: a, sql: "SELECT 1", expect: 1 }
                      - { name: b, file: dir/name }
                      - { name: c, http: "http://guest:80/x", status: 204 }
                      - { name: d, tcp: "guest:22", within: 5s }
                      - { name: e, serial: "login:", guest: 100 }
                      - { name: f, agent: ping }
                      - { name: g, command: [cat, /etc/hostname], expect: proxy }
                """)
        let probes = plan.targets[0].rehearsal.probes
        #expect(probes.map(\.kind) == [.sql, .file, .http, .tcp, .serial, .agent, .command])
        #expect(probes[0].expectation == .text("1"))
        #expect(probes[1].expectation == .recorded)
        #expect(probes[2].request["status"]?.integer == 204)
        #expect(probes[3].patience == 5)
        #expect(probes[3].expectation == .any)
        #expect(probes[4].request["guest"]?.integer == 100)
        #expect(probes[6].request["command"]?.array == ["cat", "/etc/hostname"])
    }

    @Test(arguments: [
        "targets: { a: { kind: throw-away, probes: { name: x } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"SELECT 1\", tcp: \"a:1\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"DELETE FROM a\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"SELECT 1 INTO OUTFILE 'b'\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"SELECT 1 INTO /* */ OUTFILE 'b'\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"SELECT 1 INTO /*x*/ DUMPFILE 'b'\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"/* SELECT 1 */ DELETE FROM a\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"/*! DELETE */ SELECT 1\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"/*M!100 DELETE */ SELECT 1\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"/* /* */ SELECT 1 */ DELETE FROM a\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"/* SELECT 1\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"-- x\\rSELECT 1\\nDELETE FROM a\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"-- x\\rDELETE FROM a\\nSELECT 1\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"-- x\\LSELECT 1\\nDELETE FROM a\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"-- SELECT 1\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, file: ../x } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, http: \"https://a\" } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, tcp: host } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, tcp: \"a:1\", expect: 1 } } }",
        "targets: { a: { kind: throw-away, probes: { name: x, serial: a, expect: recorded } } }",
        "targets: { a: { kind: throw-away, probes: { name: X, serial: a } } }",
        "targets: { a: { kind: throw-away, probes: [ { name: x, serial: a }, { name: x, serial: b } ] } }",
        "targets: { a: { kind: throw-away, probes: { name: x, sql: \"SELECT 1\", guest: 1 } } }",
        "targets: { a: { kind: throw-away, path: /x } }",
        "targets: { a: { kind: throw-away, tier: unknown } }",
        "rehearse: { objective: 4 }",
        "rehearse: { objective: 90minutes }",
        "rehearse: { full-size: { size: 4 parsecs } }",
        "rehearse: { goal: 4h }",
    ])
    func whatMakesNoSenseIsRefused(text: String) {
        #expect(Self.problem(text + "\n") != nil)
    }

    @Test(arguments: [
        "SELECT 1", " (SELECT 1)", "-- who is there\nSELECT 1", "-- so\r\nSELECT 1",
        "/* of the ward */ select 1",
        "--a\n--b\n/* c\n */(/**/ WITH x AS (SELECT 1) TABLE x)",
    ])
    func aQuestionMayBeginWithComments(sql: String) throws {
        let quoted = JSON.object([.init("sql", .string(sql))]).canonical
        let probe = String(decoding: quoted, as: UTF8.self).dropFirst()
        let plan = try Self.parse(
            Self.head
                + "targets: { a: { kind: throw-away, probes: { name: x, expect: \"1\", \(probe) } }\n"
        )
        #expect(plan.targets[0].rehearsal.probes[0].request["sql"]?.string == sql)
    }

    @Test func lengthsOfTime() {
        #expect(Duration.parse("4h") == 14_400)
        #expect(Duration.parse("1h30min") == 5400)
        #expect(Duration.parse("2d") == 172_800)
        #expect(Duration.parse("45s") == 45)
        for text in ["", "4", "h", "30min1h", "1h1h", "-1s", "0s", "1.5h", "4 h", "99999999999d"] {
            #expect(Duration.parse(text) == nil)
        }
    }

    @Test func sizes() throws {
        let (node, problems) = Samples.node("a: 4TiB\nb: 500GB\nc: 1048576\nd: 1 GiB\n")
        let entries = try #require(node?.entries(problems))
        #expect(
            entries.map { $0.node.byteCount(problems) }
                == [4 << 40, 500_000_000_000, 1 << 20, 1 << 30])
        #expect(problems.failure == nil)
    }
}
