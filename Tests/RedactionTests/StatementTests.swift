import Redaction
import Testing

@Suite("Values are found where their names stand apart from them")
struct StatementTests {
    @Test("SQL: columns of statements, of tables above, and rows of COPY")
    func statements() throws {
        try check(
            "/srv/dump.sql",
            """
            CREATE TABLE `users` (
              `id` int(11) NOT NULL, `login` varchar(40) COMMENT 'x, (y)',
              `passwd` varchar(64), PRIMARY KEY (`id`)
            );
            INSERT INTO `users` VALUES (1,'‹alice›','«alouette»'),(2,'‹bob›','«c0r,be)au»');
            insert into staff (login, password) values ('‹carl›', md5('«moineau»'));
            COPY public.accounts (id, name, secret_key) FROM stdin;
            1\t‹dora›\t«merle noir»
            2\t‹emil›\t\\N
            \\.
            SET PASSWORD FOR 'bob'@'localhost' = '«pinson»';
            UPDATE settings SET value = '«grive»' WHERE name = 'smtp_password';
            INSERT INTO city (id, name) VALUES (1, '‹Princeton›');
            """)
        try check(
            "/srv/users.txt", "INSERT INTO u (a, pass) VALUES ('‹x›', «4711»);\n")
    }

    @Test("Sentences and tables of people")
    func prose() throws {
        try check(
            "/srv/README.md",
            """
            The admin password is `«tournesol»`. The password is ‹required›, and ‹stored› in a vault.
            **Password**: «pivoine»
            - **Mot de passe** : «pivoine3»
            The database (user ‹dpi›, password «tournesol8») is on ‹db1›.
            Login with admin / «tournesol6» and click on ‹Save›.
            Credentials: `‹admin›:«tournesol16»`
            Das Passwort lautet «sonne2024»
            The password hash is ‹sha512›, tokens are ‹JWT›.

            | System | User | Password |
            |---|---|---|
            | ‹PACS› | ‹admin› | «bleuet» |
            | ‹RIS› | ‹root› | `«coquelicot»` |
            """)
        try check("/etc/app.conf", "# the password of root is «hunter22»\nport = ‹80›\n")
    }

    @Test("Members of structures that are called tokens, and keys of what is called after its key")
    func structures() throws {
        try check(
            "/etc/consul.d/acl.hcl",
            """
            acl = {
              enabled = ‹true›
              tokens = {
                initial_management = "«maitre-jeton»"
                default = "«defaut-jeton»"
              }
            }
            datacenter = "‹dc1›"
            tokens {
              agent = "«agent-jeton»"
            }
            """)
        try check(
            "/etc/app.json",
            #"{"tokens": {"agent": "«agentword»", "ttl": "‹60s›"}, "Jwt": {"Key": "«jwtword»", "Issuer": "‹me›"}, "secrets": [{"name": "‹db›", "target": "‹DB›"}], "map": {"key": "‹value›"}}"#
        )
        try check(
            "/etc/app.yaml",
            """
            acl:
              tokens:
                agent: «agentyaml»
                lifetime: ‹60s›
            jwt: {key: «flowword»}
            encryption:
              key: «keyword»
            secrets:
              - name: ‹db›
                target: ‹DB›
            """)
        try check("/etc/app.ini", "[jwt]\nkey = «sectionword»\n[map]\nkey = ‹value›\n")
        try check(
            "/srv/env.php",
            "<?php return ['crypt' => ['key' => '«magento»'], 'cache' => ['key' => '‹page›']];\n")
    }

    @Test(
        "Texts within texts: cloud-init in strings and here documents, members of a Secret in one line"
    )
    func within() throws {
        try check(
            "/srv/main.tf",
            """
            user_data = "#cloud-config\\nchpasswd:\\n  list: |\\n    ‹root›:«racine2»\\n  expire: ‹False›\\n"
            other = <<-EOF
              #cloud-config
              chpasswd:
                list: |
                  ‹root›:«racine3»
              EOF
            """)
        try check(
            "/etc/cloud/user-data",
            "#cloud-config\nchpasswd:\n  list: [\"‹root›:«racine5»\", 'ana:«anapw»']\n  expire: ‹false›\n"
        )
        try check(
            "/srv/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: ‹x›}\ndata: {password: «azhzYjY0bW90», user: «Ym9iazhz»}\nstringData:\n  n: \"«12345»\"\n"
        )
    }

