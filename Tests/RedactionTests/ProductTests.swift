import Redaction
import Testing

@Suite("Values are found in the files of products that hospitals run")
struct ProductTests {
    @Test(
        "Maps of XStream in Mirth Connect, macros of Zabbix, parameters of Jenkins, keys of NuGet")
    func xml() throws {
        try check(
            "/opt/mirth/channel.xml",
            """
            <channel><headers class="linked-hash-map"><entry><string>X-API-Key</string><list>
            <string>«enteteword»</string></list></entry><entry><string>Content-Type</string><list>
            <string>‹application/json›</string></list></entry></headers>
            <configurationMap><entry><string>db.password</string><com.mirth.ConfigurationProperty>
            <value>«mapword»</value><comment>‹base de prod›</comment></com.mirth.ConfigurationProperty></entry>
            <entry><string>lis.host</string><com.mirth.ConfigurationProperty><value>‹lis.ch.example›</value>
            </com.mirth.ConfigurationProperty></entry></configurationMap></channel>
            """)
        try check(
            "/srv/zabbix.xml",
            "<macros><macro><macro>{$MYSQL.PASSWORD}</macro><value>«macroword»</value></macro><macro><macro>{$CPU.MAX}</macro><value>‹90›</value></macro></macros>\n"
        )
        try check(
            "/srv/zabbix.yaml",
            "macros:\n  - macro: '{$SNMP_COMMUNITY}'\n    value: «macroyaml»\n  - macro: '{$LOAD}'\n    value: ‹5›\n"
        )
        try check(
            "/srv/zabbix.json",
            #"[{"macro": "{$API.TOKEN}", "value": "«macrojson»"}, {"macro": "{$LOAD}", "value": "‹high›"}]"#
        )
        try check(
            "/var/lib/jenkins/job.xml",
            "<p><StringParameterDefinition><name>DB_PASSWORD</name><defaultValue>«parameterword»</defaultValue></StringParameterDefinition></p>\n"
        )
        try check(
            "/root/nuget.config",
            "<configuration><apikeys><add key=\"‹https://nuget.example/›\" value=\"«nugetword»\"/></apikeys></configuration>\n"
        )
    }

    @Test("Tables of HTML, also within Markdown, by the heads of their columns and of their rows")
    func tables() throws {
        let table = """
            <table><tr><th>System</th><th>Password</th></tr>
            <tr><td>‹PACS›</td><td>«columnword»</td></tr></table>
            <table><tr><td>Mot de passe</td><td>«rowword»</td></tr></table>
            <table><tr><th>Password</th><td>«headword»</td></tr>
            <tr><th>Server</th><td>‹db1›</td></tr><tr><th>Site</th><td>‹Nantes›</td></tr></table>

            """
        try check("/srv/a.html", "<html>" + table + "</html>")
        try check("/srv/a.md", "# ‹Accès›\n\n" + table)
    }

    @Test("Proxies: users and conditions of HAProxy, rows of a map of nginx in one line, Squid")
    func proxies() throws {
        try check(
            "/etc/haproxy/haproxy.cfg",
            """
            user joe insecure-password «haproxyword» groups ‹admins›
            tcp-check send AUTH\\ «redisword»\\r\\n
            acl ok hdr(X-Token) -m str «aclword»
            acl local hdr(Host) -i ‹portal.example›
            """)
        try check(
            "/etc/nginx/keys.conf",
            """
            map $http_x_api_key $ok { default ‹0›; "«inlineword»" ‹1›; }
            map $http_host $site { "‹portal.example›" 1; }
            proxy_set_header X-Api-Key «headerword»;
            set $secret «setword»;
            set $token ‹$arg_token›;
            """)
        try check(
            "/etc/squid/squid.conf",
            """
            auth_param basic program ‹/usr/lib/squid/basic_ldap_auth› -D ‹cn=squid› -w «ldapword» ‹ldap.example›
            acl monitoring snmp_community «communityword»
            cachemgr_passwd ‹disable› shutdown
            """)
    }

