import Basics
import Redaction
import Testing

@Suite("Secrets are found by their form, wherever they stand")
struct FormTests {
    private let line = "MIIEpAIBAAKCAQEAx8J1N3Jk2VbGq0fTgQ7rZ5o1p4sWmXy9cLhDkEaUvBnRtYiO"

    @Test("Private keys: in lines, indented, in one line, cut off; certificates stay")
    func privateKeys() throws {
        let key =
            "-----BEGIN RSA PRIVATE KEY-----\n«\(line)»\n«\(line.reversed().map(String.init).joined())»\n-----END RSA PRIVATE KEY-----\n"
        let text = try check(
            "/etc/ssl/a.pem",
            key + "-----BEGIN CERTIFICATE-----\n‹\(line.lowercased())›\n-----END CERTIFICATE-----\n"
        )
        #expect(
            text.hasPrefix(
                "-----BEGIN RSA PRIVATE KEY-----\nEXEAT-REDACTED-private-key\n-----END RSA PRIVATE KEY-----\n"
            ))
        try check(
            "/etc/a.json",
            #"{"key": "-----BEGIN PRIVATE KEY-----\n«\#(line)»\n-----END PRIVATE KEY-----\n", "host": "‹h›"}"#
        )
        try check("/etc/a.key", "-----BEGIN PRIVATE KEY-----\n«\(line)»\n«\(line)»\n")
        try check(
            "/etc/a.conf",
            "x = ‹y›\nkey: -----BEGIN PRIVATE KEY----- «\(line)» -----END PRIVATE KEY-----\nz = ‹w›\n"
        )
    }

    @Test("Tokens of known makers, JWT, webhooks")
    func tokens() throws {
        try check(
            "/etc/notes.conf",
            """
            use «ghp_abcdefghij0123456789ABCDEFGHIJ012345» or «glpat-abcDEF123456ghiJKL78»
            key «AKIAABCDEFGHIJKLMNOP» is ours
            «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnopqrstuvwxyz012345»
            https://hooks.slack.com/services/«T00000000/B00000000/XXXXabcdXXXX1234XXXX5678»
            revision ‹3d1219c7c4c5404aaa1f6d2a48adfda43d1219c7› of ‹123e4567-e89b-12d3-a456-426614174000›
            """)
    }

    @Test("Addresses: the password of any scheme, encoded or not; hosts and plain addresses stay")
    func addresses() throws {
        try check(
            "/etc/urls.conf",
            """
            a postgres://‹app›:«hunter2»@‹db.example:5432›/dpi
            b ftp://jean:«p%40ss%2F»@‹ftp.example›/
            c amqps://u:«p@ss/1»@‹mq›:5671
            d ‹https://www.example.com/a@b?x=1›
            e ‹https://user@example.com/›
            f ‹http://host:8080/path›
            """)
    }

    @Test("What lies within base64, and within that")
    func encoded() throws {
        let inner = Base64.encode(Array("db:\n  password: hunter2-in-base64\n".utf8))
        let twice = Base64.encode(Array("{\"data\": \"\(inner)\"}".utf8))
        try check("/etc/a.conf", "blob = «\(inner)»\nouter = «\(twice)»\n")
    }

    @Test("Random words under any name; names, digests and public keys stay")
    func random() throws {
        try check(
            "/etc/a.ini",
            """
            setting = «kR9vLq2XnB7tWm4ZsD8yHc3F»
            value = «1c38d081664c7d650b2feaa0c33ad015b4bf4f2e»
            checksum = ‹9f86d081884c7d659a2feaa0c55ad015a3bf4f1b›
            PublicKey = ‹xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=›
            module = ‹org.apache.catalina.startup.HomesUserDatabase›
            image = ‹registry.example/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08›
            """)
    }

    @Test("A secret is taken wherever it is repeated")
    func repeated() throws {
        try check(
            "/etc/a.conf",
            "password = «Zk81-vault-77»\n# ask jean whether «Zk81-vault-77» is still right\nhost = ‹h›\n"
        )
    }

    @Test("Files that are secrets as a whole")
    func opaque() throws {
        let redactor = try redactor()
        let cases: [(String, [UInt8])] = [
            ("/etc/krb5.keytab", [5, 2, 0, 0, 0, 60, 0, 1]),
            ("/etc/a.jks", [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]),
            ("/srv/db.kdbx", [0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5]),
            ("/var/lib/samba/secrets.tdb", Array("TDB file\n\0\0".utf8)),
            ("/etc/unknown.bin", [0, 1, 2, 3, 4, 0xff, 0xfe, 9]),
            ("/etc/ssl/private/raw.key", Array("kR9vLq2XnB7tWm4ZsD8yHc3F\n".utf8)),
            ("/root/id_rsa", Array("something nobody understands\n".utf8)),
            ("/etc/app/db_password", Array("hunter2\n".utf8)),
        ]
        for (path, content) in cases {
            let result = redactor.redact(path: Array(path.utf8), content: content)
            #expect(result.isOpaqueSecret || Placeholder.isPlaceholder(result.content), "\(path)")
            #expect(Placeholder.isPlaceholder(result.content), "\(path)")
            #expect(result.findings.count == 1, "\(path)")
            let again = redactor.redact(path: Array(path.utf8), content: result.content)
            #expect(!again.isChanged && again.findings.isEmpty, "\(path)")
        }
        for (path, text) in [
            ("/root/.ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc root@h\n"),
            ("/etc/ssl/private/README", "Keys live here.\n"),
        ] {
            #expect(
                !redactor.redact(path: Array(path.utf8), content: Array(text.utf8)).isChanged,
                "\(path)")
        }
    }
}
