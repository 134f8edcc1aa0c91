import Redaction
import Testing

@Suite("Values are found in the formats of configuration")
struct FormatTests {
    @Test("INI: quotes, remarks, commented-out values, both separators")
    func ini() throws {
        let text = try check(
            "/etc/app.ini",
            """
            [db]
            host = ‹db.example.com›
            password = «hunter2»
            ;password = «hunter3»
            # old: passwd: «hunter4»
            pass = "«with ; and # in it»"   ; ‹rotate›
            password_policy = ‹strict›
            token_ttl = ‹3600›
            password =
            """)
        #expect(text.contains("password = EXEAT-REDACTED-password\n"))
        #expect(text.contains("pass = \"EXEAT-REDACTED-password\"   ; rotate"))
    }

    @Test("YAML: scalars of all kinds, flow, lists, tags, anchors")
    func yaml() throws {
        try check(
            "/etc/app.yaml",
            """
            db:
              host: ‹db.example›
              password: "«hunter2»" # ‹why›
              secret: >-
                «first line»
                «second line»
              token: &t !!str «abc-def-123»
              api_key: |
                «k1k2k3k4»
            flow: {user: ‹x›, password: «hunter3», list: [‹a›, ‹b›]}
            users:
              - name: ‹jean›
                password: «hunter4»
              - {name: DB_PASSWORD, value: «hunter5»}
            env:
              - name: API_TOKEN
                value: "«hunter6»"
              - name: ‹HOST›
                value: ‹db›
            passwords:
              - «hunter7»
            vaulted: ‹"{{ vault_x }}"›
            ref_password: ‹${DB_PASSWORD}›
            default_password: ${DB_PASSWORD:-«hunter8»}
            secretName: ‹portal-tls›
            """)
    }

    @Test("JSON: nested, escaped, numbers become texts, names beside values")
    func json() throws {
        let text = try check(
            "/etc/app.json",
            #"""
            {"host": "‹db›", "password": "«hun\"ter2»", "pin": «4711», "port": ‹5432›,
             "inner": {"clientSecret": {"value": "«abcdefgh»"}, "password": {"policy": "‹strict›"}},
             "body": "{\"token\": \"«xyz-123-abc»\", \"user\": \"‹jean›\"}",
             "env": [{"name": "DB_PASSWORD", "value": "«hunter3»"}, {"name": "‹HOST›", "value": "‹db2›"}]}
            """#)
        #expect(text.contains("\"pin\": \"EXEAT-REDACTED-password\""))
    }

    @Test("XML: attributes, elements, CDATA, entities, comments, names beside values")
    func xml() throws {
        try check(
            "/etc/server.xml",
            """
            <?xml version="1.0"?>
            <cfg><user name="‹admin›" password="«h&amp;nter2»" roles='‹r›'/>
            <!-- <user password="«hunter3»"/> --><password><![CDATA[«a<b&c»]]></password>
            <property name="ldap.bindPassword" value="«hunter4»"/><property name="‹port›" value="‹389›"/>
            <key>Password</key><string>«hunter5»</string><passwordPolicy>‹strict›</passwordPolicy>
            <data>&lt;password&gt;«hunter6»&lt;/password&gt;</data></cfg>
            """)
    }

    @Test("PHP: variables, arrays, constants, here documents, calls")
    func php() throws {
        try check(
            "/srv/www/config.php",
            """
            <?php
            $db_password = '«hunter2»';
            define('AUTH_KEY', '«x`~ P4;R|bb9»');
            return ['host' => '‹localhost›', 'password' => "«hunter3»", 'debug' => ‹false›];
            $secret = <<<EOT
            «hunter4»
            EOT;
            // $old_password = "«hunter5»";
            $m = new mysqli('‹localhost›', '‹root›', '«hunter6»');
            $p = ‹$_POST›['password'];
            """)
    }

    @Test("TOML, HCL and properties")
    func others() throws {
        let text = try check(
            "/etc/a.toml",
            """
            pin = «482913»
            port = ‹5432›
            secret = \"\"\"
            «many lines»
            «of it»\"\"\"
            token = { value = "«abcd1234»", ttl = ‹60› }
            api_keys = ["«k-1-k-1»", "«k-2-k-2»"]
            """)
        #expect(text.contains("pin = \"EXEAT-REDACTED-password\""))
        try check(
            "/srv/main.tf",
            """
            variable "db_password" {
              default = "«hunter2»"
            }
            variable "region" {
              default = "‹fr-par›"
            }
            resource "x" "y" {
              password = ‹var.db_password›
              secret   = "«hunter3»"
            }
            """)
        try check(
            "/opt/a.properties",
            """
            spring.datasource.password=«hunter2»
            ! keystore.pass : «hunter3»
            url=jdbc:mysql://‹db›/x?user=‹u›&password=«hunter4»&useSSL=‹true›
            password.minlength = ‹12›
            """)
    }

    @Test("Accounts and tables")
    func tables() throws {
        let text = try check(
            "/etc/shadow",
            "‹root›:«$6$abcdefgh$ABCDEFGHIJKLMNOPQRSTUVWXYZ»:19000:0:99999:7:::\nd:*:1::::::\ne:!:‹1›::::::\nf:!«$y$j9T$abc$defghi»:1::::::\n"
        )
        #expect(text.contains("f:!EXEAT-REDACTED-password-hash:1"))
        try check("/root/.pgpass", "‹db›:5432:*:u:«hunter2»\n#db:5432:*:u:«p\\:q»\n")
        try check("/root/.netrc", "machine ‹h› login ‹u›\n  password «hunter2»\n")
        try check("/etc/ppp/chap-secrets", "‹jean› * \"«hunter two»\" ‹10.0.0.1›\n")
        try check("/etc/nginx/.htpasswd", "‹nagios›:«ab.cdefghijkl»\n")
        try check(
            "/etc/jetty/realm.properties",
            "‹admin›: «hunter2»,‹admin›\n‹user›: «MD5:5f4dcc3b»,‹user›\n‹guest›:«hunter3»\n")
        try check("/opt/karaf/etc/users.properties", "‹karaf› = «hunter2»,_g_:‹admingroup›\n")
    }

    @Test("Command lines, in histories, crontabs and units")
    func commands() throws {
        try check(
            "/root/.bash_history",
            """
            mysql -u root -p«hunter2» ‹dpi›
            mysql -u root -p ‹dpi›
            PGPASSWORD=«hunter3» psql -h ‹db›
            curl -u jean:«hunter4» ‹https://x.example/›
            curl -H 'Authorization: Bearer «hunter5»' ‹https://y.example›
            sshpass -p '«hunter 6»' ssh ‹root@h›
            echo «hunter7» | passwd --stdin ‹jean›
            tool --password «hunter8» --verbose
            """)
        try check(
            "/etc/systemd/system/a.service",
            "[Service]\nEnvironment=A=‹b› TOKEN=«hunter2»\nEnvironment=\"PASSWORD=«two words»\"\nSetCredential=x:«hunter3»\nEnvironmentFile=‹/etc/x.env›\n"
        )
    }
}