    @Test("Monitoring: variables of Nagios, plugins, parameters of the Zabbix agent, Icinga")
    func monitoring() throws {
        try check(
            "/etc/nagios/hosts.cfg",
            "define host {\n  _SNMPCOMMUNITY «nagiosword»\n  address ‹10.0.0.1›\n}\n")
        try check(
            "/etc/nagios/nrpe.cfg",
            "command[pg]=‹/usr/lib/nagios/plugins/check_pgsql› -P ‹5432› -l nagios -p «pgword»\n")
        try check(
            "/etc/zabbix/zabbix_agentd.conf",
            "UserParameter=mysql.ping[*],mysqladmin -uzabbix -p«agentword» ‹ping›\n")
        try check(
            "/etc/icinga2/hosts.conf", "vars.http_auth_pair = \"‹icinga›:«icingaword»\"\n")
        try check(
            "/etc/rsyslog.conf",
            "action(type=\"‹omhttp›\" httpheaderkey=\"X-Api-Key\" httpheadervalue=\"«rsyslogword»\" server=\"‹h›\")\n"
        )
        try check("/etc/filebeat.yml", "cloud.auth: \"elastic:«cloudword»\"\n")
    }

    @Test("Directories and networks: 389 Directory Server, hostapd, OpenVPN, pppd, Dovecot")
    func networks() throws {
        try check(
            "/etc/dirsrv/slapd-x/dse.ldif",
            """
            nsDS5ReplicaCredentials: {AES-TUhNR0NTcUdTSWIzRFFFRkRUQm1NRVVHQ1NxR1NJYjNEUUVGRERBNEJD}«replicaword»
            nsmultiplexorcredentials: «chainword»
            nsslapd-rootpwstoragescheme: ‹PBKDF2_SHA256›
            """)
        try check("/etc/dirsrv/slapd-x/pwdfile.txt", "«certificateword»\n")
        try check(
            "/etc/hostapd/hostapd.eap_user",
            "\"‹user›\" ‹MSCHAPV2› \"«eapword»\" [2]\n\"u2\" MD5 «eapword2»\n* ‹PEAP,TLS›\n")
        try check(
            "/etc/hostapd/hostapd.conf",
            "ft_r0kh=‹02:01:02:03:04:05› r0kh-1.example «000102030405060708090a0b0c0d0e0f»\n")
        try check("/etc/openvpn/server.conf", "secret ‹static.key›\nport ‹1194›\n")
        try check(
            "/etc/ppp/peers/adsl",
            "connect '/usr/sbin/chat -v \"\" ‹AT› OK ATD ogin: u assword: «chatword»'\n")
        try check("/etc/dovecot/ldap.conf", "pass_attrs = ‹uid=user,userPassword=password›\n")
        try check("/etc/pam_ldap.conf", "pam_password ‹md5›\nbindpw «bindword»\n")
        try check("/etc/wide-dhcpv6/dhcp6cctlkey", "«aB3dE6gH9jK2mN5pQ8sT1w==»\n")
    }

    @Test("Databases: Galera, texts within texts, checks of pgpool, DBI")
    func databases() throws {
        try check("/etc/mysql/my.cnf", "wsrep_sst_auth=\"‹sst›:«galeraword»\"\n")
        try check(
            "/etc/postgresql/auto.conf",
            "primary_conninfo = 'host=‹p› password=''«two words»'' application_name=‹x›'\n")
        try check(
            "/etc/pgpool2/pgpool.conf",
            "sr_check_password = '«checkword»'\ncheck_password = ‹true›\n")
        try check(
            "/etc/amavis/50-user",
            "@lookup_sql_dsn = ( ['‹DBI:mysql:database=amavis›', 'amavis', '«dbiword»'] );\n")
    }

    @Test("SQL: values of functions, settings by name, digests in tables of people, plugins")
    func statements() throws {
        try check(
            "/srv/a.sql",
            """
            UPDATE users SET login='‹bob›', password = SHA1('«shaword»'), mail='‹bob@ch.example›' WHERE id = ‹7›;
            INSERT INTO wp_options VALUES (1,'mailserver_pass','«optionword»','‹yes›'),(2,'‹mailserver_url›','‹mail.example›','yes');
            INSERT INTO wp_users VALUES (1,'‹admin›','«5f4dcc3b5aa765d61d8327deb882cf99»','‹admin@ch.example›');
            INSERT INTO texts VALUES (1,'new_password','‹Choose a new password, please›');
            INSERT INTO files VALUES (1,'‹a.pdf›','‹5f4dcc3b5aa765d61d8327deb882cf98›');
            CREATE USER a IDENTIFIED WITH caching_sha2_password AS '«$A$005$cachingword»';
            CREATE DATABASE LINK l CONNECT TO u IDENTIFIED BY "«linkword»" USING '‹orcl›';
            SELECT crypt('«cryptword»', gen_salt('‹bf›')), aes_decrypt(x, '«aesword»') AS '‹clair›';
            """)
    }

