import Redaction
import Testing

@Suite("Values are found where files say in their own ways what they are")
struct StructureTests {
    @Test("Names in properties with escapes, and over the end of a line")
    func properties() throws {
        let text = try check(
            "/opt/app/a.properties",
            """
            db.pass\\u0077ord=«firstword»
              db.\\u0070assword = «secondword»
            mail.p\\u0061ssword:«thirdword»
            app.t\\u0069tle=‹Accueil›
            spring.mail.password \\
               = «fourthword»
            spaced.password \\u0041«fifthword»
            long = ‹one› \\
               ‹two›
            # ‹remark \\u0041›

            """)
        #expect(text.contains("db.pass\\u0077ord=EXEAT-REDACTED-password\n"))
    }

    @Test("Values of Terraform whose names stand beside them, and those set as sensitive")
    func terraform() throws {
        try check(
            "/srv/helm.tf",
            """
            resource "helm_release" "k" {
              name = "‹keycloak›"
              set_sensitive {
                name  = "‹auth.x›"
                value = "«firstword»"
              }
              set {
                name  = "‹service.type›"
                value = "‹ClusterIP›"
              }
              set {
                name  = "db.password"
                value = "«secondword»"
              }
            }
            resource "helm_release" "l" { set_sensitive { name="a" value="«thirdword»" } }
            resource "helm_release" "m" {
              set_sensitive = [
                { name = "a.b", value = "«fourthword»" },
                {
                  name  = "c"
                  value = "«fifthword»"
                }
              ]
              set = [{ name = "‹replicas›", value = "‹two›" }]
            }
            """)
    }

    @Test("Communities that are called a name, of MikroTik and FortiOS")
    func communities() throws {
        try check(
            "/srv/router.rsc",
            """
            /snmp community
            add name=«firstword» addresses=‹10.0.0.0/8›
            set [ find default=yes ] name=«secondword»
            /interface bridge
            add name=‹bridge1›
            /snmp community add name="«third word»"
            """)
        try check(
            "/srv/fw.conf",
            """
            config system snmp community
                edit ‹1›
                    set name "«fourthword»"
                    config hosts
                        edit 1
                            set ip ‹10.0.0.1 255.255.255.255›
                        next
                    end
                next
            end
            config firewall address
                edit "a"
                    set name "‹records›"
                next
            end
            """)
    }

    @Test("Arguments of checks that log in, and a user with a password in one argument")
    func checks() throws {
        try check(
            "/etc/nagios/services.cfg",
            """
            define service {
              check_command check_mysql!‹nagios›!«firstword»
            }
            define service {
              check_command check_http_auth!‹/status›!‹nagios›:«secondword»
            }
            define service {
              check_command check_ftp!‹probe›!«thirdword»
            }
            define service {
              check_command check_mysql_health!«fourthword»!uptime
            }
            define service {
              check_command check_nrpe!‹check_disk›
            }
            """)
    }

    @Test("Logins in code: directories, Oracle, a name among the arguments")
    func calls() throws {
        try check(
            "/var/www/a.php",
            """
            <?php
            $ldap->bind('‹cn=ro,dc=x›','«firstword»');
            ldap_bind($c,'‹cn=admin›','«secondword»');
            $l->bind($dn, '«thirdword»');
            $stmt->bind(':name', '‹value›');
            $app->bind('App\\\\Contract', '‹App›');
            $servers->setValue('login', 'bind_pass', '«fourthword»');
            $servers->setValue('login', 'bind_id', '‹cn=admin›');
            """)
        try check(
            "/srv/a.py",
            """
            ldap3.Connection(server, '‹cn=y›', '«firstword»')
            cx_Oracle.connect('‹u›', '«secondword»', '‹service›')
            dsn = "‹dpi›/«thirdword»@//ora1:1521/DPI"
            parser.add_argument("--password", help="‹the password to use›")
            """)
        try check(
            "/srv/.env", "CONN=‹dpi›/«fourthword»@ora1:1521:DPI\nUSES=‹actions/checkout@v4›\n")
        try check(
            "/srv/ci.yml", "image: registry.example:5000/‹team/app@sha256:0123›\nuses: ‹a/b@v4›\n")
    }

    @Test("Several words are one passphrase, also in a setting that was switched off")
    func phrases() throws {
        try check(
            "/etc/netplan/wifi.yaml",
            "network:\n  wifis:\n    wlan0:\n      access-points:\n        \"‹guests›\":\n          password: «the cat sleeps well»\n"
        )
        try check(
            "/srv/a.ini",
            "[backup]\npassphrase = «a phrase in clear»\n; password = «an old phrase»\ndescription = ‹several plain words›\n"
        )
        try check("/etc/postfix/sasl_passwd.map", "‹[smtp.example]:587› ‹relay›:«mapword»\n")
        try check(
            "/etc/fstab",
            "//nas/b /mnt/b cifs credentials=‹/etc/cred›,user=dom/bob%«mountword» 0 0\n")
    }

