import Redaction
import Testing

@Suite("Values are found in what describes machines, clusters and their checks")
struct InfrastructureTests {
    @Test("Terraform: data of secrets of Kubernetes, what is marked sensitive, SecureString, Vault")
    func terraform() throws {
        try check(
            "/srv/tf/main.tf",
            """
            resource "kubernetes_secret" "db" {
              metadata {
                name = "‹db-creds›"
              }
              data = {
                login     = "«tfloginword»"
                "url"     = "«tfurlword»"
                encoded   = base64encode("«tfencodedword»")
                text      = <<EOT
            «tfdocumentword»
            EOT
                "tls.crt" = file("‹certs/a.crt›")
                other     = var.‹other›
              }
            }
            resource "kubernetes_secret_v1" "b" { 
              string_data = { user = "«tfuserword»", foo = "«tffooword»" }
            }
            resource "kubernetes_config_map" "c" {
              data = {
                host = "‹db.example›"
              }
            }
            variable "pass_thing" {
              sensitive = true
              default   = "«tfdefaultword»"
            }
            variable "region" {
              default = "‹eu-west-3›"
            }
            output "x" {
              value     = "«tfoutputword»"
              sensitive = true
            }
            resource "aws_ssm_parameter" "p" {
              name  = "‹/app/x›"
              type  = "SecureString"
              value = "«tfparameterword»"
            }
            resource "vault_generic_secret" "v" {
              path      = "‹secret/x›"
              data_json = <<EOT
            { "foo": "«tfvaultword»", "bar": "«tfvaultword2»" }
            EOT
            }

            """)
        try check(
            "/srv/tf/outputs.tf",
            "output \"pw\" {\n  value = ‹random_password.p.result›\n  sensitive = true\n}\n")
    }

    @Test("Checks of Nagios: by the definition of the command, else by what its name says")
    func checks() throws {
        try check(
            "/etc/nagios/objects/all.cfg",
            """
            define command {
              command_name my_db
              command_line $USER1$/check_pgsql -H $HOSTADDRESS$ -P ‹5432› -l $ARG1$ -p "$ARG2$" -d $ARG3$
            }
            define service {
              check_command my_db!‹monitor›!«checkargument»!‹dpi›
            }
            define service {
              check_command check_mssql!‹sql1›!‹sa›!«mssqlargument»
            }
            define service {
              check_command check_mysql_cmdlinecred!‹nagios›!«mysqlargument»
            }
            define service {
              check_command check_snmp_load!«snmpargument»!‹5,4,3›
            }
            define service {
              check_command check_ping!‹100.0,20%›!‹500.0,60%›
            }
            define service {
              check_command check_http_vhost!‹portal.example›!‹/login›
            }

            """)
    }

    @Test("A name that says which key of a secret holds the password is no password")
    func references() throws {
        try check(
            "/srv/helm/values.yaml",
            """
            auth:
              existingSecret: ‹my-secret›
              adminPasswordKey: ‹admin-password›
              secretKeys:
                userPasswordKey: ‹postgres-password›
              adminPassword: «helmword»
            tls:
              imagePullSecret: ‹regcred›
              build_hash: ‹a94a8fe5ccb19ba61c4c0873d391e987982fbbd3›
            api_key: !secret ‹home_api›
            cloud.id: ‹"prod:ZXUtd2VzdC0xLmF3cy5mb3VuZC5pbyRjZWM2ZjI2MWE3NGJmMjRjZTMzYmI4ODExYjg0Mjk0ZiRjNmMyY2E2ZDA0MjI0OWFmMGNjN2Q3YTllOTYyNTc0Mw=="›

            """)
        try check(
            "/srv/.github/workflows/a.yml",
            "env:\n  TOKEN: ${{ secrets.‹GH_TOKEN› }}\n  PASSWORD: ${{ secrets.PW || '«workflowword»' }}\n"
        )
        try check(
            "/etc/containers/systemd/a.container",
            "[Container]\nSecret=‹dbpass›,type=env,target=DB_PASSWORD\nEnvironment=DB_PASSWORD=«podmanword»\n"
        )
        try check(
            "/etc/letsencrypt/renewal/a.conf", "account = ‹0123456789abcdef0123456789abcdef›\n")
        try check(
            "/etc/ssl/openssl.cnf",
            "challengePassword = ‹A challenge password›\noutput_password = «opensslword»\n")
        try check(
            "/srv/settings.py",
            "PASSWORD_HASHERS = ['‹django.contrib.auth.hashers.Argon2PasswordHasher›']\nSECRET_KEY = os.environ.get('KEY', '«environword»')\n"
        )
    }

    @Test("Switches: users of SNMP, VRRP, managers of ProCurve, lines of Junos")
    func devices() throws {
        try check(
            "/srv/cisco.cfg",
            """
            hostname ‹sw1›
            interface ‹Vlan1›
            snmp-server location ‹Nantes›
            snmp-server user ‹joe› ‹admins› v3 auth sha «authword» priv aes 128 «privword»
            vrrp 1 authentication text «vrrpword»

            """)
        try check(
            "/srv/hp.cfg",
            "password manager user-name \"‹a›\" sha1 \"«0f23456789abcdef0123456789abcdef01234567»\"\npassword operator plaintext «operatorword»\n"
        )
        try check(
            "/srv/junos.conf",
            "set snmp community «junosword» authorization ‹read-only›\nset system login user ‹x› authentication plain-text-password-value «junosword2»\nset protocols bgp group ‹g› authentication-key «bgpword»\n"
        )
    }

