"""A tree of configuration files as a hospital's servers hold them, with planted secrets and decoys.

In a text, «…» marks a secret: no byte of it may stay. ‹…› marks what must stay readable. The marks are taken out
before a file is written. `{{b64:…}}` is replaced by the base64 of what it holds, inside out. Secrets are made up by
`word(N)`: random, always the same for a number; weak ones such as hunter2 are written out with a number, so that each
can be looked for in the whole archive.
"""
import base64
import random
import re
import string

LETTERS = string.ascii_letters + string.digits


def word(seed, length=24, letters=LETTERS):
    chance = random.Random(f"secret {seed}")
    return "".join(chance.choice(letters) for _ in range(length))


def hexes(seed, length=64):
    return word(seed, length, "0123456789abcdef")


def b64(seed, length=32):
    return base64.b64encode(random.Random(f"secret {seed}").randbytes(length)).decode()


def pem(label, seed, lines=6, indent="", end=True):
    """A private key; each line of it is a secret of its own, since half a key is a key."""
    body = "\n".join(indent + "«" + b64(f"{seed} {n}", 48) + "»" for n in range(lines))
    tail = f"\n{indent}-----END {label}-----" if end else ""
    return f"-----BEGIN {label}-----\n{body}{tail}\n"


def one_line(label, seed, lines=4):
    body = "\\n".join("«" + b64(f"{seed} {n}", 48) + "»" for n in range(lines))
    return f"-----BEGIN {label}-----\\n{body}\\n-----END {label}-----\\n"


CERT = ("-----BEGIN CERTIFICATE-----\n" + "\n".join("‹" + b64(f"cert {n}", 48) + "›" for n in range(5))
        + "\n-----END CERTIFICATE-----\n")
JWT = ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + base64.urlsafe_b64encode(b'{"sub":"1234567890","name":"x"}').decode().rstrip("=")
       + "." + word("jwt", 43))
SHA = hexes("commit", 40)

FILES = {}


def add(path, text):
    assert path not in FILES, path
    FILES[path] = text


# ---- keys
for label in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"):
    slug = label.lower().replace(" ", "-")
    add(f"etc/ssl/keys-of-test/{slug}.pem", pem(label, slug) + CERT)
add("etc/ssl/private/both.pem", CERT + pem("PRIVATE KEY", "both") + CERT)
add("etc/ssl/private/headers.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,«" + hexes("iv", 32).upper()
    + "»\n\n«" + b64("dek", 48) + "»\n-----END RSA PRIVATE KEY-----\n")
add("etc/ssl/private/cut.key", pem("RSA PRIVATE KEY", "cut", end=False))
add("etc/ssl/private/raw.key", "«" + b64("raw key", 32) + "»\n")
add("etc/ssl/private/crlf.key", pem("PRIVATE KEY", "crlf").replace("\n", "\r\n"))
add("etc/ssl/certs/site.crt", CERT)
add("etc/ssl/public.pem", "-----BEGIN PUBLIC KEY-----\n‹" + b64("pub", 48) + "›\n-----END PUBLIC KEY-----\n")
add("etc/openvpn/ta.key", "# 2048 bit key\n" + pem("OpenVPN Static key V1", "ta").replace("«", "«"))
add("etc/openvpn/client.ovpn", "client\nremote ‹vpn.ch-valmont.example› 1194\nauth-user-pass /etc/openvpn/up.txt\n<ca>\n" + CERT + "</ca>\n<key>\n"
    + pem("PRIVATE KEY", "ovpn") + "</key>\n<tls-auth>\n" + pem("OpenVPN Static key V1", "ovpn-ta") + "</tls-auth>\n<auth-user-pass>\nvpnuser\n«"
    + word("ovpn-pass", 14) + "»\n</auth-user-pass>\n")
