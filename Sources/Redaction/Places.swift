extension FileKind {
    /// The table that a file of this name is; nil for most.
    static func table(_ name: String, ending: String, path: String) -> FileTable? {
        switch name {
        case "shadow", "gshadow", "passwd", "group", "master.passwd", "htpasswd", ".htpasswd",
            "htusers", "pool_passwd", "pcp.conf", "rsyncd.secrets", "shadow.org":
            return .accounts
        case "opasswd": return .oldAccounts
        case "smbpasswd": return .samba
        case ".pgpass", "pgpass", "pgpass.conf", "pgpass.txt": return .pgpass
        case "htdigest", ".htdigest", "passwd.client", ".pcppass": return .digest
        case "chap-secrets", "pap-secrets", "srp-entry", "l2tp-secrets": return .ppp
        case "passwd-s3fs", ".passwd-s3fs": return .lines
        case "pam_radius_auth.conf": return .userSecond
        case "server" where path.contains("raddb"): return .userSecond
        case "secrets" where path.contains("davfs2"): return .ppp
        case "ipsec.secrets": return .ipsec
        case "sasl_passwd", "sasl_password", "sasl_passwords", "smtp_auth", "relay_passwd",
            "relay_password":
            return .sasl
        case "realm.properties", "jetty-realm.properties", "users.properties",
            "mgmt-users.properties", "application-users.properties":
            return .realm
        case "ntp.keys", "chrony.keys", "authkeys": return .ntp
        case "keys" where path.contains("/ntp"): return .ntp
        case "auth" where path.contains("deluge"): return .accounts
        case "resource.cfg": return .macros
        case ".netrc", "_netrc", "netrc", ".authinfo": return .netrc
        case "users.oath": return .oath
        case "psk.txt": return .identities
        case "users" where path.contains("/rapi/"): return .userSecond
        case "hostapd.eap_user", "eap_user": return .ppp
        case "psw-file", "checkpsw", "hostapd.wpa_psk", "userlist.txt": return .userSecond
        case "token.cfg" where path.contains("/priv/"): return .userSecond
        default: break
        }
        if name == "users" || name == "passwd", path.contains("dovecot") { return .accounts }
        if name == "proxychains.conf" || name == "proxychains4.conf" { return .proxies }
        if name == "voicemail.conf" { return .mailboxes }
        if name == ".google_authenticator" { return .lines }
        if ending == "user", path.contains("lighttpd") { return .accounts }
        if path.contains("vsftpd") || path.contains("virtual_users"), ending == "txt" {
            return .alternating
        }
        if ["csv", "tsv", "txt", "tab", "dsv"].contains(ending) { return .columns }
        if path.contains("openvpn/"),
            ["txt", "conf", "auth", "login", "cred", "up"].contains(ending)
        {
            return .twoLines
        }
        if ending == "psk" { return .identities }
        if path.contains("/postfix/"), ["map", "txt"].contains(ending),
            name.hasPrefix("sasl_passw")
        {
            return .sasl
        }
        if name == "sasl_passwd.map" || name == "sasl_password.map" { return .sasl }
        if path.contains("/postfix/"), ending == name,
            ["sasl_", "cred", "relay_pass", "smtp_auth", "passw"].contains(where: name.contains)
        {
            return .sasl
        }
        if ending == "htdigest" { return .digest }
        if name.contains("htpasswd") || ending == "htpass" { return .accounts }
        if ending == "secrets", path.contains("ipsec") || path.contains("swan") { return .ipsec }
        if path.contains("/.subversion/auth/") { return .subversion }
        return nil
    }

    /// Whether the name or place says that the content is a secret, whatever it looks like.
    var isSecretByPlace: Bool {
        if isModuleStack || FileKind.tools.contains(where: path.contains) { return false }
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
        if FileKind.secretPlaces.contains(where: path.contains) { return true }
        // A file that is called db_password holds one, and so does what Compose mounts from a directory of secrets.
        guard ending == name || ending == "txt", table == nil || table == .columns else {
            return false
        }
        if path.contains("/secrets/") { return true }
        guard case .secret = KeyName(name.utf8).sensitivity else { return false }
        return true
    }

    /// Whether a line under any name is a secret: lists of passwords that people keep.
    var isListOfSecrets: Bool {
        ["password", "passwords", "passwd", "pass", "mdp", "motsdepasse", "unseal", "unseal-keys"]
            .contains {
                name == $0 && $0 != "passwd" || name == $0 + ".txt" || name == $0 + ".lst"
                    || name == $0 + ".list" || name == $0 + ".dat"
            }
            || name.hasSuffix("realm.properties")
            || [
                "users.properties", "mgmt-users.properties", "application-users.properties",
            ].contains(name)
    }

    /// Where files are named after the programs they are for.
    private static let tools: [String] = [
        "/apparmor.d/", "/apparmor/", "/bash_completion.d/", "/logrotate.d/", "/init.d/",
        "/alternatives/", "/etc/default/", "/bin/", "/sbin/",
        "/usr/share/", "/cron.daily/", "/usr/lib/",
    ]

    private static let secretEndings: Set<String> = [
        "key", "p12", "pfx", "jks", "jceks", "keystore", "truststore", "bks", "kdbx", "kdb",
        "keytab", "ppk", "sso", "psk", "pwd", "pass",
        "token", "secret", "tde", "agekey", "pvk", "p8", "pk8", "wallet", "keyfile", "stash",
        "luks", "passwd", "password", "cookie",
        "unseal", "htdigest", "enc", "pw", "keyring",
    ]
    private static let secretNames: Set<String> = [
        ".erlang.cookie", "erlang.cookie", "elasticsearch.keystore", "kibana.keystore",
        "logstash.keystore", "secrets.tdb", "passdb.tdb",
        "key3.db", "key4.db", "logins.json", "secring.gpg", "secret_key", "private_key", "password",
        "passwords", "passphrase",
        "keyfile", "vault.txt", "password.txt", "passwords.txt", "passwd.txt", "pass.txt",
        "passphrase.txt",
        "secret.txt",
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
        "dhcp6cctlkey", "dhcp6sctlkey", "pwdfile.txt", "pwdfile",
    ]
    private static let secretPlaces: [String] = [
        "/ssl/private/", "/pki/tls/private/", "/pki/private/", "/private-keys-v1.d/", "/credstore",
        "/cryptsetup-keys.d/", "/run/secrets/",
        "/var/run/secrets/", "/.vnc/passwd", "/letsencrypt/archive/", "/swanctl/private/",
        "/ipsec.d/private/", "/keys/private/",
        "/samba/private/", "/libvirt/secrets/", "/pve/priv/", "/ssl/keys/", "/.secrets/",
        "/etc/secrets/", "/etc/keys/", "/etc/luks/", "/.gnupg/openpgp-revocs.d/",
    ]
}
