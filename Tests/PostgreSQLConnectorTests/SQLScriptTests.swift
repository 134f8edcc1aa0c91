import Testing

@testable import PostgreSQLConnector

@Suite struct SQLScriptTests {
    private func statements(_ text: String) -> [String] {
        SQLScript(Array(text.utf8)).map(\.text)
    }

    @Test(arguments: [
        "SELECT 'a;b';", "SELECT E'it\\';s';", "SELECT $$;$$;", "SELECT $f$ $$ ; $f$;",
        "SELECT \"a;\"\"b\";", "SELECT 1 /* ; /* ; */ ; */;", "SELECT 1 -- ;\n;",
        "SELECT (';');", "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);",
        "SELECT U&'\\0061;';", "SELECT U&\"a;\";", "SELECT 'a''; b';",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END;",
        "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC DELETE FROM t; END;",
        "SELECT $1;", "COMMENT ON FUNCTION public.begin() IS 'x';",
        "ALTER FUNCTION begin(integer) OWNER TO a;",
        "GRANT ALL ON FUNCTION public.begin() TO atomic;",
        "CREATE FUNCTION begin(atomic int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
    ])
    func aSemicolonInsideEndsNothing(text: String) {
        #expect(statements(text + "\nSELECT 2;") == [text, "SELECT 2;"])
    }

    @Test func commandsOfPsqlBetweenStatementsAreLeftOut() {
        let text =
            "\\restrict abc\nSELECT '\n\\connect x\n';\n\\connect other\nSELECT 2;\n\\unrestrict abc\n"
        #expect(statements(text) == ["SELECT '\n\\connect x\n';", "SELECT 2;"])
    }

    @Test func commentsOfPgDumpStayWithTheStatementBehindThem() {
        let script = Array(
            SQLScript(Array("--\n-- Name: a; Type: TABLE\n--\n\nCREATE TABLE a();\nSELECT 1;".utf8))
        )
        #expect(script.map(\.notes) == [["Name: a; Type: TABLE"], []])
    }