    @Test("Commands: settings by name, inputs, dialogues")
    func commands() throws {
        try check(
            "/root/x.sh",
            """
            aws configure set aws_secret_access_key «sesame31»
            consul kv put app/db_password «sesame65»
            nmcli con modify wifi wifi-sec.psk «sesame58»
            systemd-creds encrypt --name=x - <<< "«sesame67»"
            (echo «sesame53»; echo «sesame53») | passwd ‹bob›
            echo "«sesame10»" > /etc/db_password
            case "$password" in «sesame5») echo ‹good› ;; esac
            chpasswd <<EOF
            ‹root›:«sesame50»
            EOF
            passwd ‹bob› <<EOF
            «sesame49»
            EOF
            ftp -n ‹h› <<EOS
            user bob «sesame71»
            quote PASS «sesame72»
            EOS
            http -a bob:«sesame76» ‹http://x›
            net use z: '\\\\srv\\share' «sesame95» /user:bob
            kubectl get secret ‹portal-tls›
            set ‹password-policy› strict
            """)
        try check(
            "/etc/default/x", "DAEMON_ARGS=\"--user ‹b› --password «defmot» --port ‹80›\"\n")
        try check("/root/.bash_history", "ssh ‹root@srv›\n«histoire4PW!»\n‹python3›\n‹htop›\n")
    }

    @Test("Calls, fallbacks, types and idioms of code")
    func code() throws {
        try check(
            "/srv/app.py",
            """
            c = pymysql.connect("‹h›", "u", "«pymyword»", "db")
            requests.post(url, auth=HTTPBasicAuth('‹u›', '«pybasic»'))
            parser.add_argument("--password", default="«pyarg»", help="‹the password to use›")
            password: str = "«pytyped»"
            """)
        try check(
            "/srv/app.php",
            """
            <?php $r->auth('«phpredis»'); curl_setopt($c, CURLOPT_USERPWD, "bob:«phpcurl»");
            if (hash_equals('«phpequal»', $token)) {}
            $d = new Database('‹h›', '‹u›', '«phpctor»', 'dpi');
            """)
        try check("/srv/app.js", "const t = process.env.TOKEN || \"«jsdefault»\";\n")
        try check(
            "/srv/App.java", "store.load(in, \"«javaword»\".toCharArray()); f(\"‹text›\");\n")
        try check("/srv/app.go", "dsn := \"‹u›:«goword»@tcp(‹h›:3306)/d\"\n")
        try check("/srv/app.pl", "our $PASSWORD = q(«perlword»);\n$c->{password} = '«braces»';\n")
    }

    @Test("Services with places of their own")
    func services() throws {
        try check(
            "/etc/nginx/keys.conf",
            "map $http_x_api_key $ok {\n  default ‹0›;\n  \"«mapword»\" 1;\n}\nif ($arg_key = «argword») { return ‹200›; }\n"
        )
        try check(
            "/etc/exim4/exim4.conf",
            "  client_send = ^bob^«eximplain»\nhide mysql_servers = ‹localhost›/exim/user/«eximdb»\n"
        )
        try check(
            "/etc/snmp/snmpd.conf",
            "trapsess -v 3 -u ‹bob› -A «trapauth» -X «trappriv» ‹10.0.0.9›\nproxy -v 2c -c «proxycomm» ‹10.0.0.7›\n"
        )
        try check(
            "/opt/a.properties", "url=jdbc\\:mysql\\://‹h›/x?user\\=u&password\\=«propurl»\n")
        try check("/etc/stunnel/psk.txt", "‹client1›:«stunpsk»\n")
        try check("/etc/racoon/psk.txt", "‹10.0.0.1›\t«racoon one»\n")
        try check("/etc/ntp/keys", "1 M «ntpword»\n2 SHA1 «ntpword2»\n")
        try check(
            "/root/.terraformrc", "credentials \"‹app.terraform.io›\" {\n  token = \"«tfrc»\"\n}\n")
    }

    @Test("A place of secrets: what is not understood beside what is goes as a whole")
    func places() throws {
        let redactor = try redactor()
        let result = redactor.redact(
            path: Array("/etc/ssl/private/both.key".utf8),
            content: Array("password: hunter2\nrawkeyrawkeyrawkey\n".utf8))
        #expect(result.isOpaqueSecret)
        try check("/etc/openvpn/up.txt", "jdupont\n«hunter2-ovpn»\n")
        try check(
            "/etc/bind/rndc.key",
            "key \"‹rndc-key›\" {\n\talgorithm ‹hmac-sha256›;\n\tsecret \"«c3VwZXItc2VjcmV0»\";\n};\n"
        )
        try check(
            "/etc/tomcat9/server.xml",
            "<Server port=\"‹8005›\" shutdown=\"«ARRETE»\"><Service name=\"‹Catalina›\"/></Server>\n"
        )
        try check(
            "/root/putty.ppk",
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ‹admin›\nPublic-Lines: 2\nAAAAC3NzaC1l\nZDI1NTE5\nPrivate-Lines: 1\n«AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd»\nPrivate-MAC: 00\n"
        )
    }
}
