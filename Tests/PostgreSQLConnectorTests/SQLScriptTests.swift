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
        "SELECT $1;",
    ])
    func aSemicolonInsideEndsNothing(text: String) {
        #expect(statements(text + "\nSELECT 2;") == [text, "SELECT 2;"])
    }

    @Test func commandsOfPsqlBetweenStatementsAreLeftOut() {
        let text = "\\restrict abc\nSELECT '\n\\connect x\n';\n\\connect other\nSELECT 2;\n\\unrestrict abc\n"
        #expect(statements(text) == ["SELECT '\n\\connect x\n';", "SELECT 2;"])
    }

    @Test func commentsOfPgDumpStayWithTheStatementBehindThem() {
        let script = Array(SQLScript(Array("--\n-- Name: a; Type: TABLE\n--\n\nCREATE TABLE a();\nSELECT 1;".utf8)))
        #expect(script.map(\.notes) == [["Name: a; Type: TABLE"], []])
    }

    @Test func namesLoseTheirQuotes() {
        let statement = SQLStatement(Array(#"GRANT "o""dd" TO Plain, 'te''xt';"#.utf8))
        #expect(statement.name(1) == "o\"dd")
        #expect(statement.name(3) == "plain")
        #expect(statement.name(5) == "te'xt")
    }
}
