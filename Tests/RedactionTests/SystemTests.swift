import Redaction
import Testing

@Suite("Values are found where systems and their administrators write them")
struct SystemTests {
    @Test("Passwords of commands, whatever they end with, in quotes and in lists")
    func commands() throws {
        try check(
            "/etc/cron.d/jobs",
            """
            0 1 * * * root mysqldump -u root -p«planetpw» ‹dpi› | gzip > /backup/x.gz
            0 2 * * * root mysql -uroot -p'«two words pwd»' ‹dpi›
            0 3 * * * root 7z a -p«sevenpass» ‹/a.7z› /data
            0 4 * * * root lftp -u ftp,«comma1» ‹ftp.example›
            0 5 * * * root sh -c 'mysqladmin -p«inquotes» ‹ping›'
            0 6 * * * root redis-cli -h ‹cache› AUTH «redisword»
            0 7 * * * root xfreerdp /u:adm /p:«remote1» /v:‹win1›
            0 8 * * * root plink -pw «plinkword» ‹host›
            0 9 * * * root expect -c 'send "«typed1»\\r"'
            0 9 * * * root net user bob «netword» ‹/add›
            """)
        try check(
            "/srv/compose.yml",
            """
            services:
              db:
                command: ["redis-server", "--requirepass", "«listed»", "--port", "‹6379›"]
                healthcheck: {test: ["CMD", "mysqladmin", "-p«sickword»", "‹ping›"]}
                script:
                  - 'mysql -p«pipeline» -e "‹select 1›"'
            """)
    }

    @Test("Switches, routers and firewalls")
    func devices() throws {
        try check(
            "/srv/tftp/sw1.cfg",
            """
            hostname ‹sw1›
            snmp-server host ‹10.0.0.1› version 2c «traphost»
            crypto isakmp key «tunnelword» address ‹192.0.2.4›
            radius server X
             key «radius-clear»
            interface ‹GigabitEthernet0/1›
             ip ospf message-digest-key 1 md5 «areaword»
             standby 1 authentication «hsrp»
            ntp authentication-key 1 ‹md5› «clockword»
            wpa-psk ascii 0 «wireless»
            key chain ‹OSPF›
            """)
        try check(
            "/srv/tftp/fw.cfg",
            """
            sysname ‹fw›
            local-user ‹admin› password irreversible-cipher «$1c$abc$defgh$»
            snmp-agent community read cipher «%^%#abcde%^%#»
            """)
        try check(
            "/srv/tftp/junos.conf",
            """
            snmp { community «junos» { authorization ‹read-only›; } }
            set system login user x authentication plain-text-password-value "«plain-junos»"
            """)
    }

    @Test("Tables that name their columns, and files of two lines")
    func tables() throws {
        try check(
            "/srv/accounts.csv", "login,password,service\n‹house›,«lupus»,‹Diagnostics›\n")
        try check("/etc/xl2tpd/l2tp-secrets", "‹*›\t*\t«tunnel1»\n")
        try check("/etc/davfs2/secrets", "‹https://dav.example/› user \"«dav quoted»\"\n")
        try check("/etc/raddb/server", "‹radius.example:1812›\t«shared1»\t‹3›\n")
        try check("/etc/lighttpd/plain.user", "bob:«plain-user»\n")
        try check("/etc/activemq/jetty-realm.properties", "admin: «jettyword», admin\n")
        try check("/etc/pam.d/x", "auth required ‹pam_mysql.so› user=a passwd=«stage1» ‹host=db›\n")
        try check("/srv/accounts.tsv", "user\tpassword\n‹house›\t«lupus, never»\n")
        try check("/srv/list.csv", "name,city\n‹house›,‹Princeton›\n")
        try check("/etc/openvpn/login.conf", "‹jdoe›\n«vpnword»\n")
        try check("/etc/vsftpd/virtual_users.txt", "‹a›\n«one»\n‹b›\n«two»\n")
        try check("/etc/dovecot/users", "paul:«plainword»:1002:1002::/home/paul\n")
        try check(
            "/etc/proxychains.conf", "socks5 ‹10.0.0.1› 1080 user «chained»\n")
        try check("/etc/asterisk/voicemail.conf", "100 => «8472»,‹Reception›,a@example\n")
    }

