/// What kind of secret stood in a place; says what somebody has to enter again.
public enum SecretClass: String, Sendable, CaseIterable {
    /// A password or passphrase that a person or program gives.
    case password
    /// The digest of a password: shadow, htpasswd, LDAP, Keycloak, GRUB.
    case passwordHash = "password-hash"
    /// A private key in PEM, OpenSSH, PGP, age or JWK form.
    case privateKey = "private-key"
    /// A symmetric key: WireGuard, TSIG, cookies, application keys, salts.
    case symmetricKey = "symmetric-key"
    /// A bearer or API token, session cookie, or JWT.
    case token
    /// Keys of a cloud's account: AWS, Azure, GCP.
    case cloudCredential = "cloud-credential"
    /// The user's part of a URL, or an address that is itself the permission (webhooks, signed URLs).
    case urlCredential = "url-credential"
    /// A community of SNMP, which is a password in clear.
    case community
    /// Ciphertext of Ansible vault, SOPS or systemd-creds: useless without its key, and not for everybody.
    case ciphertext
    /// A value of a key whose name says that it is secret, of no known form.
    case secret
    /// A value that looks random, where nothing says what it is.
    case unrecognised
    /// A whole file that holds keys and is not text: PKCS#12, JKS, keytab, KeePass.
    case keyStore = "key-store"
    /// A whole file of which nothing is understood, in a place or of a form that may hold secrets.
    case opaque
}