    @Test("What is about a password and is none: rules, templates, references, paths, names")
    func decoys() throws {
        try check(
            "/srv/a.yml",
            "- mysql_user:\n    update_password: ‹on_create›\n    password: \"{{ ‹vault_app› }}\"\n"
        )
        try check(
            "/srv/Request.php",
            "<?php\nreturn ['password' => '‹required|min:8›', 'new_password' => ['‹required›', '‹min:12›', '‹confirmed›'], 'secret' => '‹nullable|string|max:255›'];\n"
        )
        try check(
            "/root/.m2/settings.xml",
            "<settings><server><privateKey>‹${user.home}/.ssh/id_dsa›</privateKey><passphrase>«mavenword»</passphrase></server><server><privateKey>‹/path/to/id_rsa›</privateKey></server><server><privateKey>‹C:\\Users\\ci\\id_rsa›</privateKey></server></settings>\n"
        )
        try check("/etc/default/etcd", "ETCD_INITIAL_CLUSTER_TOKEN=\"‹etcd-cluster-1›\"\n")
        try check(
            "/srv/k.yaml", "spec:\n  tokenFrom: ‹secret-of-site›\n  passwordFrom: ‹grafana-db›\n")
        try check(
            "/srv/a.py",
            "print(f\"password={‹pw›}\")\npassword = f\"{‹prefix›}{suffix}\"\nsecret = \"{«a3bx9kLm2»}\"\n"
        )
        try check("/etc/systemd/system/a.service", "[Service]\nPassEnvironment=‹LANG DB_PASS›\n")
    }

    @Test("Names and values that are called so in French")
    func french() throws {
        try check(
            "/srv/a.json",
            #"{"parametres":[{"nom":"mot_de_passe_smtp","valeur":"«firstword»"},{"cle":"niveau","valeur":"‹info›"}]}"#
        )
        try check(
            "/srv/a.xml",
            "<p><parametre nom='MotDePasse' valeur='«firstword»'/><parametre nom='Serveur' valeur='‹db1›'/><parametre><nom>smtp.mdp</nom><valeur>«secondword»</valeur></parametre></p>\n"
        )
        try check(
            "/srv/a.yml",
            "p:\n  - nom: smtp_mdp\n    valeur: «firstword»\n  - nom: niveau\n    valeur: ‹info›\n")
        try check(
            "/srv/a.cfg",
            "MOTPASSE=«firstword»\ncle_chiffrement=«secondword»\nID_STRUCTURE=‹750712184›\n")
        try check("/srv/a.txt", "SNMP communauté : «firstword1»\nBMC ‹ADMIN›/«Secondword2!»\n")
    }

