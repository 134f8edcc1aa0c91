import Basics
import Testing

@testable import MariaDBConnector

@Suite("Names mapped in statements")
struct MappingTests {
    private let mapping = NameMapping(
        databases: ["portail": "new"], definers: ["app@%": "chu@10.%"], users: ["app@%": "chu@10.%"]
    )

    private func mapped(_ text: String, _ kind: Definition.Kind = .procedure, mode: String = "")
        -> String
    {
        let definition = Definition(
            kind: kind, database: "portail", name: "x", mode: mode, statement: Array(text.utf8))
        return mapping.applied(to: definition).sql.text
    }

    @Test("Qualified names get the other database, strings and columns do not")
    func qualified() {
        #expect(
            mapped("SELECT portail.t.c, 'portail.t' FROM `portail`.`t` JOIN other.portail")
                == "SELECT `new`.t.c, 'portail.t' FROM `new`.`t` JOIN other.portail")
        #expect(mapped("SELECT portail.price(1)") == "SELECT `new`.price(1)")
        // An alias that is called as the database: only where a table must stand is it one.
        #expect(
            mapped("SELECT portail.c FROM portail.t AS portail WHERE portail.d = 1")
                == "SELECT portail.c FROM `new`.t AS portail WHERE portail.d = 1")
        #expect(mapped("SELECT \"portail\".\"t\"", mode: "ANSI_QUOTES") == "SELECT `new`.\"t\"")
        #expect(mapped("SELECT \"portail\".1") == "SELECT \"portail\".1")
    }

    @Test("Behind an alias of its name, the database is found wherever a table must stand")
    func behindAliases() {
        for (text, expected) in [
            (
                "SELECT portail.a FROM (o.t x JOIN portail.t portail ON portail.a = x.a), portail.u",
                "SELECT portail.a FROM (o.t x JOIN `new`.t portail ON portail.a = x.a), `new`.u"
            ),
            (
                "SELECT f(portail.a, portail.b) FROM t portail LEFT JOIN (portail.v) ON (portail.a = 1)",
                "SELECT f(portail.a, portail.b) FROM t portail LEFT JOIN (`new`.v) ON (portail.a = 1)"
            ),
            (
                "INSERT IGNORE portail.t SELECT portail FROM x; DELETE portail.t FROM portail.t; "
                    + "DELETE portail.* FROM y portail",
                "INSERT IGNORE `new`.t SELECT portail FROM x; DELETE `new`.t FROM `new`.t; "
                    + "DELETE portail.* FROM y portail"
            ),
            (
                "DECLARE portail ROW TYPE OF portail.t; DECLARE b TYPE OF portail.c",
                "DECLARE portail ROW TYPE OF `new`.t; DECLARE b TYPE OF portail.c"
            ),
        ] {
            #expect(mapped(text) == expected)
        }
        var definition = Definition(
            kind: .procedure, database: "portail", name: "x",
            statement: Array("SELECT 1 FROM PORTAIL.t".utf8))
        #expect(mapping.applied(to: definition).sql.text == "SELECT 1 FROM PORTAIL.t")
        definition.ignoresCase = true
        #expect(mapping.applied(to: definition).sql.text == "SELECT 1 FROM `new`.t")
    }

    @Test("Quotes stay quotes whatever combines with them")
    func combining() {
        #expect("a`\u{301}".quotedName == "`a``\u{301}`")
        #expect(SQLStatement(Array("`\u{301}a``\u{301}`".utf8)).name(0) == "\u{301}a`\u{301}")
    }

    @Test("What proves who somebody is ends where the next clause begins")
    func clausesBehindSecrets() {
        let user = UserStatement(
            SQLStatement(
                Array("CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '*AB' PASSWORD EXPIRE".utf8)))
        #expect(
            user.withoutSecret(lasting: Array("ALTER USER `a`@`%` PASSWORD EXPIRE NEVER".utf8))
                == "CREATE USER IF NOT EXISTS `a`@`%`  PASSWORD EXPIRE NEVER ACCOUNT LOCK")
        let grant = "GRANT FILE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*AB' WITH GRANT OPTION"
        #expect(
            UserStatement.withoutIdentity(SQLStatement(Array(grant.utf8)))
                == Array("GRANT FILE ON *.* TO `a`@`%`  WITH GRANT OPTION".utf8))
        let proxy = GrantScope(SQLStatement(Array("GRANT PROXY ON 'a'@'%' TO 'b'@'%'".utf8)))
        #expect(proxy?.database == nil && proxy != nil)
    }

    @Test("Definers get the other account, in the quotes that they have")
    func definers() {
        #expect(
            mapped("CREATE DEFINER=`app`@`%` PROCEDURE x() SELECT 1")
                == "CREATE DEFINER=`chu`@`10.%` PROCEDURE x() SELECT 1")
        #expect(
            mapped(
                "CREATE DEFINER=\"app\"@\"%\" PROCEDURE x AS BEGIN NULL; END", mode: "ANSI_QUOTES")
                == "CREATE DEFINER=\"chu\"@\"10.%\" PROCEDURE x AS BEGIN NULL; END")
        #expect(
            mapped("CREATE DEFINER=`app`@`localhost` VIEW v AS SELECT 1", .view)
                == "CREATE DEFINER=`app`@`localhost` VIEW v AS SELECT 1")
    }

    @Test("Rights follow their database and their account")
    func grants() {
        #expect(
            mapped("GRANT SELECT (`a`) ON `portail`.`t` TO `app`@`%` WITH GRANT OPTION", .grant)
                == "GRANT SELECT (`a`) ON `new`.`t` TO `chu`@`10.%` WITH GRANT OPTION")
        #expect(
            mapped("GRANT EXECUTE ON PROCEDURE `portail`.`p` TO `app`@`%`", .grant)
                == "GRANT EXECUTE ON PROCEDURE `new`.`p` TO `chu`@`10.%`")
        #expect(mapped("GRANT `doctors` TO `app`@`%`", .grant) == "GRANT `doctors` TO `chu`@`10.%`")
        let scope = GrantScope(SQLStatement(Array("GRANT ALL ON `por\\_%`.* TO `x`@`y`".utf8)))
        #expect(scope?.covers("por_1", scope?.database ?? "") == true)
        #expect(scope?.covers("porx1", scope?.database ?? "") == false)
        let whole = GrantScope(SQLStatement(Array("GRANT ALL ON `_or`.* TO `x`@`y`".utf8)))
        #expect(whole?.covers("por", "_or") == true)
        let part = GrantScope(SQLStatement(Array("GRANT ALL ON `_or`.`t` TO `x`@`y`".utf8)))
        #expect(part?.covers("por", "_or") == false)
    }

    @Test("An account without its secret is locked, and the secret comes apart from it")
    func secrets() {
        let user = UserStatement(
            SQLStatement(
                Array(
                    "CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '*AB' REQUIRE SSL WITH MAX_USER_CONNECTIONS 2"
                        .utf8)))
        #expect(
            user.withoutSecret()
                == "CREATE USER IF NOT EXISTS `a`@`%`  REQUIRE SSL WITH MAX_USER_CONNECTIONS 2 ACCOUNT LOCK"
        )
        #expect(user.givingSecret.hasPrefix("ALTER USER `a`@`%` IDENTIFIED BY PASSWORD '*AB'"))
        #expect(user.givingSecret.hasSuffix("ACCOUNT UNLOCK"))
        let several = UserStatement(
            SQLStatement(
                Array(
                    "CREATE USER `a`@`%` IDENTIFIED VIA ed25519 USING 'x' OR unix_socket ACCOUNT LOCK"
                        .utf8)))
        #expect(several.hasSecret && several.plugin != nil)
        #expect(several.withoutSecret() == "CREATE USER IF NOT EXISTS `a`@`%`  ACCOUNT LOCK")
        #expect(!several.givingSecret.contains("UNLOCK"))
        let socket = UserStatement(
            SQLStatement(Array("CREATE USER `s`@`localhost` IDENTIFIED VIA unix_socket".utf8)))
        #expect(!socket.hasSecret && !socket.withoutSecret().contains("LOCK"))
    }

    @Test("Columns that the server computes anew each time are told from others")
    func changing() {
        #expect(ColumnFacts.changesByItself("year(curdate()) - `seen`"))
        #expect(ColumnFacts.changesByItself("`a` + uuid()"))
        #expect(!ColumnFacts.changesByItself("concat(`now`,'curdate()')"))
        #expect(ColumnFacts.hasEmptyMember("enum('a','')"))
        #expect(!ColumnFacts.hasEmptyMember("enum('a','it''s','b''')"))
    }
}