    @Test("Names of several words, of other languages, and with other marks")
    func names() throws {
        try check(
            "/etc/motd", "‹Bienvenue›. Le mot de passe du wifi invité est : «bienvenue2024»\n")
        try check(
            "/etc/app.conf",
            """
            LOGIN_PASSWORD:=«assigned»
            contraseña = «espanol»
            hash_salt = «some words»
            pkcs12_pin=«letters»
            certificat.p12.code=«codeword»
            CodePorteur=«4711»
            PinCode = «0042»
            passwordsalt = «saltword»
            PSWD_BASE = «baseword»
            fstab_options = user=svc%«percent»,domain=‹CHU›
            smtp_sasl_password_maps = static:relay:«relayword»
            passwd chat = ‹*Enter\\snew\\s*\\spassword:*›
            jwt.credential.certificate = ‹MIIBcert›
            password = $__file{‹/etc/secrets/smtp›}
            """)
        try check(
            "/etc/app.properties", "jasypt.encryptor.password   «with blanks»\nport ‹8080›\n")
        try check("/etc/rclone.conf", "[ovh]\ntype = ‹swift›\nkey = «objectkey1»\n")
        try check(
            "/etc/redis/sentinel.conf", "sentinel auth-pass ‹mymaster› «sentinelword»\n")
        try check("/etc/monit/monitrc", "set httpd port ‹2812› allow admin:«monitword»\n")
        try check(
            "/etc/snmp/snmpd.conf", "com2sec -Cn ctx ‹sec2› 10.0.0.0/8 «context1»\n")
    }

    @Test("Code: split texts, tuples, here documents, SQL without quotes, SecureString")
    func code() throws {
        try check(
            "/srv/settings.py",
            """
            password = ("«first part»"
                        "«second part»")
            requests.get("‹https://api.example›", auth=("svc", "«tuple»"))
            """)
        try check(
            "/srv/prod.tfvars", "motd = <<EOT\npassword: «document»\nEOT\nregion = \"‹fr-par›\"\n")
        try check(
            "/srv/users.sql",
            """
            CONNECT sys/«sysword» AS ‹SYSDBA›
            CREATE USER dpi IDENTIFIED BY «tiger» DEFAULT TABLESPACE ‹users›;
            """)
        try check(
            "/srv/x.ps1", "ConvertTo-SecureString -String '«secure»' -AsPlainText ‹-Force›\n")
    }

    @Test("SQL Server, factories, links, histories with escapes, lists in JSON")
    func more() throws {
        try check(
            "/srv/link.sql",
            """
            CREATE LOGIN a WITH PASSWORD = N'«nationalword»';
            EXEC sp_addlogin '‹bob›', '«addedword»';
            CREATE SUBSCRIPTION s CONNECTION 'host=‹db› password=«subword»' PUBLICATION p;
            """)
        try check(
            "/srv/channel.xml",
            "<script>DatabaseConnectionFactory.createDatabaseConnection('x','‹jdbc:mysql://db/x›','user','«fourthword»');</script>\n"
        )
        try check(
            "/root/.mysql_history",
            "GRANT\\040ALL\\040TO\\040'‹a›'\\040IDENTIFIED\\040BY\\040'«oldword»';\n")
        try check(
            "/srv/inspect.json",
            #"{"Test":["CMD","curl","-u","u:«healthword»","‹http://localhost/›"],"Port":‹80›}"#)
        try check("/root/.zsh_history", ": 1700000000:0;mysql -p«zshword» ‹dpi›\n")
        try check("/srv/notes.txt", "Problems identified by ‹valgrind› were fixed.\n")
    }

    @Test("YAML: names behind question marks, lists of users for cloud-init")
    func yaml() throws {
        try check("/etc/a.yaml", "? apiKey\n: «questioned-9»\nport: ‹80›\n")
        try check(
            "/etc/cloud/user-data",
            """
            #cloud-config
            chpasswd:
              list: |
                ‹root›:«rootword»
                ‹bob›:«bobword»
              expire: ‹false›
            """)
    }
}