add("etc/openvpn/up.txt", "jdupont\n«hunter2-ovpn»\n")
add("root/.ssh/id_ed25519", pem("OPENSSH PRIVATE KEY", "id"))
add("root/.ssh/id_ed25519.pub", "ssh-ed25519 ‹AAAAC3NzaC1lZDI1NTE5AAAAI" + b64("sshpub", 30) + "› root@srv\n")
add("root/.ssh/authorized_keys", 'from="10.0.0.0/8" ssh-rsa ‹AAAAB3NzaC1yc2E' + b64("auth", 90) + "› backup@srv\n")
add("root/.ssh/known_hosts", "|1|‹" + b64("kh1", 20) + "›|‹" + b64("kh2", 20) + "› ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + b64("kh", 30) + "\n")
add("root/.ssh/config", "Host bastion\n  IdentityFile ‹~/.ssh/id_ed25519›\n  PasswordAuthentication ‹no›\n  User ‹deploy›\n")
add("etc/ssh/sshd_config", "#PasswordAuthentication ‹yes›\nPermitEmptyPasswords ‹no›\nHostKey ‹/etc/ssh/ssh_host_ed25519_key›\n"
    "KbdInteractiveAuthentication ‹no›\nChallengeResponseAuthentication ‹no›\n")
add("etc/age/keys.txt", "# created: 2026-01-01T00:00:00Z\n# public key: ‹age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p›\n«AGE-SECRET-KEY-1"
    + word("age", 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L") + "»\n")
add("root/putty.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ‹admin›\nPublic-Lines: 2\nAAAAC3NzaC1lZDI1NTE5AAAAI"
    + b64("ppkpub", 30) + "\nPrivate-Lines: 1\n«" + b64("ppk", 36) + "»\nPrivate-MAC: " + hexes("mac", 64) + "\n")
add("root/secret.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n«" + b64("pgp", 48) + "»\n=«" + word("crc", 12) + "»\n-----END PGP PRIVATE KEY BLOCK-----\n")
add("etc/apt/keyrings/repo.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n‹" + b64("pgppub", 48) + "›\n-----END PGP PUBLIC KEY BLOCK-----\n")
add("etc/app/embedded.yaml", "tls:\n  crt: |\n" + "".join("    " + l + "\n" for l in CERT.strip().split("\n")) + "  key: |\n    "
    + pem("PRIVATE KEY", "embedded", indent="    ") + "other: ‹value›\n")
add("etc/app/embedded.json", '{"tls": {"key": "' + one_line("RSA PRIVATE KEY", "json-pem") + '", "name": "‹portal›"}}\n')
add("etc/app/embedded.env", 'export TLS_KEY="' + one_line("PRIVATE KEY", "env-pem") + '"\nTLS_NAME=‹portal›\n')
add("etc/app/gcp.json", '{"type": "‹service_account›", "project_id": "‹dpi-prod›", "private_key_id": "' + hexes("pkid", 40) + '",\n "private_key": "'
    + one_line("PRIVATE KEY", "gcp") + '", "client_email": "‹x@dpi-prod.iam.gserviceaccount.com›", "token_uri": "‹https://oauth2.googleapis.com/token›"}\n')
add("etc/app/jwk.json", '{"keys": [{"kty": "RSA", "kid": "‹main›", "n": "' + b64("n", 60) + '", "e": "AQAB", "d": "«' + word("jwk-d", 80)
    + '»", "p": "«' + word("jwk-p", 40) + '»"}]}\n')

# ---- accounts
add("etc/shadow", "root:«$6$" + word("salt", 16) + "$" + word("shadow", 86) + "»:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"
    "old:«" + word("des", 13) + "»:1:0:99999:7:::\nlocked:!«$y$j9T$" + word("ysalt", 22) + "$" + word("yhash", 43) + "»:19000:0:99999:7:::\n‹www-data›:!:19000::::::\n")
add("etc/shadow-", "root:«$1$" + word("s1", 8) + "$" + word("h1", 22) + "»:19000:0:99999:7:::\n")
add("etc/gshadow", "root:*::\nadm:«$6$abc$" + word("gsh", 60) + "»:‹syslog›,x\n")
add("etc/passwd", "root:x:0:0:root:/root:‹/bin/bash›\nlegacy:«" + word("pwdes", 13) + "»:1001:1001::/home/legacy:/bin/sh\n")
add("etc/group", "shadow:x:‹42›:\n‹docker›:x:998:jean\n")
add("etc/security/opasswd", "jean:1000:2:«$6$aa$" + word("op1", 40) + "»,«$6$bb$" + word("op2", 40) + "»\n")
add("etc/nginx/.htpasswd", "‹nagios›:«$apr1$" + word("apr", 8) + "$" + word("aprh", 22) + "»\njean:«{SHA}" + b64("sha", 20) + "»\ndes:«" + word("htdes", 13) + "»\n#off:«$2y$05$"
    + word("bcr", 53) + "»\n")
add("etc/apache2/users.htdigest", "jean:‹Intranet›:«" + hexes("htd", 32) + "»\n")
add("etc/nginx/htpasswd.users", "admin:«$2b$12$" + word("bc2", 53) + "»\n")
add("etc/samba/smbpasswd", "jean:1000:«" + hexes("lm", 32).upper() + "»:«" + hexes("nt", 32).upper() + "»:[U          ]:LCT-5F000000:\n")
add("etc/dovecot/users", "‹jean@ch.example›:«{PLAIN}hunter2-dovecot»:1000:1000::/home/jean::\npaul:«{SSHA512}" + b64("dov", 68) + "»:1001:1001::/home/paul\n")
add("root/.pgpass", "# host:port:db:user:password\n‹db.ch.example›:5432:*:exeat:«hunter2-pgpass»\nlocalhost:5432:a:b:«p\\:with\\:colon-" + word("pgp2", 8) + "»\n")
add("root/.my.cnf", "[client]\nuser = ‹root›\npassword = «hunter2-mycnf»\nhost=‹db1.example›\n[mysqldump]\npassword=\"«with spaces " + word("mycnf", 10) + "»\"\n#password=«hunter2-mycnf-old»\n")
add("etc/mysql/debian.cnf", "[client]\nhost     = ‹localhost›\nuser     = debian-sys-maint\npassword = «" + word("dsm", 16) + "»\nsocket   = ‹/var/run/mysqld/mysqld.sock›\n")
add("root/.netrc", "machine ‹ftp.example.com› login ‹anon› password «hunter2-netrc»\nmachine b\n  login x\n  password «" + word("netrc", 9) + "»\ndefault login anonymous password «guest-netrc»\n")
add("root/.pg_service.conf", "[dpi]\nhost=‹db.ch.example›\nuser=exeat\npassword=«hunter2-pgservice»\n")
add("etc/ppp/chap-secrets", "# client server secret IP\n‹jean›  *  \"«hunter2 chap»\"  10.0.0.1\npaul pptpd «hunter2-chap2» *\n")
add("etc/ipsec.secrets", ": PSK \"«hunter2-ipsec»\"\n‹10.1.1.1› ‹vpn.example› : PSK \"«" + word("psk", 20) + "»\"\njean : EAP \"«hunter2-eap»\"\n: RSA ‹host.key› \"«hunter2-rsa-pass»\"\n")
add("etc/chrony/chrony.keys", "1 MD5 «hunter2-chrony»\n2 SHA1 HEX:«" + hexes("chrony", 40) + "»\n")
add("etc/postfix/sasl_passwd", "‹[smtp.example.com]:587› jean:«hunter2-sasl»\n")
add("etc/exim4/passwd.client", "‹mail.example›:jean:«hunter2-exim»\n")
add("etc/ldap.secret", "«hunter2-ldapsecret»\n")
add("var/lib/rabbitmq/.erlang.cookie", "«" + word("cookie", 20, string.ascii_uppercase) + "»")
add("root/.vault_pass", "«hunter2-vaultpass»\n")
add("root/.vault-token", "«hvs." + word("hvs", 90) + "»\n")

# ---- key = value
add("opt/app/.env", "APP_ENV=‹production›\nDB_PASSWORD=«hunter2-env»\nexport API_KEY='«" + word("env-api") + "»'\nDB_URL=mysql://‹app›:«hunter2%40env»@‹db.example›/dpi\n"
    "SECRET_KEY_BASE=«" + hexes("skb", 128) + "»\nEMPTY_PASSWORD=\nPASSWORD_FILE=‹/run/secrets/db›\nREF_PASSWORD=‹${VAULT_DB_PASSWORD}›\nDEFAULTED_PASSWORD=${X:-«hunter2-default»}\n"
    "MULTI_SECRET=\"«first-" + word("ml1", 8) + "»\n«second-" + word("ml2", 8) + "»\"\n# OLD_PASSWORD=«hunter2-env-old»\nLOG_LEVEL=‹debug›\nSESSION_SECRET=«s3ss10n!-" + word("ss", 6) + "» # ‹rotate yearly›\n"
    "MAIL_PASSWORD=\"«a#b c'd-" + word("mp", 6) + "»\"\nAWS_ACCESS_KEY_ID=«AKIA" + word("akia", 16, string.ascii_uppercase + string.digits) + "»\nAWS_SECRET_ACCESS_KEY=«" + b64("aws", 30) + "»\n")
add("etc/app/app.ini", "[database]\nhost = ‹db.example.com›\nport = ‹5432›\nuser = ‹app›\npassword = «hunter2-ini»\n; password = «hunter2-ini-old»\npassword_policy = ‹strict›\npassword_min_length = ‹12›\n"
    "token_ttl: ‹3600›\n[smtp]\npass: «hunter2-ini-colon»\nsecret_key=«" + word("ini-sk") + "»\nbind_password = \"«with ; semicolon " + word("ini2", 6) + "»\"\n"
    "admin-pwd=«hunter2 with spaces and é»\nuuid = ‹123e4567-e89b-12d3-a456-426614174000›\nrevision = ‹" + SHA + "›\nchecksum = ‹sha256:" + hexes("sum") + "›\n")
add("etc/grafana/grafana.ini", "[security]\nadmin_user = ‹admin›\nadmin_password = «hunter2-grafana»\nsecret_key = «SW2Y" + word("graf", 16) + "»\n;disable_gravatar = ‹false›\n[database]\npassword = \"\"\"«#hunter2;grafana»\"\"\"\n"
    "url = mysql://grafana:«hunter2-grafana-url»@‹db›:3306/grafana\n[auth.ldap]\nenabled = ‹true›\n[auth.generic_oauth]\nclient_id = ‹grafana›\nclient_secret = «" + word("goauth") + "»\ntoken_url = ‹https://sso.example.com/token›\n")
add("etc/app/app.properties", "spring.datasource.url=‹jdbc:postgresql://db.example:5432/dpi›\nspring.datasource.password=«hunter2-props»\nspring.ldap.password : «hunter2-props2»\n"
    "jdbc.url=jdbc:mysql://db/x?user=app&password=«hunter2-jdbc»&useSSL=‹true›\noracle.url=jdbc:oracle:thin:app/«hunter2-thin»@‹//db:1521/ORCL›\nserver.ssl.key-store-password=«" + word("ks", 12)
    + "»\n! keystore.pass=«hunter2-props-old»\nkeycloak.credentials.secret=«" + word("kc-cred", 36) + "»\npassword.reset.url=‹https://example.com/reset›\n")
add("etc/app/app.toml", "title = \"‹portal›\"\n[db]\npassword = '«hunter2-toml»'\nport = ‹5432›\nmulti = \"\"\"‹hello›\nworld\"\"\"\nsecret = \"\"\"\n«hunter2-toml-multi»\"\"\"\npin = «482913»\n"
    "dsn = \"postgres://app:«hunter2-toml-url»@‹db›/x\"\n[auth]\ntoken = { value = \"«" + word("toml-inline") + "»\", ttl = ‹3600› }\napi_keys = [ \"«" + word("tk1") + "»\", \"«" + word("tk2") + "»\" ]\n")
add("etc/app/config.php", "<?php\n$db_password = '«hunter2-php»';\ndefine('DB_PASSWORD', '«hunter2-define»');\ndefine( \"AUTH_KEY\", \"«" + "x`~ P4;R|" + word("wpkey", 30) + "»\" );\n"
    "$config['db']['password'] = \"«hunter2-php-array»\";\nreturn [\n  'host' => '‹localhost›',\n  'password' => '«hunter2-arrow»',\n  \"secret\" => \"«it\\'s-" + word("phpq", 8) + "»\",\n  'debug' => ‹false›,\n  'password' => env('DB_PASSWORD', '«hunter2-env-default»'),\n];\n"
    "// $old_password = '«hunter2-php-comment»';\n/* 'passwd' => '«hunter2-php-block»' */\n$sql_pass = <<<EOT\n«hunter2-heredoc»\nEOT;\n$passwordField = ‹$_POST›['password'];\n$user = '‹root›';\n"
    "$m = new mysqli('localhost', 'root', '«hunter2-mysqli»', 'dpi');\n$pdo = new PDO('mysql:host=‹db›;dbname=dpi', 'app', '«hunter2-pdo»');\n")
add("srv/www/wp-config.php", "<?php\ndefine('DB_NAME', '‹wordpress›');\ndefine('DB_PASSWORD','«hunter2-wp»');\ndefine('NONCE_SALT', '«" + word("wpsalt", 64) + "»');\n$table_prefix = '‹wp_›';\n")
