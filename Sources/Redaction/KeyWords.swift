/// The vocabulary of names, in the languages our users' files are written in.
enum KeyWords {
    /// What a word makes of the name in which it stands.
    static func secretClass(of word: String) -> SecretClass? {
        if let known = exact[word] { return known }
        guard word.utf8.count <= 64, let last = word.utf8.last, lastLetters.contains(last) else {
            return nil
        }
        for (ending, secretClass) in endings where word.hasSuffix(ending) { return secretClass }
        if word.hasSuffix("pass") || word.hasSuffix("pw") {
            return otherPasses.contains(word) ? nil : .password
        }
        return nil
    }

    private static let exact: [String: SecretClass] = [
        "password": .password, "passwords": .password, "passwd": .password, "passwds": .password,
        "pass": .password, "pwd": .password, "pswd": .password, "pw": .password,
        "passphrase": .password,
        "passcode": .password, "passwort": .password, "kennwort": .password, "mdp": .password,
        "passe": .password, "contrasena": .password, "contraseña": .password,
        "wachtwoord": .password, "psk": .symmetricKey,
        "secret": .secret, "secrets": .secret, "secrete": .secret, "credential": .secret,
        "credentials": .secret, "cred": .secret, "creds": .secret,
        "token": .token, "tokens": .token, "jeton": .token, "bearer": .token,
        "authorization": .token, "requirepass": .password, "masterauth": .password,
        "wep": .symmetricKey, "apikeys": .token,
        "rocommunity": .community, "rwcommunity": .community, "rocommunity6": .community,
        "rwcommunity6": .community, "community": .community, "trapcommunity": .community,
        "totp": .symmetricKey, "hotp": .symmetricKey,
        "userpwd": .password, "userpass": .password, "htpasswd": .passwordHash,
        "mnemonic": .privateKey, "authtok": .password, "cleartext": .password,
        "cpassword": .password, "communaute": .community, "communauté": .community,
        "motpasse": .password, "mdpasse": .password, "hashedsaltedvalue": .passwordHash,
        "userpassword": .password, "unicodepwd": .password, "ntpassword": .passwordHash,
        "lmpassword": .passwordHash, "supplementalcredentials": .passwordHash,
    ]

    private static let endings: [(word: String, secretClass: SecretClass)] = [
        ("password", .password), ("passwd", .password), ("passwort", .password),
        ("passphrase", .password), ("passcode", .password), ("kennwort", .password),
        ("motdepasse", .password), ("motpasse", .password), ("secrets", .secret),
        ("pwd", .password), ("secret", .secret),
        ("apikey", .token), ("authtoken", .token), ("accesstoken", .token), ("token", .token),
        ("secretkey", .symmetricKey), ("privatekey", .privateKey), ("privkey", .privateKey),
        ("authkey", .symmetricKey), ("sharedkey", .symmetricKey), ("presharedkey", .symmetricKey),
        ("encryptionkey", .symmetricKey), ("accesskey", .cloudCredential),
        ("accountkey", .cloudCredential), ("signingkey", .symmetricKey),
        ("masterkey", .symmetricKey), ("snmpcommunity", .community), ("credentials", .secret),
    ]

    /// With what a word can end that is one of these: most do not.
    private static let lastLetters = Set(
        endings.compactMap { $0.word.utf8.last } + [UInt8(ascii: "s"), UInt8(ascii: "w")])

    /// Words that end like a password and are none.
    private static let otherPasses: Set<String> = [
        "bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass",
        "multipass", "firstpass", "singlepass",
        "onepass", "twopass", "lowpass", "highpass", "bandpass", "allpass", "prepass", "proxypass",
        "sslproxypass", "renderpass", "npass",
        "nopass", "fastcgipass", "uwsgipass", "scgipass", "grpcpass", "memcachedpass",
        "tryfirstpass", "usefirstpass", "useauthtokpass",
    ]

    /// Words about a secret that a name may begin with when the rest is written together.
    static let heads: [String] = [
        "passphrase", "password", "passwd", "secret", "token", "credential", "credentials",
    ]

