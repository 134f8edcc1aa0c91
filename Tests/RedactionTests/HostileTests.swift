import Redaction
import Testing

@Suite("Content that nobody made by hand")
struct HostileTests {
    /// A generator that gives the same numbers for a seed (SplitMix64).
    struct Chance: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    private static let seeds: [(String, String)] = [
        (
            "/a.json",
            #"{"a": {"password": "hunter2", "n": [1, {"token": "x\n\"y"}]}, "s": "a=b&password=c"}"#
        ),
        (
            "/a.yaml",
            "a:\n  password: \"x\"\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    QUJD\n  - {b: c, secret: 'd'}\n---\nkind: Secret\ndata:\n  x: eA==\n"
        ),
        (
            "/a.xml",
            "<a><b password=\"x\" c='d'/><!-- password=y --><password><![CDATA[z]]></password>&lt;k&gt;</a>"
        ),
        ("/a.ini", "[users]\na = b\npassword = \"c # d\" ; e\n# secret: f\nurl = ftp://u:p@h/\n"),
        (
            "/a.php",
            "<?php define('PASSWORD', 'a'); $b = <<<E\nc\nE;\n'x' => \"y\", new PDO('a', 'b', 'c');\n"
        ),
        ("/a.tf", "variable \"password\" {\n default = \"x\"\n}\nsecret = <<EOF\ny\nEOF\n"),
        (
            "/.bash_history",
            "mysql -pA b; curl -u a:b c; X='y z' PASSWORD=\"q\" w\necho a | chpasswd <<< b:c\n"
        ),
        ("/etc/shadow", "root:$6$a$b:1::\nx:!:\n:::\n"),
        ("/root/.netrc", "machine a login b password c\n"),
        ("/etc/ipsec.secrets", ": PSK \"a\"\nb : EAP c\n: RSA\n"),
        ("/x", "\u{1F512}password\u{e9}=\u{0}\u{1}EXEAT-REDACTED-password-"),
    ]

    @Test("Damaged files of all formats: no crash, and the outcome is stable", arguments: 0..<8)
    func damaged(part: Int) throws {
        var chance = Chance(state: UInt64(20_261_127 + part))
        let omit = try redactor()
        let marks: [UInt8] = Array("\"'`\\{}[]()<>=:;,#-|&!$%@/ \n\r\t".utf8) + [0, 0x80, 0xff]
        for _ in 0..<25 {
            for (path, text) in HostileTests.seeds {
                var bytes = Array(text.utf8)
                for _ in 0..<Int.random(in: 1...6, using: &chance) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &chance)
                    switch Int.random(in: 0..<5, using: &chance) {
                    case 0: bytes.remove(at: place)
                    case 1:
                        bytes.insert(
                            marks[Int.random(in: 0..<marks.count, using: &chance)], at: place)
                    case 2: bytes = Array(bytes.prefix(place))
                    case 3: bytes[place] = UInt8.random(in: 0...255, using: &chance)
                    default:
                        let end = Int.random(in: place...bytes.count, using: &chance)
                        bytes += bytes[place..<end]
                    }
                }
                let once = omit.redact(path: Array(path.utf8), content: bytes)
                let twice = omit.redact(path: Array(path.utf8), content: once.content)
                #expect(
                    twice.content == once.content,
                    "\(path): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    @Test("UTF-16, byte-order marks, CRLF and Latin-1 come back as they were")
    func encodings() throws {
        let omit = try redactor()
        let text = "password=hunter2\r\nhost=db\r\n"
        var little: [UInt8] = [0xff, 0xfe]
        var big: [UInt8] = [0xfe, 0xff]
        for unit in text.utf16 {
            little += [UInt8(unit & 255), UInt8(unit >> 8)]
            big += [UInt8(unit >> 8), UInt8(unit & 255)]
        }
        for wide in [little, big, Array(little.dropFirst(2))] {
            let result = omit.redact(path: Array("/a.reg".utf8), content: wide)
            #expect(result.findings.count == 1 && result.content.prefix(2) == wide.prefix(2))
            #expect(!result.isOpaqueSecret && result.content.count > wide.count)
            #expect(result.content.suffix(8) == wide.suffix(8))
        }
        let crlf = omit.redact(path: Array("/a.ini".utf8), content: Array(text.utf8))
        #expect(
            String(decoding: crlf.content, as: UTF8.self)
                == "password=EXEAT-REDACTED-password\r\nhost=db\r\n")
        let latin = omit.redact(
            path: Array("/a.ini".utf8),
            content: Array("# r".utf8) + [0xe9] + Array("glage\npassword=h".utf8) + [0xe9, 0x0a])
        #expect(
            latin.content == Array("# r".utf8) + [0xe9]
                + Array("glage\npassword=EXEAT-REDACTED-password\n".utf8))
    }

    @Test("Time grows with the length, whatever is repeated")
    func linear() throws {
        let omit = try redactor()
        let pieces = [
            "a=", "'\\'", "\\'", "a=\"\\", "://", "-----BEGIN PRIVATE KEY-----", "{\"a\":", "[",
            "<a>",
            "<!--", "password=", "-p x ", "a: |\n ", "$6$", "`(", "name: x, ",
            "$ANSIBLE_VAULT;", "${", "x,'y',", "<<EOF\n", " - ", "eyJ", "\"a\" {\n",
        ]
        for piece in pieces {
            func time(_ count: Int, _ path: String) -> Duration {
                let bytes = Array(String(repeating: piece, count: count / piece.utf8.count).utf8)
                return ContinuousClock().measure {
                    _ = omit.redact(path: Array(path.utf8), content: bytes)
                }
            }
            for path in ["/a.conf", "/a.yaml"] {
                // Four times the length: sixteen times the time would be a square. The quickest run
                // counts, for others share the processors.
                var (short, long) = (time(1_500, path), time(6_000, path))
                for _ in 0..<5 where long >= short * 10 + .milliseconds(200) {
                    short = min(short, time(1_500, path))
                    long = min(long, time(6_000, path))
                }
                #expect(
                    long < short * 10 + .milliseconds(200), "\(piece) in \(path): \(short), \(long)"
                )
            }
        }
    }
}