    @Test func namesLoseTheirQuotes() {
        let statement = SQLStatement(Array(#"GRANT "o""dd" TO Plain, 'te''xt';"#.utf8))
        #expect(statement.name(1) == "o\"dd")
        #expect(statement.name(3) == "plain")
        #expect(statement.name(5) == "te'xt")
    }
}

@Suite struct NameMappingTests {
    private func mapped(_ text: String) -> String {
        NameMapping(roles: ["all": "x", "old": "New \"R\""], tablespaces: ["fast": "slow"])
            .applied(to: SQLStatement(Array(text.utf8))).text
    }

    @Test(arguments: [
        ("ALTER TABLE old.old OWNER TO old;", "ALTER TABLE old.old OWNER TO ¤;"),
        (
            "ALTER FUNCTION app.f(old, \"old\") OWNER TO \"old\";",
            "ALTER FUNCTION app.f(old, \"old\") OWNER TO ¤;"
        ),
        (
            "GRANT SELECT(old) ON TABLE old TO old WITH GRANT OPTION;",
            "GRANT SELECT(old) ON TABLE old TO ¤ WITH GRANT OPTION;"
        ),
        ("GRANT ALL ON SCHEMA old TO PUBLIC;", "GRANT ALL ON SCHEMA old TO PUBLIC;"),
        ("REVOKE ALL ON TABLE old FROM old;", "REVOKE ALL ON TABLE old FROM ¤;"),
        (
            "GRANT old TO other WITH ADMIN OPTION GRANTED BY old;",
            "GRANT ¤ TO other WITH ADMIN OPTION GRANTED BY ¤;"
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE old IN SCHEMA old GRANT SELECT ON TABLES TO old;",
            "ALTER DEFAULT PRIVILEGES FOR ROLE ¤ IN SCHEMA old GRANT SELECT ON TABLES TO ¤;"
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE old REVOKE ALL ON FUNCTIONS FROM old;",
            "ALTER DEFAULT PRIVILEGES FOR ROLE ¤ REVOKE ALL ON FUNCTIONS FROM ¤;"
        ),
        (
            "CREATE POLICY old ON old FOR SELECT TO x, old USING ((id = 1));",
            "CREATE POLICY old ON old FOR SELECT TO x, ¤ USING ((id = 1));"
        ),
        ("CREATE POLICY p ON t USING ((a TO old));", "CREATE POLICY p ON t USING ((a TO old));"),
        (
            "CREATE USER MAPPING FOR old SERVER old OPTIONS (old 'old');",
            "CREATE USER MAPPING FOR ¤ SERVER old OPTIONS (old 'old');"
        ),
        ("SET SESSION AUTHORIZATION 'old';", "SET SESSION AUTHORIZATION ¤;"),
        ("CREATE ROLE old;", "CREATE ROLE ¤;"),
        ("SECURITY LABEL FOR p ON ROLE old IS 'old';", "SECURITY LABEL FOR p ON ROLE ¤ IS 'old';"),
        ("ALTER ROLE ALL SET work_mem TO '1MB';", "ALTER ROLE ALL SET work_mem TO '1MB';"),
        (
            "ALTER ROLE old IN DATABASE old SET search_path TO 'old';",
            "ALTER ROLE ¤ IN DATABASE old SET search_path TO 'old';"
        ),
        ("ALTER ROLE old SET role TO 'old';", "ALTER ROLE ¤ SET role TO ¤;"),
        ("ALTER ROLE old SET role TO 'none';", "ALTER ROLE ¤ SET role TO 'none';"),
        ("ALTER ROLE ALL SET role TO 'old';", "ALTER ROLE ALL SET role TO ¤;"),
        (
            "ALTER ROLE old IN DATABASE old SET role TO 'old';",
            "ALTER ROLE ¤ IN DATABASE old SET role TO ¤;"
        ),
        ("ALTER DATABASE old SET role TO 'old';", "ALTER DATABASE old SET role TO ¤;"),
        ("ALTER DATABASE old SET x.role TO 'old';", "ALTER DATABASE old SET x.role TO 'old';"),
        ("ALTER DATABASE old OWNER TO old;", "ALTER DATABASE old OWNER TO ¤;"),
        (
            "CREATE FUNCTION old(old) RETURNS old LANGUAGE sql SET role TO 'old' AS 'SET role TO old';",
            "CREATE FUNCTION old(old) RETURNS old LANGUAGE sql SET role TO ¤ AS 'SET role TO old';"
        ),
        (
            "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC UPDATE t SET role = old; END;",
            "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC UPDATE t SET role = old; END;"
        ),
        ("COMMENT ON ROLE old IS 'old';", "COMMENT ON ROLE ¤ IS 'old';"),
        (
            "CREATE FUNCTION f() RETURNS text AS $$ ALTER TABLE x OWNER TO old; $$;",
            "CREATE FUNCTION f() RETURNS text AS $$ ALTER TABLE x OWNER TO old; $$;"
        ),
        ("COMMENT ON TABLE t IS 'OWNER TO old';", "COMMENT ON TABLE t IS 'OWNER TO old';"),
    ])
    func rolesAreReplacedWhereTheyAreRoles(text: String, expected: String) {
        #expect(mapped(text) == expected.replacing("¤", with: "\"New \"\"R\"\"\""))
    }

    @Test func tablespacesAreReplacedInSettings() {
        #expect(mapped("SET default_tablespace = fast;") == "SET default_tablespace = \"slow\";")
        #expect(
            mapped("CREATE DATABASE fast WITH TABLESPACE = fast;")
                == "CREATE DATABASE fast WITH TABLESPACE = \"slow\";")
        #expect(
            mapped("ALTER DATABASE fast SET default_tablespace TO 'fast';")
                == "ALTER DATABASE fast SET default_tablespace TO \"slow\";")
        #expect(
            mapped("ALTER ROLE fast SET temp_tablespaces TO 'fast', 'other';")
                == "ALTER ROLE fast SET temp_tablespaces TO \"slow\", 'other';")
        #expect(mapped("SET default_tablespace = '';") == "SET default_tablespace = '';")
    }
}