    /// A name with one of these after the word for a secret is about it, and does not hold it.
    static let aspects: Set<String> = [
        "policy", "policies", "ttl", "expiry", "expires", "expire", "expiration", "lifetime",
        "length",
        "len", "min", "max", "minimum", "maximum", "file", "files", "path", "paths", "filename",
        "dir",
        "directory", "folder", "name", "names", "id", "ids", "type", "types", "format", "algorithm",
        "algorithms", "alg", "algo", "encoding", "url", "uri", "urls", "endpoint", "host", "port",
        "user", "username", "prompt", "attribute", "attr", "attrs", "field", "column", "header",
        "label",
        "help", "hint", "description", "title", "message", "rule", "rules", "regex", "regexp",
        "pattern", "enabled", "enable", "disabled", "required", "allowed", "change", "changed",
        "changes", "rotation", "rotate", "interval", "age", "days", "count", "retries", "attempts",
        "timeout", "size", "bits", "provider", "providers", "method", "methods", "mode", "helper",
        "reset", "ref", "refs", "reference", "scope", "scopes", "audience", "issuer", "strength",
        "scheme", "schemes", "cmd", "command", "env", "var", "variable", "plugin", "backend",
        "manager", "encryption", "authentication", "source", "version", "template", "page",
        "complexity", "history", "quality", "visible", "limit", "limits", "threshold", "cost",
        "rounds", "iterations", "checker", "warn", "prefix", "suffix", "separator", "delimiter",
        "usage", "location", "lookup", "store", "verification", "validation", "validator",
        "validators", "hashing", "expired", "sources", "status", "state", "lifespan", "renewable",
        "refresh", "grant", "exchange", "caching", "cache", "kind", "class", "date", "time",
        "minlength", "maxlength", "auth", "generation", "generator", "query", "filter", "objects",
        "update", "updated", "updatetime", "lastset", "lockout", "duration", "modify", "exop",
        "hashtype",
        "aging", "entry", "maps", "map", "table", "flags", "expression", "counter", "strategy",
        "stdin", "fd", "fds", "dialog", "eval", "phrasedialog", "reverse", "request", "through",
        "reqd", "label", "editable", "namespace", "annotations", "versions", "chat",
        "certificate", "certificates", "cert", "certs", "valid", "validity", "hasher", "hashers",
        "uuid", "mgmt",
    ]

    static let hashes: Set<String> = ["hash", "hashed", "hashes", "digest", "crypted", "encrypted"]

    /// Words before that for a secret which make of it a rule or a number.
    static let rules: Set<String> = [
        "no", "not", "require", "requires", "required", "use", "uses", "allow", "allows", "has",
        "is",
        "enable", "enabled", "disable", "disabled", "skip", "show", "hide", "max", "min", "minimum",
        "maximum", "force", "needs", "check", "permit", "permits", "ask", "deny", "with", "without",
        "empty", "number", "num", "total", "validate", "verify", "remember", "strip", "expire",
        "allowed", "ignore", "support", "supports", "manage", "can", "public",
        "automount", "max-", "prompt", "change", "invalid", "audit", "log", "feature", "condition",
        "assert", "load", "import", "existing", "update",
    ]

    static let plurals: Set<String> = [
        "secrets", "tokens", "creds", "cred", "apikeys",
    ]

