/// Reads the configurations of switches, routers and firewalls, which name secrets by the words before them:
/// `crypto isakmp key …`, `ip ospf message-digest-key 1 md5 …`, `snmp-agent community read cipher …`.
enum DeviceDirectives {
    /// Whether a text is such a configuration: it names the device, and its interfaces.
    static func isDevice(_ bytes: [UInt8]) -> Bool {
        func begins(_ word: String) -> Bool {
            bytes.starts(with: word.utf8)
                || bytes.position(of: Array(("\n" + word).utf8), from: 0) != nil
        }
        return ["hostname ", "sysname ", "set hostname ", "    set hostname "].contains(
            where: begins)
            && ["interface ", "!", "#\n", "config system"].contains(where: begins)
            || ["snmp-agent ", "snmp-server ", "local-user ", "enable secret ", "config system"]
                .contains(where: begins)
    }

    /// Words behind which the secret stands.
    private static let before: Set<String> = [
        "cipher", "irreversible-cipher", "key-string", "ascii", "community", "psksecret", "passwd",
    ]
    /// Words that begin a line with a `key`.
    private static let keyed: Set<String> = [
        "crypto", "key", "tacacs-server", "radius-server", "radius", "tacacs", "server",
        "server-private",
        "wpa-psk", "wep",
    ]
    private static let numbered: Set<String> = [
        "message-digest-key", "authentication-key", "key-chain",
    ]
    private static let authenticated: Set<String> = [
        "standby", "vrrp", "glbp", "isis", "rip", "ospf",
    ]
    /// What stands in the place of a secret and is a word of the language.
    private static let words: Set<String> = [
        "read", "write", "ro", "rw", "md5", "text", "mode", "message-digest", "key-chain", "null",
        "cipher", "simple", "hex", "ascii", "version", "config", "generate", "zeroize", "chain",
        "address", "hash", "encryption", "enc", "public-key", "pubkey-chain",
    ]

    static func secrets(
        _ words: [Range<Int>], in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        guard words.count > 1, words.count < 64 else { return }
        let texts = words.map { bytes.word($0) }
        func put(_ place: Int) {
            var place = place
            // The digit that says how it is coded.
            if place + 1 < words.count, words[place].count == 1,
                bytes[words[place].lowerBound].isDigit
            {
                place += 1
            }
            guard place < words.count, !DeviceDirectives.words.contains(texts[place]) else {
                return
            }
            directives.add(
                directives.unquoted(words[place]), .secret(.password), "directive",
                key: place > 0 ? texts[place - 1] : nil, to: &found)
        }
        for index in texts.indices.dropLast() {
            switch texts[index] {
            case "key" where index == 0 && words.count <= 3 || keyed.contains(texts[0]):
                put(index + 1)
            case "md5", "sha",
                "hmac-sha-256" where texts.contains(where: numbered.contains):
                put(index + 1)
            case "authentication" where texts.contains(where: authenticated.contains):
                put(texts[index + 1] == "text" ? index + 2 : index + 1)
            case let word where before.contains(word):
                put(index + 1)
            default: break
            }
        }
        // snmp-server user USER GROUP v3 auth sha x priv aes 128 y.
        if texts[0] == "snmp-server", texts[1] == "user",
            let priv = texts.lastIndex(of: "priv"), priv + 1 < words.count
        {
            var place = priv + 1
            while place < words.count - 1,
                ["aes", "des", "3des", "128", "192", "256"].contains(texts[place])
            { place += 1 }
            put(place)
        }
        // snmp-server host ADDRESS [traps] [version 2c] COMMUNITY.
        if texts[0] == "snmp-server", texts[1] == "host", words.count > 3 {
            var place = 3
            while place < words.count - 1,
                ["traps", "informs", "version", "1", "2c", "3", "auth", "noauth", "priv", "vrf"]
                    .contains(texts[place])
            { place += 1 }
            put(place)
        }
    }
}
