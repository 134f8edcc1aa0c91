import Archives
import Basics
import Trees

/// The differences as JSON, as text, and as a page.
struct DifferencesReport: Sendable {
    let title: DifferencesTitle
    let differences: MachineDifferences

    // MARK: - JSON

    var json: JSON {
        let files: JSON = [
            "same": .integer(Int64(differences.same)),
            "same-but-for-secrets": .array(differences.sameButSecrets.map(Self.path)),
            "differs": .array(
                differences.differing.map { file in
                    .object([
                        PathMember.member(file.path),
                        .init("attributes", .strings(file.attributes)),
                        .init("lines", .strings(file.lines)),
                    ])
                }),
            "only-here": .array(differences.onlyHere.map(Self.path)),
            "only-there": .array(differences.onlyThere.map(Self.path)),
            "not-compared": .array(
                differences.uncompared.map { file in
                    .object([PathMember.member(file.path), .init("reason", .string(file.reason))])
                }),
        ]
        return [
            "exeat-differences": 1, "source": .string(title.source),
            "machine": .string(title.machine), "takenAt": .string(title.takenAt),
            "counts": .object(differences.counts), "files": files,
            "facts": .array(differences.facts.map(\.json)),
            "packages": .array(differences.packages.map(Self.package)),
            "secrets-to-enter": .array(differences.toEnter.map(\.json)),
        ]
    }

    private static func path(_ path: [UInt8]) -> JSON { .object([PathMember.member(path)]) }

    private static func package(_ package: MachineDifferences.Package) -> JSON {
        [
            "name": .string(package.name), "wanted": .string(package.wanted),
            "installed": package.installed.map { .string($0) } ?? .null,
            "available": package.available.map { JSON.strings($0) } ?? .null,
            "state": .string(package.state),
        ]
    }

    // MARK: - Text

    var text: String {
        var lines = [
            "Differences between the archive (here) and the machine (there)",
            "source   \(title.source)", "machine  \(title.machine)", "taken    \(title.takenAt)",
            "",
        ]
        lines += differences.counts.map { count in
            "\(count.key): \(count.value.integer ?? 0)"
        }
        for section in sections where !section.lines.isEmpty {
            lines += ["", "== \(section.name)"] + section.lines.map { Self.shown($0) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private struct Section {
        let name: String
        let lines: [String]
    }

    private var sections: [Section] {
        func paths(_ word: String, _ paths: [[UInt8]]) -> [String] {
            paths.map { "\(word)  /\(Self.name($0))" }
        }
        var files = differences.differing.flatMap { file in
            ["differs     /\(Self.name(file.path))  (\(file.attributes.joined(separator: ", ")))"]
                + file.lines.map { "    \($0)" }
        }
        files += paths("only here ", differences.onlyHere)
        files += paths("only there", differences.onlyThere)
        files += differences.uncompared.map { "not compared  /\(Self.name($0.path))  \($0.reason)" }
        files += paths("same but for secrets", differences.sameButSecrets)
        var sections = [Section(name: "files", lines: files)]
        for family in differences.facts {
            sections.append(Section(name: "facts: \(family.family)", lines: family.lines))
        }
        sections.append(
            Section(
                name: "packages to install",
                lines: differences.packages.map { package in
                    "\(package.name)  wanted \(package.wanted), installed \(package.installed ?? "none"), "
                        + (package.available.map {
                            $0.isEmpty
                                ? "not to be had" : "to be had: \($0.joined(separator: ", "))"
                        } ?? "apt could not be asked")
                }))
        sections.append(
            Section(
                name: "secrets to enter again",
                lines: differences.toEnter.map { "\(Self.name($0.path))  \($0.description)" }))
        return sections
    }

    private static func name(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    /// A name with a line end must not look like two lines.
    private static func shown(_ line: String) -> String {
        var text = ""
        for scalar in line.unicodeScalars {
            if scalar.value < 0x20 && scalar != "\t" || scalar.value == 0x7f {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    // MARK: - Page

    /// One file that needs no other, and runs nothing.
    var page: String {
        var body = "<h1>Differences</h1>\n<p>Archive (<em>here</em>): source <code>"
        body += "\(Self.escaped(title.source))</code>. Machine (<em>there</em>): <code>"
        body +=
            "\(Self.escaped(title.machine))</code>, \(Self.escaped(title.takenAt)).</p>\n<table>\n"
        for count in differences.counts {
            body +=
                "<tr><th>\(Self.escaped(count.key))</th><td>\(count.value.integer ?? 0)</td></tr>\n"
        }
        body += "</table>\n"
        for section in sections where !section.lines.isEmpty {
            body += "<h2>\(Self.escaped(section.name))</h2>\n<pre>"
            for line in section.lines {
                let style = Self.style(of: line)
                body += "<span class=\"\(style)\">\(Self.escaped(Self.shown(line)))</span>\n"
            }
            body += "</pre>\n"
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>Differences: \(Self.escaped(title.source))</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em }
            table { border-collapse: collapse } th { text-align: left; font-weight: normal; padding-right: 2em }
            td { text-align: right } pre { overflow-x: auto; background: #f6f6f4; padding: .8em; border-radius: 4px }
            .differs { color: #8a5a00 } .here { color: #006d2c } .there { color: #a50f15 } .none { color: #666 }
            </style></head><body>
            \(body)</body></html>

            """
    }

    private static func style(of line: String) -> String {
        if line.hasPrefix("differs") { return "differs" }
        if line.hasPrefix("only here") || line.hasPrefix("    +") { return "here" }
        if line.hasPrefix("only there") || line.hasPrefix("    -") { return "there" }
        if line.hasPrefix("not compared") { return "none" }
        return "plain"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    func write(to directory: String) throws(Failure) {
        try Files.write(
            Array(json.pretty.utf8) + [0x0a], to: directory + "/differences.json", mode: 0o600)
        try Files.write(Array(text.utf8), to: directory + "/differences.txt", mode: 0o600)
        try Files.write(Array(page.utf8), to: directory + "/differences.html", mode: 0o600)
    }
}