    @Test("Commands and clients: vmware-cmd, curl, wpa_cli, rclone, conda, mailx, lftp, Munin")
    func commands() throws {
        try check(
            "/root/.bash_history",
            """
            vmware-cmd -H ‹esx1› -U root -P «vmwareword» -l
            curl --user=‹joe›:"«curlword»" https://‹x›
            wpa_cli set_network 0 psk '"«wpaword»"'
            rclone obscure «rcloneword»
            conda config --add ‹channels› https://conda.anaconda.org/t/«tk-a1b2c3d4-0000-1111-2222-333344445555»/x
            test -x /x || echo «stdinword» | docker login --password-stdin -u ‹joe› r

            """)
        try check("/root/.mailrc", "set password-joe@mail.example=«mailword»\n")
        try check("/root/.lftprc", "user ‹joe› «lftpword»\n")
        try check(
            "/etc/munin/plugin-conf.d/munin-node",
            "[mysql*]\nuser ‹root›\nenv.mysqlopts -u ‹munin› -p«muninword»\n")
        try check("/etc/redis/sentinel.conf", "sentinel sentinel-pass «sentinelword»\n")
        try check(
            "/srv/rails/config/initializers/a.rb",
            "config.omniauth :github, '‹APP_ID›', '«omniauthword»'\n")
        try check("/srv/rails/config/secrets.yml", "production:\n  api:\n    key: «railsword»\n")
        try check(
            "/etc/icinga2/a.conf",
            "vars.services.production.frontend.http_auth_pair = \"‹u›:«pairword»\"\n")
        try check("/srv/x.pp", "user { '‹joe›': password => Sensitive('«puppetword»') }\n")
    }

    @Test("Notes on guests of Proxmox VE, and mounts that hold a password")
    func notes() throws {
        try check(
            "/etc/pve/qemu-server/100.conf",
            "#‹Serveur LIS›\n#password%3A «noteword»\nname: ‹lis›\n")
        try check(
            "/etc/fstab", "curlftpfs#‹joe›:«mountword»@‹ftp.example› /mnt fuse ‹defaults› 0 0\n")
    }

    @Test(
        "What distributions put into /etc stays: methods of pg_hba.conf, headings, secrets by UUID")
    func distributions() throws {
        try check(
            "/etc/postgresql/15/main/pg_hba.conf",
            """
            # METHOD can be "trust", "reject", "md5", "password", "‹scram-sha-256›",
            # "gss", "sspi", "ident", "peer", "pam", "ldap", "radius" or "cert".
            host    all             all             127.0.0.1/32            ‹scram-sha-256›
            host    all             all             ::1/128                 ‹scram-sha-256›

            """)
        try check(
            "/etc/libvirt/qemu.conf",
            "# Authorization ‹controls›\n#vnc_tls_x509_secret_uuid = \"‹00000000-0000-0000-0000-000000000000›\"\n"
        )
        try check(
            "/etc/logcheck/ignore.d.server/gpg-agent",
            "gpg-agent\\[[0-9]+\\]: Closed GnuPG cryptographic agent and passphrase ‹cache\\.$›\n")
        try check("/srv/a.py", "try:\n    f()\nexcept OSError:\n    pass  ‹# nothing to do›\n")
        try check("/srv/a.html", "<html><a href=\"#top\" accesskey=\"‹n›\">x</a></html>\n")
    }

    @Test("A value on the line below its name")
    func below() throws {
        try check(
            "/srv/a.yaml",
            "db:\n  password:\n    «belowword»\n  token:\n\n    '«below word»'\n  secret:\n    - «listword»\n  host:\n    ‹db.example›\n"
        )
        let text = try check(
            "/srv/a.py", "x = {\n  'password':\n    '«belowpython»',\n  'host': '‹h›',\n}\n")
        #expect(text.contains("    'EXEAT-REDACTED-password',\n"))
    }

    @Test("A byte-order mark is no part of the first word, and a switch is one in UTF-16 as well")
    func marks() throws {
        for (path, text) in [
            ("/etc/redis/redis.conf", "requirepass «markedword»\nport ‹6379›\n"),
            ("/etc/a.conf", "password\t«markedword»\n"),
            ("/root/.lftprc", "user ‹joe› «markedword»\n"),
            (
                "/srv/user-data",
                "#cloud-config\nchpasswd:\n  list: |\n    ‹root›:«markedword»\n"
            ),
        ] { try check(path, "\u{feff}" + text) }
        let device = Planted(
            "hostname ‹sw1›\ninterface ‹Vlan1›\ntacacs-server key «deviceword»\n")
        var wide: [UInt8] = [0xff, 0xfe]
        for unit in device.plain.utf16 { wide += [UInt8(unit & 0xff), UInt8(unit >> 8)] }
        let result = try redactor().redact(path: Array("/srv/sw1.cfg".utf8), content: wide)
        #expect(result.findings.count == 1)
        #expect(result.content.starts(with: [0xff, 0xfe]))
        let first = try redactor().redact(
            path: Array("/etc/a.ini".utf8), content: Array("\u{feff}password=x1y2z3w4\n".utf8))
        #expect(first.findings.map(\.column) == [13])
    }
}
