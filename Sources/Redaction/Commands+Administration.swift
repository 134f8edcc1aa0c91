/// Commands of administrators that take a password behind other words.
extension Commands {
    /// Which word it is: `drush upwd NAME x`, `db2 connect to D user U using x`, `mkpasswd -m sha-512 x`,
    /// `samba-tool user create NAME x`, `pdftk a.pdf input_pw x`, `composer config http-basic.host NAME x`.
    static func administration(
        _ command: String, _ words: ArraySlice<Range<Int>>, _ directives: Directives,
        _ found: inout [Spot]
    ) {
        let bytes = directives.bytes
        let end = words.firstIndex {
            [0x7c, 0x3b, 0x26, 0x3e, 0x3c].contains(bytes[$0.lowerBound])
        }
        let words = words[..<(end ?? words.endIndex)]
        let texts = words.map { bytes.word($0) }
        func put(at place: Int?) {
            guard let place, place < texts.count else { return }
            let word = words[words.startIndex + place]
            if bytes[word.lowerBound] != 0x2d { Commands.put(word, directives, &found) }
        }
        func behind(_ names: Set<String>, _ distance: Int) -> Int? {
            texts.firstIndex(where: names.contains).map { $0 + distance }
        }
        switch command {
        case "drush": put(at: behind(["upwd", "user:password", "user-password"], 2))
        case "mysqladmin", "mariadb-admin": put(at: behind(["password"], 1))
        case "db2":
            if texts.contains("user") || texts.contains("connect") { put(at: behind(["using"], 1)) }
        case "samba-tool":
            if texts.first == "user" { put(at: behind(["create", "add", "newuser"], 2)) }
        case "pdftk":
            for (place, text) in texts.enumerated()
            where ["input_pw", "user_pw", "owner_pw"].contains(text) { put(at: place + 1) }
        case "composer":
            if let place = texts.firstIndex(where: { $0.hasPrefix("http-basic.") }) {
                put(at: place + 2)
            } else {
                put(
                    at: texts.firstIndex { text in
                        ["github-oauth.", "gitlab-token.", "gitlab-oauth.", "bearer."].contains(
                            where: text.hasPrefix)
                    }.map { $0 + 1 })
            }
        case "mkpasswd":
            // What is no option, and not what one takes.
            let takers: Set<String> = ["-m", "-s", "-r", "-p", "-l", "-d", "-c"]
            put(
                at: texts.indices.first { place in
                    !texts[place].hasPrefix("-")
                        && (place == 0 || !takers.contains(texts[place - 1]))
                })
        default: break
        }
    }
}