    @Test("Shells: process substitution; lists of YAML whose elements are commands")
    func substitutions() throws {
        try check(
            "/root/x.sh",
            """
            passwd --stdin bob < <(echo «firstword»)
            mysql --defaults-extra-file=<(printf '[client]\\npassword=%s' '«secondword»') ‹dpi›
            wg set wg0 private-key <(echo «thirdword») peer ‹abc›
            diff <(echo ‹plain›) <(echo ‹other›)
            """)
        try check(
            "/srv/run.yaml",
            """
            runcmd:
              - ["sh", "-c", "echo 'root:«listword»' | chpasswd"]
              - [mysql, -u, root, "-p«flowword»", ‹dpi›]
              - 'sh -c "echo root:«nestedword» | chpasswd"'
              - [‹a›, ‹b›]
            """)
        try check(
            "/srv/x.tf",
            "inline = [\"echo 'root:«provisionword»' | chpasswd\", \"‹apt-get update›\"]\n")
        try check(
            "/srv/play.yml",
            "- user: name=‹root› password={{ '«filterword»' | ‹password_hash('sha512')› }}\n")
        try check(
            "/srv/Jenkinsfile",
            "DB_PASS = '«pipelineword»'\nTOKEN = credentials('‹token-of-git›')\n")
    }

    @Test("Units of containers, forwarders of logs, charts, TACACS+, joins of a domain")
    func services() throws {
        try check("/etc/containers/app.container", "Exec=--password «unitword» --port ‹80›\n")
        try check("/etc/fluent-bit.conf", "Header Authorization Bearer «bitword»\nName ‹es›\n")
        try check(
            "/srv/values.yaml",
            """
            auth: {existingSecret: ‹my-secret›}
            extraEnvVars: |
              - name: X_TOKEN
                value: «blockword»
              - name: ‹LEVEL›
                value: ‹debug›
            """)
        try check(
            "/etc/tac_plus.conf",
            "key = \"«tacword»\"\nuser = joe { login = cleartext \"«loginword»\"\n enable = des «desword»\n member = ‹admins› }\n"
        )
        try check("/etc/proftpd.conf", "LDAPBindDN \"‹cn=x›\" \"«ftpword»\"\n")
        try check(
            "/root/join.sh",
            "realm join --user=‹adm› ch.example <<< \"«realmword»\"\nldappasswd -x -D cn=a -w «oldword» -s «newword» ‹uid=x›\n"
        )
    }

    @Test("Settings of Tcl, entries of web.xml, dialogues within quotes, SMB")
    func engines() throws {
        try check(
            "/opt/cloverleaf/NetConfig",
            "protocol ftp {\n  { FTPUSER ‹lab› }\n  { FTPPASSWORD «tclword» }\n}\n")
        try check(
            "/opt/lims/web.xml",
            "<w><env-entry><env-entry-name>smtp/password</env-entry-name><env-entry-type>‹java.lang.String›</env-entry-type><env-entry-value>«entryword»</env-entry-value></env-entry></w>\n"
        )
        try check("/opt/a.ini", "CodeAcces=«accesword»\nCodeSite=‹nord›\n")
        try check(
            "/root/a.sh",
            """
            smbclient ‹//h/s› «smbword» -U u
            smbclient ‹//h/s› -U u -c '‹ls›'
            expect -c 'spawn ssh h; expect "password:"; send "«dialogword»\\r"; ‹interact›'
            """)
    }

    @Test("Headers as pairs in lists, whole or cut off")
    func headers() throws {
        try check(
            "/srv/a.json",
            #"{"headers": [["Authorization", "«pairword»"], ["Accept", "‹text/html›"]], "columns": ["‹password›", "‹username›"]}"#
        )
        try check("/srv/b.json", #"{"headers": [["X-Api-Key", "«brokenword»"]], "x": [1,"#)
    }

    @Test("Notes: a login on a line of its own, keys and codes of the wireless network, cards")
    func notes() throws {
        try check(
            "/srv/acces.txt",
            """
            ‹iDRAC›
            root/«calvin77»
            Console: admin / «Hiver2026»
            chemin ‹etc/nginx2/conf.d›
            Clé wifi : «invité»
            PIN carte CPS : «4321»
            La clé USB est ‹dans le tiroir›.
            """)
    }
}