    @Test("Secrets of products that keep them under names of their own")
    func products() throws {
        try check("/etc/cas/cas.properties", "cas.authn.accept.users=‹casuser›::«firstword»\n")
        try check(
            "/etc/kamailio/kamailio.cfg",
            "modparam(\"uac\",\"auth_password\",\"«firstword»\")\nmodparam(\"tm\", \"fr_timer\", ‹5000›)\n"
        )
        try check("/etc/apache2/ocs.conf", "PerlSetVar OCS_DB_PWD «firstword»\nPerlSetVar X ‹y›\n")
        try check(
            "/etc/tinyproxy/tinyproxy.conf",
            "Upstream http ‹u›:«firstword»@proxy:3128\nContact ‹sip:100@pbx.example:5060›\n")
        try check(
            "/srv/nifi.properties", "nifi.sensitive.props.key=«firstword»\nnifi.port=‹8443›\n")
        try check(
            "/srv/x.sql", "exec dbms_scheduler.create_credential('‹C›','‹u›','«firstword»');\n")
        try check(
            "/srv/k/kustomization.yaml",
            "secretGenerator:\n- name: ‹db›\n  literals:\n  - ‹cle›=«firstword»\nnamespace: ‹x›\n")
        try check(
            "/srv/x.vbs",
            "net.MapNetworkDrive \"Z:\", \"‹\\\\nas\\x›\", False, \"‹u›\", \"«firstword»\"\n")
        try check(
            "/srv/x.ps1",
            "$sec = \"«firstword»\" | ConvertTo-SecureString -AsPlainText -Force\n")
        try check("/srv/a.json", #"{"PublicLinkSalt": "«saltword»", "PublicLinkName": "‹x›"}"#)
        try check(
            "/etc/hostapd/hostapd.conf", "wpa_key_mgmt=‹WPA-PSK›\nwpa_passphrase=«hostword»\n")
        try check("/srv/x.rdp", "username:s:‹jean›\nfull address:s:‹ts1›\n")
    }

    @Test("What a connection's description holds, whatever the name before it says")
    func descriptions() throws {
        try check("/srv/a.yml", "dsn: 'host=‹h› password=«firstword»'\n")
        try check("/srv/a.php", "<?php\n$dsn = 'mysql:host=‹h›;password=«firstword»';\n")
    }

    @Test("Values of code in parts, behind symbols and constants, and as keys of ciphers")
    func code() throws {
        try check(
            "/srv/a.php",
            "<?php\n$password = '«firstpart»' . '«secondpart»';\n$k = hash_hmac('‹sha256›', $d, '«hmacword»');\nopenssl_encrypt($d, '‹aes-256-cbc›', '«cipherword»');\n"
        )
        try check("/srv/a.rb", "set :password, '«symbolword»'\nset :user, '‹deploy›'\n")
        try check(
            "/srv/a.pl",
            "use constant PASSWORD => '«constantword»';\nuse constant HOST => '‹db1›';\n")
        try check("/srv/a.js", "jwt.sign(payload, '«signword»');\n")
    }

    @Test("Values whose type says what they are, beside them in JSON and XML")
    func types() throws {
        try check(
            "/srv/a.json",
            ##"{"x":{"type":"password","value":"«firstword»"},"y":{"type":"text","value":"‹plain›"},"z":[{"@name":"password","#text":"«secondword»"}]}"##
        )
        try check(
            "/srv/a.xml",
            "<a><field type=\"password\" value=\"«firstword»\"/><field type=\"text\" value=\"‹plain›\"/></a>\n"
        )
    }

    @Test("Words of commands in elements of XML, tokens in a block of one line")
    func elements() throws {
        try check(
            "/srv/service.xml",
            "<service><argument>--password</argument><argument>«firstword»</argument><argument>--port</argument><argument>‹8080›</argument></service>\n"
        )
        try check(
            "/Library/x.plist",
            "<plist><array><string>‹tool›</string><string>--token</string><string>«firstword»</string><string>--name</string><string>‹records›</string></array></plist>\n"
        )
        try check(
            "/etc/consul.d/a.hcl",
            "acl { tokens { agent = \"«firstword»\" default = \"«secondword»\" } }\ndatacenter = \"‹site›\"\n"
        )
    }

    @Test("Terraform: defaults in one line, and secrets of the vaults of clouds")
    func vaults() throws {
        try check(
            "/srv/a.tf",
            """
            variable "db_password" { default = "«firstword»" }
            variable "region" { default = "‹eu-west-3›" }
            resource "github_actions_secret" "a" {
              secret_name     = "‹TOKEN›"
              plaintext_value = "«secondword»"
            }
            resource "gitlab_project_variable" "b" {
              key   = "DB_PASSWORD"
              value = "«thirdword»"
            }
            resource "aws_secretsmanager_secret_version" "w" {
              secret_string = jsonencode({ user = "«fourthword»", other = "«fifthword»" })
            }
            """)
    }

    @Test("Files that are called after a secret, or lie in a directory of secrets, are one")
    func places() throws {
        try check("/root/.config/mdp.txt", "«firstword»\n")
        try check("/srv/docker/db_password.txt", "«firstword»\n")
        try check("/srv/docker/secrets/db_root", "«firstword»\n")
        try check("/srv/docker/secrets/app.yaml", "host: ‹db1›\n")
        try check("/srv/password_policy.txt", "‹twelve letters›\n")
        try check("/srv/logins_password.txt", "login;password\n‹bob›;«firstword»\n")
    }

    @Test("Code that reads passwords holds none")
    func codeDecoys() throws {
        try check(
            "/srv/a.py",
            "token_value = ‹tokens[1]›\nclaims.setdefault(\"‹methods›\", [\"‹client_secret_post›\", \"‹client_secret_basic›\"])\n"
        )
        try check("/srv/ftp/a.py", "if not user:\n    user = ‹'anonymous'›\n")
        try check("/srv/a.vim", "let g:connection[users] = ‹a:canonical›\n")
        try check("/srv/a.pl", "$auth =~ ‹s/%([0-9A-Fa-f]{2})/chr(hex($1))/eg›;\n")
        try check("/srv/a.sh", "mkdir -p `cygpath -u \"‹%s›\"`\n")
    }

    @Test("A value under a section that is called after a secret, and options in elements of Ant")
    func sectionsAndArguments() throws {
        try check(
            "/etc/app/a.ini",
            """
            [password]
            value = «firstword»
            min_length = ‹8›
            [mail]
            value = ‹plain›

            """)
        try check(
            "/srv/build.xml",
            """
            <project><exec executable="‹deploy›">
              <arg value="‹--user›"/><arg value="‹joe›"/>
              <arg value="‹--password›"/><arg value="«secondword»"/>
              <arg value="‹--verbose›"/><arg value="‹target›"/>
            </exec></project>

            """)
    }
}
