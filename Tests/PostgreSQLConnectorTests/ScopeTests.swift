import Databases
import Testing

@testable import PostgreSQLConnector

@Suite struct PatternTests {
    private func relation(_ schema: String, _ name: String, pages: Int64 = 0, bytes: Int64 = 0)
        -> Relation
    {
        Relation(
            oid: "1", schema: schema, name: name, kind: .table, isUnlogged: false,
            isPartition: false, pages: pages, bytes: bytes, ownedBy: nil, configuration: nil,
            hasRowSecurity: false, isForced: false, mayRead: true, maySeeSchema: true, isOwned: true
        )
    }

    @Test(arguments: [
        ("audit.*", "audit", "log", true), ("audit.*", "audit2", "log", false),
        ("a?.t*b", "ax", "tyyb", true), ("a?.t*b", "axx", "tb", false),
        ("*.*", "any", "thing", true), ("\"a.b\".\"c*\"", "a.b", "c*", true),
        ("\"a.b\".\"c*\"", "a.b", "cx", false), ("s.\"q\"\"q\"", "s", "q\"q", true),
        ("S.T", "s", "t", false),
    ])
    func tablePatterns(text: String, schema: String, name: String, matches: Bool) throws {
        let pattern = try #require(NamePattern(text, isTable: true))
        #expect(pattern.matches(relation(schema, name)) == matches)
    }

    @Test(arguments: ["", "a", "a.b.c", "a.", ".b", "\"a.b"])
    func whatIsNoPatternOfTables(text: String) { #expect(NamePattern(text, isTable: true) == nil) }

    @Test func rangesCoverATableWithoutGapAndOverlap() {
        let segments = TablePiece.segments(
            of: [
                relation("s", "big", pages: 100_000, bytes: 100_000 * 8192),
                relation("s", "little"),
            ],
            canCut: true)
        let pieces = segments.joined().filter { $0.relation.contains("big") }
        #expect(pieces.count > 5)
        #expect(pieces.first?.firstPage == 0)
        #expect(pieces.last?.endPage == nil)
        for (left, right) in zip(pieces, pieces.dropFirst()) {
            #expect(left.endPage == right.firstPage)
        }
        #expect(
            segments.joined().contains { $0.relation.contains("little") && $0.firstPage == nil })
    }

    @Test func olderServersGiveATableAsAWhole() {
        let segments = TablePiece.segments(
            of: [relation("s", "big", pages: 100_000, bytes: 100_000 * 8192)],
            canCut: false)
        #expect(segments.count == 1)
        #expect(segments.first?.first?.firstPage == nil)
    }

    @Test func columnsAreQuotedAndNoneMeansNoList() {
        let whole = TablePiece(relation: "\"s\".\"t\"")
        #expect(
            whole.copy(columns: ["a\"b"], encoding: "UTF8").hasPrefix(
                "COPY \"s\".\"t\" (\"a\"\"b\") TO"))
        #expect(
            whole.copy(columns: [], encoding: "UTF8").hasPrefix(
                "COPY (SELECT  FROM ONLY \"s\".\"t\") TO"))
        #expect(
            TableLoad.statement("t", columns: [], encoding: "UTF8").hasPrefix("COPY t FROM STDIN"))
    }
}

@Suite struct RestoringTests {
    @Test(arguments: [
        "COPY t FROM PROGRAM 'id';", "COPY t FROM '/etc/passwd';", "DO $$ BEGIN END $$;",
        "LOAD 'x';",
        "ALTER SYSTEM SET x = 1;", "SELECT pg_read_file('/etc/passwd');",
        "SELECT pg_catalog.lo_export(1, '/x');",
        "SELECT 1;", "INSERT INTO t VALUES (1);", "DROP TABLE t;", "TRUNCATE t;", "VACUUM;",
        "EXECUTE x;",
        "SELECT pg_catalog.set_config2('a', 'b', false);", "WITH x AS (SELECT 1) SELECT 1;",
    ])
    func statementsThatNoDumpHasAreRefused(text: String) {
        #expect(!SQLStatement(Array(text.utf8)).isOfDump)
    }

    @Test(arguments: [
        "CREATE TABLE t ();", "ALTER TABLE t OWNER TO a;", "COMMENT ON TABLE t IS 'x';",
        "SET x = 1;",
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "SELECT pg_catalog.lo_create('1');",
        "SELECT pg_catalog.setval('\"s\".\"q\"', 1, true);", "REFRESH MATERIALIZED VIEW m;",
        "GRANT ALL ON t TO a;", "RESET SESSION AUTHORIZATION;", "SECURITY LABEL ON TABLE t IS 'x';",
    ])
    func statementsOfADumpAreTaken(text: String) {
        #expect(SQLStatement(Array(text.utf8)).isOfDump)
    }

    @Test func definitionsBehindTheRowsAreDoneInTheirOrder() {
        let script = """
            -- Name: early; Type: INDEX; Schema: s; Owner: o
            CREATE INDEX early ON s.t USING btree (a);
            SET default_tablespace = fast;
            -- Name: t t_pkey; Type: CONSTRAINT; Schema: s; Owner: o
            ALTER TABLE ONLY s.t ADD CONSTRAINT t_pkey PRIMARY KEY (a);
            SET default_tablespace = '';
            -- Name: m; Type: MATERIALIZED VIEW; Schema: s; Owner: o
            CREATE MATERIALIZED VIEW s.m AS SELECT 1 WITH NO DATA;
            -- Name: late; Type: INDEX; Schema: s; Owner: o
            CREATE UNIQUE INDEX late ON s.m USING btree (a);
            -- Name: t fk; Type: FK CONSTRAINT; Schema: s; Owner: o
            ALTER TABLE ONLY s.t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES s.u(a);
            -- Name: guard; Type: EVENT TRIGGER; Schema: -; Owner: o
            CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION s.f();
            -- Name: m; Type: MATERIALIZED VIEW DATA; Schema: s; Owner: o
            REFRESH MATERIALIZED VIEW s.m;
            """
        let plan = PostDataPlan(Array(SQLScript(Array(script.utf8))))
        let order = plan.rounds.map { $0.map { $0.map { plan.entries[$0].name } } }.filter {
            !$0.isEmpty
        }
        #expect(order == [[["early"], ["t t_pkey"]], [["m", "late"]], [["t fk"]], [["m"]]])
        #expect(plan.eventTriggers.map { plan.entries[$0].name } == ["guard"])
        let key = plan.entries.first { $0.name == "t t_pkey" }
        #expect(key?.settings.map(\.text) == ["SET default_tablespace = fast;"])
    }
}
