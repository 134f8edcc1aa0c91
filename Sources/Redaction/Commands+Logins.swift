/// Programs that nobody knows: `tool -u backup -p x`.
extension Commands {
    /// What `-u` and `-p` mean something else to.
    private static let others: Set<String> = [
        "journalctl", "systemctl", "logger", "docker", "podman", "nerdctl", "docker-compose",
        "podman-compose", "systemd-run", "busctl", "machinectl", "tar", "ps", "rsync", "cp", "mv",
        "mkdir", "install", "date", "sort", "git", "patch", "lsof", "strace", "pkill", "pgrep",
        "iptables", "ip6tables",
    ]
    private static let users: Set<String> = [
        "-u", "-U", "--user", "--username", "--login", "-user", "-username", "-login",
    ]

    /// The word behind `-p` where the same command has a user behind `-u`: a password, unless it is a number or a path.
    static func logins(
        _ words: [Range<Int>], in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        guard words.count > 3, words.count < 256,
            words.contains(where: { isPasswordOption($0, bytes) })
        else { return }
        var hasUser = false
        var isOther = false
        var candidates: [Range<Int>] = []
        func close() {
            if hasUser, !isOther {
                for value in candidates {
                    directives.add(
                        directives.unquoted(value), .secret(.password), "command-line", key: "-p",
                        to: &found)
                }
            }
            (hasUser, isOther, candidates) = (false, false, [])
        }
        for (index, word) in words.enumerated() {
            let first = bytes[word.lowerBound]
            if [0x7c, 0x26, 0x3b].contains(first) || bytes[word.upperBound - 1] == 0x3b { close() }
            guard first == 0x2d else {
                guard word.count < 64, let name = bytes[word].split(separator: 0x2f).last else {
                    continue
                }
                // fence_ipmilan -l NAME -p PASSWORD: no device is fenced without a login.
                if name.starts(with: "fence_".utf8) { hasUser = true }
                let bare = name.drop { [0x28, 0x24, 0x60, 0x22, 0x27].contains($0) }
                if others.contains(String(decoding: bare, as: UTF8.self)) { isOther = true }
                continue
            }
            guard index + 1 < words.count, word.count <= 10 else { continue }
            let value = words[index + 1]
            guard ![0x2d, 0x7c, 0x3e, 0x3c, 0x26, 0x3b].contains(bytes[value.lowerBound]) else {
                continue
            }
            if users.contains(bytes.text(word)) { hasUser = true }
            if isPasswordOption(word, bytes), mayBePassword(value, in: directives) {
                candidates.append(value)
            }
        }
        close()
    }

    /// `-p` and `-P`.
    private static func isPasswordOption(_ word: Range<Int>, _ bytes: [UInt8]) -> Bool {
        word.count == 2 && bytes[word.lowerBound] == 0x2d
            && bytes[word.lowerBound + 1] | 0x20 == 0x70
    }

    private static func mayBePassword(_ word: Range<Int>, in directives: Directives) -> Bool {
        let inner = directives.bytes[directives.unquoted(word)]
        guard inner.count >= 3, let first = inner.first else { return false }
        return ![0x2f, 0x24, 0x7e, 0x60].contains(first)
            && !inner.allSatisfy { $0.isDigit || [0x3a, 0x2e, 0x2c, 0x2d, 0x25].contains($0) }
    }
}
