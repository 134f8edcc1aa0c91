import Basics
import Testing

@testable import MariaDBConnector

@Suite("Statements of MariaDB")
struct StatementTests {
    private func words(_ text: String, mode: String = "") -> [String] {
        let statement = SQLStatement(Array(text.utf8), mode: mode)
        return statement.tokens.indices.map { statement.spelling($0) }
    }

    @Test("Quotes follow the sql_mode in which a statement was written")
    func quotes() {
        #expect(words("a 'it''s \\' b' `c``d`") == ["a", "'it''s \\' b'", "`c``d`"])
        #expect(words("'back\\' x", mode: "NO_BACKSLASH_ESCAPES") == ["'back\\'", "x"])
        let ansi = SQLStatement(Array("\"a\"\"b\"".utf8), mode: "ANSI_QUOTES,IGNORE_SPACE")
        #expect(ansi.name(0) == "a\"b" && ansi.tokens[0].kind == .quotedName)
        let plain = SQLStatement(Array("\"a\"".utf8))
        #expect(plain.tokens[0].kind == .string)
    }

    @Test("Comments are left out, and what servers execute in them is not")
    func comments() {
        #expect(
            words("a -- x\nb # y\n/* c */ d /*!50003 e */ /*M!100500 f*/ g--1")
                == ["a", "b", "d", "e", "f", "g", "-", "-", "1"])
    }

    @Test("An account is two names, a variable is none")
    func accounts() {
        let statement = SQLStatement(Array("CREATE DEFINER=`a`@`%` VIEW x AS SELECT @v, @@w".utf8))
        #expect(statement.definer.map { statement.name($0.user) } == "a")
        #expect(statement.definer?.host.flatMap { statement.name($0) } == "%")
        #expect(statement.tokens.filter { $0.kind == .variable }.count == 2)
    }

    @Test("A script gives back the definitions that were written to it, whatever they hold")
    func scripts() throws {
        var script: [UInt8] = []
        let definitions = [
            Definition(
                kind: .trigger, database: "we`ird", name: "t\n1", table: "x", mode: "ANSI_QUOTES",
                client: "latin1", connection: "latin1_swedish_ci",
                databaseCollation: "utf8mb4_bin", timeZone: "+00:00",
                statement: Array("CREATE TRIGGER t ;; DELIMITER ;\n-- exeat {}\n".utf8) + [0xe9]),
            Definition(kind: .packageBody, database: "d", name: "p", statement: [0x78]),
        ]
        for definition in definitions {
            definition.append(to: &script, before: ["USE x"], after: ["USE y"])
        }
        #expect(try Definition.parse(script) == definitions)
    }

    @Test("A script that is cut off, or whose header would reach the session, is refused")
    func brokenScripts() {
        var script: [UInt8] = []
        Definition(kind: .view, database: "d", name: "v", statement: Array("CREATE VIEW".utf8))
            .append(to: &script)
        #expect(throws: Failure.self) { try Definition.parse(Array(script.dropLast(20))) }
        let text = String(decoding: script, as: UTF8.self)
        let evil = text.replacing("\"client\":\"utf8mb4\"", with: "\"client\":\"utf8mb4; DROP\"")
        #expect(throws: Failure.self) { try Definition.parse(Array(evil.utf8)) }
    }

    private static let create = """
        CREATE TABLE `t` (
          `id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'KEY (`x`), )',
          `n` int(11) DEFAULT NULL CHECK (`n` > 0),
          `g` int(11) GENERATED ALWAYS AS (concat('a,(',`n`)) VIRTUAL,
          PRIMARY KEY (`id`),
          UNIQUE KEY `u` (`n`),
          UNIQUE KEY `h` (`g`) USING HASH,
          KEY `k` (`n`,`id`) COMMENT 'x',
          FULLTEXT KEY `f` (`g`),
          CONSTRAINT `r` FOREIGN KEY (`n`) REFERENCES `p` (`id`) ON DELETE SET NULL,
          CONSTRAINT `c` CHECK (`n` is null or `n` < 9)
        ) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4
        """

    @Test("Keys and references are taken out of a table, and what must be there stays")
    func tableParts() {
        let table = Definition(
            kind: .table, database: "d", name: "t", statement: Array(Self.create.utf8))
        let parts = TableStatement(table, deferring: true)
        #expect(parts.keys.map(\.name) == ["u", "k"])
        #expect(parts.references.map(\.name) == ["r"])
        #expect(parts.checks.map(\.name) == ["n", "c"])
        #expect(
            parts.checks.map { String(decoding: $0.condition, as: UTF8.self) }.first == "(`n` > 0)")
        let rest = String(decoding: parts.create, as: UTF8.self)
        #expect(
            rest.contains("PRIMARY KEY") && rest.contains("FULLTEXT") && rest.contains("USING HASH")
        )
        #expect(
            rest.contains("'KEY (`x`), )'") && !rest.contains("FOREIGN") && !rest.contains("`k`"))
        let whole = TableStatement(table, deferring: false)
        #expect(whole.keys.isEmpty && whole.references.count == 1)
    }

    @Test("Without a primary key the first unique one stays, and so does that of AUTO_INCREMENT")
    func orderingKeys() {
        let text = """
            CREATE TABLE `t` (
              `a` int(11) NOT NULL,
              `s` int(11) NOT NULL AUTO_INCREMENT,
              UNIQUE KEY `u` (`a`),
              UNIQUE KEY `v` (`a`,`s`),
              KEY `serial` (`s`)
            ) ENGINE=InnoDB
            """
        let table = Definition(kind: .table, database: "d", name: "t", statement: Array(text.utf8))
        #expect(TableStatement(table, deferring: true).keys.map(\.name) == ["v"])
    }

    @Test("The next AUTO_INCREMENT and the state of an event are no part of what is compared")
    func comparable() {
        let table = Definition(
            kind: .table, database: "d", name: "t", statement: Array(Self.create.utf8))
        #expect(
            String(decoding: table.comparable, as: UTF8.self).hasSuffix(
                ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"))
        let view = Definition(
            kind: .view, database: "d", name: "v",
            statement: Array(
                "CREATE VIEW `v` AS select `d`.`t`.`d` AS `d` from `d`.`t` join `e`.`d`".utf8))
        #expect(
            String(decoding: view.comparable, as: UTF8.self)
                == "CREATE VIEW `v` AS select `t`.`d` AS `d` from `t` join `e`.`d`")
        let event = Definition(
            kind: .event, database: "d", name: "e",
            statement: Array(
                "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT 'ENABLE'".utf8))
        #expect(
            String(decoding: event.disabled.statement, as: UTF8.self)
                == "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 'ENABLE'")
    }
}
