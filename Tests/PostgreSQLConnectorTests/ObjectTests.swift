import Basics
import Testing

@testable import PostgreSQLConnector

@Suite struct ObjectDefinitionTests {
    private func digest(_ text: String, _ options: [String] = []) -> String {
        ObjectDefinition.digest(text, options: options).hex
    }

    @Test(arguments: [
        (
            "CHECK (((v)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
            "CHECK (((v)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))"
        ),
        ("'2020-01-01 00:00:00'::timestamp(3) without time zone", "'2020-01-01 00:00:00'"),
        ("(a)::numeric(9,2) + b", "a + b"), ("x::app.\"Odd type\"[] || y", "x || y"),
        ("now()::interval day to second(3)", "now()"), ("f((1)::double precision)", "f(1)"),
        ("SELECT 1\n  FROM t", "SELECT 1 FROM t"),
    ])
    func whatAServerPrintsInTwoWaysIsTheSame(left: String, right: String) {
        #expect(digest(left) == digest(right))
    }

    @Test(arguments: [
        ("id > 0", "id > 1"), ("'a'::text", "'b'::text"), ("numeric(9,2)", "numeric(9,3)"),
        ("a AND b", "a OR b"), ("\"A\"", "a"), ("ab", "a b"), ("text NOT NULL", "text"),
        ("$$ body $$", "$$ body$$"),
    ])
    func whatDiffersDiffers(left: String, right: String) {
        #expect(digest(left) != digest(right))
    }

    @Test func secretsOfOptionsAreNoPartOfADigest() {
        let open = digest("s", ["host=h"])
        #expect(digest("s", ["host=h", "password=xy\nz"]) == open)
        #expect(digest("s", ["host=h", "column\npwd=zz"]) == open)
        #expect(digest("s", ["host=i"]) != open)
        #expect(digest("s", ["column\nname=h"]) != digest("s", ["other\nname=h"]))
    }
}

@Suite struct ObjectComparisonTests {
    private func object(
        _ identity: String = "s.t", owner: String = "o", definition: String = "d",
        kind: String = "table", state: String = "", rights: [(String, String)] = []
    ) -> DatabaseObject {
        DatabaseObject(
            kind: kind, identity: identity, state: state, owner: owner, definition: definition,
            rights: rights.map { ObjectRight(role: $0.0, privilege: $0.1, column: "") })
    }

    private func compare(
        _ expected: [DatabaseObject], _ found: [DatabaseObject], roles: [String: String] = [:],
        isSameMajor: Bool = true, kept: Set<String> = []
    ) -> ObjectComparison {
        ObjectComparison(
            expected: expected, found: found, roles: roles, isSameMajor: isSameMajor,
            allowsMore: false, kept: kept)
    }

    @Test func rolesAreMappedBeforeRightsAreCompared() {
        let source = object(
            owner: "a", rights: [("a", "SELECT"), ("b", "SELECT*"), ("", "INSERT")])
        let target = object(owner: "x", rights: [("x", "SELECT*"), ("", "INSERT")])
        #expect(compare([source], [target], roles: ["a": "x", "b": "x"]).differences.isEmpty)
        let found = compare([source], [target], roles: ["a": "x", "b": "y"]).differences
        #expect(found.map(\.attribute) == ["rights"])
        #expect(found.first?.expected == "x SELECT, y SELECT with grant option")
    }

    @Test func anotherMajorVersionPrintsDefinitionsOtherwise() {
        let found = compare([object()], [object(definition: "e")], isSameMajor: false)
        #expect(found.differences.isEmpty)
        #expect(found.remarks.map(\.attribute) == ["definition"])
        #expect(compare([object()], [object(definition: "e")]).differences.count == 1)
        let rights = [("o", "MAINTAIN")]
        #expect(
            compare([object()], [object(rights: rights)], isSameMajor: false).differences.isEmpty)
        // What is missing or somebody else's is a difference whatever the version.
        #expect(compare([object()], [], isSameMajor: false).differences.count == 1)
        #expect(
            compare([object()], [object(owner: "p")], isSameMajor: false).differences.count == 1)
    }

    @Test func whatWasThereBeforeIsTold() {
        let found = compare([object()], [object(owner: "p")], kept: ["table s.t"])
        #expect(found.differences.isEmpty)
        #expect(found.stayed.count == 1)
    }

    @Test func largeObjectsOfMergedRolesAreAdded() {
        let source = [
            object("", owner: "a", definition: "", kind: "large objects", state: "2 10"),
            object("", owner: "b", definition: "", kind: "large objects", state: "1 5"),
        ]
        let target = object("", owner: "x", definition: "", kind: "large objects", state: "3 15")
        #expect(compare(source, [target], roles: ["a": "x", "b": "x"]).differences.isEmpty)
        #expect(compare(source, [target], roles: ["a": "x"]).differences.count == 2)
    }

    @Test func optionsThatNobodyMaySeeAreNotCompared() {
        let kind = "user mapping"
        let mine = object("a on server s", definition: "", kind: kind)
        #expect(compare([mine], [object("a on server s", kind: kind)]).differences.isEmpty)
    }
}

@Suite struct StatementRuleTests {
    private func belongs(_ text: String, _ kind: ScriptKind) -> Bool {
        SQLStatement(Array(text.utf8)).belongs(in: kind)
    }

    @Test(arguments: [
        "GRANT ALL ON TABLE role TO a;", "GRANT SELECT ON database TO a;",
        "CREATE USER MAPPING FOR a SERVER s;",
        "REVOKE ALL ON SCHEMA role FROM PUBLIC;", "COMMENT ON TABLE database IS 'x';",
        "CREATE TABLE role ();",
        "GRANT SELECT ON role, database TO a;", "SET x = 1;", "ALTER TABLE s.user OWNER TO a;",
    ])
    func objectsOfADatabaseMayHaveAnyName(text: String) {
        #expect(belongs(text, .preData))
        #expect(belongs(text, .postData))
    }

    @Test(arguments: [
        "GRANT a TO b;", "GRANT ALL ON DATABASE d TO a;", "CREATE ROLE a;",
        "ALTER USER a PASSWORD 'x';",
        "ALTER GROUP a ADD USER b;", "SECURITY LABEL ON ROLE a IS 'x';",
        "CREATE TABLE t (a int) \\! id\n;",
        "REVOKE SET ON PARAMETER x FROM a;", "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;",
    ])
    func whatIsOfTheServerIsNoDefinition(text: String) {
        #expect(!belongs(text, .preData))
        #expect(!belongs(text, .postData))
    }

    @Test(arguments: [
        ("ALTER ROLE a PASSWORD 'x';", ScriptKind.passwords, true),
        ("ALTER ROLE a SUPERUSER;", .passwords, false),
        ("ALTER ROLE a PASSWORD 'x' SUPERUSER;", .passwords, false),
        ("GRANT a TO b GRANTED BY c;", .roles, true),
        ("ALTER ROLE a IN DATABASE d SET x TO 'y';", .database, true),
        ("ALTER ROLE a SUPERUSER;", .database, false),
        ("GRANT ALL ON DATABASE d TO a;", .database, true),
        ("SELECT pg_catalog.setval('s', 1, true);", .sequences, true),
        ("SELECT pg_catalog.setval('s', 1, true);", .roles, false),
    ])
    func eachScriptHasItsOwn(text: String, kind: ScriptKind, isMeant: Bool) {
        #expect(belongs(text, kind) == isMeant)
    }
}
