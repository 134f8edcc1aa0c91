extension FileKind {
    /// The table that a file of this name is; nil for most.
    var table: FileTable? {
        switch name {
        case "shadow", "gshadow", "passwd", "group", "master.passwd", "htpasswd", ".htpasswd",
            "htusers", "shadow.org":
            return .accounts
        case "opasswd": return .oldAccounts
        case "smbpasswd": return .samba
        case ".pgpass", "pgpass", "pgpass.conf": return .pgpass
        case "htdigest", ".htdigest", "passwd.client": return .digest
        case "chap-secrets", "pap-secrets", "srp-entry": return .ppp
        case "ipsec.secrets": return .ipsec
        case "sasl_passwd", "sasl_password", "sasl_passwords", "smtp_auth", "relay_passwd",
            "relay_password":
            return .sasl
        case "ntp.keys", "chrony.keys": return .ntp
        case "resource.cfg": return .macros
        case ".netrc", "_netrc", "netrc", ".authinfo": return .netrc
        case "psw-file", "checkpsw": return .userSecond
        default: break
        }
        if ending == "htdigest" { return .digest }
        if name.contains("htpasswd") || ending == "htpass" { return .accounts }
        if ending == "secrets", path.contains("ipsec") || path.contains("swan") { return .ipsec }
        if path.contains("/.subversion/auth/") { return .subversion }
        return nil
    }

    /// Whether the name or place says that the content is a secret, whatever it looks like.
    var isSecretByPlace: Bool {
        if FileKind.secretEndings.contains(ending), name.contains(".") { return true }
        if FileKind.secretNames.contains(name) { return true }
        if name.hasPrefix("id_"), !name.hasSuffix(".pub"), !name.hasSuffix("-cert") {
            return ending != "pub"
        }
        if name.hasPrefix("ssh_host_"), name.hasSuffix("_key") { return true }
        if name.contains("vault") && (name.contains("pass") || name.contains("pwd")) { return true }
        if name.hasPrefix(".k5.") || name.hasPrefix("krb5cc_")
            || name.hasPrefix(".k5") && name.contains("stash")
        {
            return true
        }
        return FileKind.secretPlaces.contains { path.contains($0) }
    }

    private static let secretEndings: Set<String> = [
        "key", "p12", "pfx", "jks", "jceks", "keystore", "truststore", "bks", "kdbx", "kdb",
        "keytab", "ppk", "sso", "psk", "pwd", "pass",
        "token", "secret", "tde", "agekey", "pvk", "p8", "pk8", "wallet", "keyfile", "stash",
        "luks", "passwd", "password", "cookie",
        "unseal", "htdigest",
    ]
    private static let secretNames: Set<String> = [
        ".erlang.cookie", "erlang.cookie", "elasticsearch.keystore", "kibana.keystore",
        "logstash.keystore", "secrets.tdb", "passdb.tdb",
        "key3.db", "key4.db", "logins.json", "secring.gpg", "secret_key", "private_key", "password",
        "passwords", "passphrase",
        "password.txt", "passwords.txt", "passwd.txt", "pass.txt", "passphrase.txt", "secret.txt",
        "secrets.txt", "auth.txt", "login.txt",
        "credentials.txt", "up.txt", "auth-user-pass", "token", "token.txt", ".token", "secret",
        ".secret", ".vault-token", ".vault_pass",
        "random-seed", ".credentials", ".git-credentials", "credentials-config.json", "identity",
        "static.key", "ta.key", "tls-auth",
        "stashfile", ".mylogin.cnf", "sasldb2", "sam.ldb", "secrets.ldb", "secrets.keytab",
        "rootpw", "ldap.secret", "nslcd.secret",
        "libnss-ldap.secret", "pam_ldap.secret", "bacula.passwd", "psk", "tls.key", "unseal.txt",
        "unseal-keys", "keys.txt", ".passwd-s3fs",
        "passwd-s3fs", ".smbcredentials", "smbcredentials", ".dbshell", "debian.cnf.passwd",
    ]
    private static let secretPlaces: [String] = [
        "/ssl/private/", "/pki/tls/private/", "/pki/private/", "/private-keys-v1.d/", "/credstore",
        "/cryptsetup-keys.d/", "/run/secrets/",
        "/var/run/secrets/", "/.vnc/passwd", "/letsencrypt/archive/", "/swanctl/private/",
        "/ipsec.d/private/", "/keys/private/",
        "/samba/private/", "/ssl/keys/", "/.secrets/", "/etc/secrets/", "/.gnupg/openpgp-revocs.d/",
    ]
}