@Suite struct ServerNotesTests {
    @Test(
        arguments: [
            (
                "ALTER TABLE ONLY public.a ALTER COLUMN x SET (pg_attver=26492768, n_distinct=-0.5);",
                "ALTER TABLE ONLY public.a ALTER COLUMN x SET (n_distinct=-0.5);"
            ),
            (
                "ALTER TABLE ONLY a ALTER COLUMN \"set (x\" SET (n_distinct=7, pg_attver=1, n_distinct_inherited=3);",
                "ALTER TABLE ONLY a ALTER COLUMN \"set (x\" SET (n_distinct=7, n_distinct_inherited=3);"
            ),
            ("ALTER TABLE ONLY public.a ALTER COLUMN y SET (pg_attver=26492768);", nil),
            ("ALTER FOREIGN TABLE ONLY public.ft ALTER COLUMN a SET (pg_attver=26561392);", nil),
            (
                "ALTER TABLE a ALTER COLUMN x SET (pg_attver=1), ALTER COLUMN y SET NOT NULL;",
                "ALTER TABLE a ALTER COLUMN x SET (pg_attver=1), ALTER COLUMN y SET NOT NULL;"
            ),
            (
                "ALTER TABLE ONLY pg_attver ALTER COLUMN pg_attver SET (n_distinct=7);",
                "ALTER TABLE ONLY pg_attver ALTER COLUMN pg_attver SET (n_distinct=7);"
            ),
            (
                "ALTER TABLE t ALTER COLUMN x SET STATISTICS 7;",
                "ALTER TABLE t ALTER COLUMN x SET STATISTICS 7;"
            ),
            ("ALTER INDEX i SET (pg_attver=1);", "ALTER INDEX i SET (pg_attver=1);"),
            (
                "COMMENT ON COLUMN a.x IS 'SET (pg_attver=1)';",
                "COMMENT ON COLUMN a.x IS 'SET (pg_attver=1)';"
            ),
        ] as [(String, String?)])
    func whatAServerNotesForItselfIsTakenOutOfDefinitions(_ text: String, _ expected: String?) {
        #expect(SQLStatement(Array(text.utf8)).withoutServerNotes()?.text == expected)
    }
}

@Suite struct SecretOptionTests {
    private func redacted(_ text: String) -> String? {
        SQLStatement(Array(text.utf8)).withoutSecrets()?.text
    }

    @Test(arguments: [
        (
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (\"user\" 'u', password 'p', \"User Token\" 'tk');",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (\"user\" 'u');"
        ),
        (
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (api_key 'k', host 'h');",
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h');"
        ),
        (
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (url 'http://u:p@h/x');",
            "CREATE SERVER s FOREIGN DATA WRAPPER w ;"
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w HANDLER h OPTIONS (secret 'x', debug 'on');",
            "CREATE FOREIGN DATA WRAPPER w HANDLER h OPTIONS (debug 'on');"
        ),
        (
            "CREATE FOREIGN TABLE t (a int OPTIONS (key 'yes', token 'x'), options text) SERVER s OPTIONS (pwd 'b', c 'd');",
            "CREATE FOREIGN TABLE t (a int OPTIONS (key 'yes'), options text) SERVER s OPTIONS (c 'd');"
        ),
        (
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (password_required 'false');",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (password_required 'false');"
        ),
        ("ALTER FOREIGN TABLE t ALTER COLUMN a OPTIONS (secret 'x');", nil),
        ("ALTER ROLE a SET \"app.jwt_secret\" TO 'x';", nil),
        ("ALTER ROLE a IN DATABASE d SET app.api_key TO 'x';", nil),
        ("ALTER DATABASE d SET \"app.db_url\" TO 'postgres://u:p@h/d';", nil),
        (
            "ALTER DATABASE d SET password_encryption TO 'md5';",
            "ALTER DATABASE d SET password_encryption TO 'md5';"
        ),
        ("ALTER ROLE a SET \"app.bypass\" TO 'on';", "ALTER ROLE a SET \"app.bypass\" TO 'on';"),
        ("ALTER ROLE a WITH LOGIN;", "ALTER ROLE a WITH LOGIN;"),
        (
            "CREATE FUNCTION f(options text) RETURNS int AS 'OPTIONS (password ''x'')';",
            "CREATE FUNCTION f(options text) RETURNS int AS 'OPTIONS (password ''x'')';"
        ),
    ])
    func whatLooksLikeASecretIsLeftOut(text: String, expected: String?) {
        #expect(redacted(text) == expected)
    }
}