    /// What makes of a `key` a secret one.
    static let keyQualifiers: [String: SecretClass] = [
        "private": .privateKey, "priv": .privateKey, "privee": .privateKey, "secret": .symmetricKey,
        "api": .token, "auth": .symmetricKey, "encryption": .symmetricKey, "encrypt": .symmetricKey,
        "crypt": .symmetricKey, "crypto": .symmetricKey, "cipher": .symmetricKey,
        "signing": .symmetricKey, "sign": .symmetricKey, "master": .symmetricKey,
        "shared": .symmetricKey, "session": .symmetricKey, "app": .symmetricKey,
        "application": .symmetricKey, "cookie": .symmetricKey, "account": .cloudCredential,
        "storage": .cloudCredential, "access": .cloudCredential, "hmac": .symmetricKey,
        "aes": .symmetricKey, "des": .symmetricKey, "jwt": .symmetricKey,
        "preshared": .symmetricKey,
        "subscription": .token, "service": .token, "license": .token, "licence": .token,
        "activation": .token, "tsig": .symmetricKey, "wep": .symmetricKey, "wpa": .symmetricKey,
        "unseal": .symmetricKey, "recovery": .symmetricKey, "integration": .token,
        "routing": .token, "deploy": .token, "ingest": .token, "write": .token, "admin": .token,
        "logged": .symmetricKey, "nonce": .symmetricKey, "secure": .symmetricKey,
        "vault": .symmetricKey, "client": .privateKey, "server": .privateKey, "tls": .privateKey,
        "ssl": .privateKey, "ssh": .privateKey, "pgp": .privateKey, "gpg": .privateKey,
        "dkim": .privateKey, "instrumentation": .token, "agent": .token, "webhook": .token,
        "user": .token, "rpc": .symmetricKey, "consumer": .token, "maps": .token, "erlang": .secret,
        "secrete": .symmetricKey, "rsa": .privateKey, "ec": .privateKey, "identity": .privateKey,
        "insert": .token, "sas": .cloudCredential, "kms": .symmetricKey, "content": .symmetricKey,
        "wg": .privateKey,
        "fernet": .symmetricKey, "chiffrement": .symmetricKey, "cryptage": .symmetricKey,
        "partagee": .symmetricKey, "partagée": .symmetricKey, "s3": .cloudCredential,
        "sensitive": .symmetricKey, "otp": .symmetricKey, "base": .symmetricKey,
        "hash": .symmetricKey,
        "wireless": .symmetricKey, "validation": .symmetricKey, "decryption": .symmetricKey,
    ]

    /// Names of structures in which a `key` is a secret one.
    static let keyHolders: Set<String> = [
        "jwt", "encryption", "encrypt", "crypt", "crypto", "cipher", "signing", "hmac", "aes",
        "secret",
        "api", "auth", "master", "private", "shared", "cookie", "tsig", "preshared", "license",
    ]

    /// What holds keys behind a PIN.
    static let tokenStores: Set<String> = [
        "pkcs11", "pkcs12", "p11", "p12", "softhsm", "hsm", "nss",
    ]

    static let publicKeys: Set<String> = [
        "public", "pub", "primary", "foreign", "sort", "partition", "map", "index", "unique",
        "cache",
        "row", "registry", "function", "hot", "publishable", "host", "authorized", "trusted",
        "known",
        "keyboard", "allowed", "signed",
    ]

    /// The last word of names whose value is a secret when it looks like one.
    static let shaped: Set<String> = [
        "salt", "sig", "signature", "seed", "cookie", "auth", "otp", "hash", "key", "pepper",
        "nonce",
        "otpauth", "webhook", "dsn", "sid",
    ]

    /// Whose `hash` is the name of a state: `commit_hash`.
    static let versioned: Set<String> = [
        "build", "commit", "git", "revision", "release", "source", "file", "content", "image",
    ]

    /// The last word of names whose value is public, however random it looks.
    static let open: Set<String> = [
        "sha", "sha1", "sha224", "sha256", "sha384", "sha512", "md5", "sum", "md5sum", "sha256sum",
        "sha512sum", "checksum", "checksums", "fingerprint", "fingerprints", "digest", "digests",
        "revision", "rev", "commit", "ref", "etag", "integrity", "uuid", "guid", "serial",
        "version",
        "cert", "certificate", "certificates", "crt", "ca", "cabundle", "cafile", "thumbprint",
        "modulus", "crc", "crc32", "blake2", "tree", "parent", "head", "image", "path", "file",
        "gid",
        "keygrip", "resolved", "shasum", "hpkp", "sri", "lineage", "id", "pubkey", "file_id",
    ]

    /// Names that stand beside a password and are none, where the place of a file says that it holds some.
    static let ordinary: Set<String> = [
        "user", "username", "login", "domain", "host", "hostname", "server", "url", "uri", "port",
        "name", "email", "description",
        "workgroup", "realm", "database", "dbname", "caps", "comment", "proc-type", "dek-info",
        "version", "type", "encryption", "date",
    ]

    static let openAnywhere: Set<String> = [
        "public", "pubkey", "certificate", "checksum", "fingerprint", "sha256", "sha512", "sha1",
        "md5", "pinning",
    ]
}
