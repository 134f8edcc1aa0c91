import Basics

/// What cron starts: the system's tables, the users' own, and the scripts of a period.
enum CrontabFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try document.source("system") { (items) throws(Failure) in
            var isThere = false
            if let text = try machine.text("/etc/crontab") {
                isThere = true
                items.add("/etc/crontab", table(text, hasUser: true))
            }
            for name in try machine.names("/etc/cron.d") ?? [] where !name.hasPrefix(".") {
                guard let text = try machine.text("/etc/cron.d/\(name)") else { continue }
                isThere = true
                items.add("/etc/cron.d/\(name)", table(text, hasUser: true))
            }
            if let text = try machine.text("/etc/anacrontab") {
                isThere = true
                items.add(
                    "/etc/anacrontab", .object([.init("lines", .strings(Text.statements(text)))]))
            }
            return isThere
        }
        try document.source("user") { (items) throws(Failure) in
            var isThere = false
            // Debian's cron, and cronie.
            for directory in ["/var/spool/cron/crontabs", "/var/spool/cron"] {
                guard let names = try machine.names(directory) else { continue }
                isThere = true
                for name in names {
                    let path = "\(directory)/\(name)"
                    guard let text = try machine.text(path) else { continue }
                    items.add(path, table(text, hasUser: false))
                }
            }
            return isThere
        }
        try document.source("period") { (items) throws(Failure) in
            var isThere = false
            for period in ["hourly", "daily", "weekly", "monthly", "yearly"] {
                for name in try machine.names("/etc/cron.\(period)") ?? [] {
                    isThere = true
                    if !name.hasPrefix(".") { items.add("\(period)/\(name)", .object([])) }
                }
            }
            return isThere
        }
    }

    /// A table of crontab(5): assignments, and lines of five fields or a word such as `@reboot`.
    static func table(_ text: String, hasUser: Bool) -> JSON {
        var jobs: [JSON] = []
        var environment: [JSON.Member] = []
        for line in Text.statements(text) {
            let words = Text.words(line)
            let count = line.hasPrefix("@") ? 1 : 5
            if let (name, value) = assignment(line) {
                environment.removeAll { $0.key == name }
                environment.append(.init(name, .string(value)))
                continue
            }
            guard words.count > count + (hasUser ? 1 : 0) else {
                jobs.append(["line": .string(line)])
                continue
            }
            var members: [JSON.Member] = [
                .init("schedule", .string(words[..<count].joined(separator: " "))),
                .init("command", .string(rest(of: line, after: count + (hasUser ? 1 : 0)))),
            ]
            if hasUser { members.append(.init("user", .string(words[count]))) }
            jobs.append(.object(members))
        }
        return .object([.init("environment", .object(environment)), .init("jobs", .array(jobs))])
    }

    /// `NAME = value`, quotes taken away; a schedule never has an equal sign behind its first word.
    private static func assignment(_ line: String) -> (String, String)? {
        guard let (name, value) = Text.halves(line, at: 0x3d),
            let first = name.utf8.first, first == 0x5f || (0x41...0x5a).contains(first & 0xdf),
            name.utf8.allSatisfy({
                $0 == 0x5f || (0x41...0x5a).contains($0 & 0xdf) || (0x30...0x39).contains($0)
            })
        else { return nil }
        for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) {
            if value.hasSuffix(quote) { return (name, String(value.dropFirst().dropLast())) }
        }
        return (name, value)
    }

    /// What is left of a line behind so many words.
    private static func rest(of line: String, after words: Int) -> String {
        var rest = Substring(line)
        for _ in 0..<words {
            rest = rest.drop { $0 != " " && $0 != "\t" }.drop { $0 == " " || $0 == "\t" }
        }
        return String(rest)
    }
}
