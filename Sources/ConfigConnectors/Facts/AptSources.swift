import Basics

/// Where apt gets packages from: sources.list(5), both forms.
enum AptSources {
    static func read(_ machine: Machine, _ items: inout FactItems) throws(Failure) -> Bool {
        guard try machine.exists("/etc/apt") else { return false }
        if let text = try machine.text("/etc/apt/sources.list") { add(lines: text, &items) }
        let directory = "/etc/apt/sources.list.d"
        for name in try machine.names(directory) ?? [] {
            if name.hasSuffix(".list"), let text = try machine.text("\(directory)/\(name)") {
                add(lines: text, &items)
            } else if name.hasSuffix(".sources"),
                let text = try machine.text("\(directory)/\(name)")
            {
                add(stanzas: text, &items)
            }
        }
        return true
    }

    /// Lines of `deb [options] uri suite component…`.
    static func add(lines text: String, _ items: inout FactItems) {
        for line in Text.statements(text) {
            var rest = String(line.prefix { $0 != "#" })
            guard let type = Text.words(rest).first, type == "deb" || type == "deb-src" else {
                continue
            }
            rest = Text.trimmed(rest.dropFirst(type.count))
            var options: [String] = []
            if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
                options = Text.words(rest[rest.index(after: rest.startIndex)..<end])
                rest = Text.trimmed(rest[rest.index(after: end)...])
            }
            let words = Text.words(rest)
            guard words.count >= 2 else { continue }
            add(
                type, uri: words[0], suite: words[1], components: Array(words.dropFirst(2)),
                options: options, &items)
        }
    }

    /// Stanzas of `Types:`, `URIs:`, `Suites:`, `Components:`, …
    static func add(stanzas text: String, _ items: inout FactItems) {
        for stanza in Stanzas.parse(text) where stanza["enabled"]?.lowercased() != "no" {
            func list(_ name: String) -> [String] {
                Text.words((stanza[name] ?? "").replacing("\n", with: " "))
            }
            let known = ["types", "uris", "suites", "components", "enabled"]
            let options = stanza.filter { !known.contains($0.key) }.map { field in
                // A key may stand in the stanza itself, over many lines.
                "\(field.key)="
                    + Text.words(field.value.replacing("\n", with: " "))
                    .joined(separator: ",")
            }
            for type in list("types") {
                for uri in list("uris") {
                    for suite in list("suites") {
                        add(
                            type, uri: uri, suite: suite, components: list("components"),
                            options: options, &items)
                    }
                }
            }
        }
    }

    private static func add(
        _ type: String, uri: String, suite: String, components: [String], options: [String],
        _ items: inout FactItems
    ) {
        items.add(
            "\(type) \(uri) \(suite)",
            [
                "components": .strings(components.sorted()), "options": .strings(options.sorted()),
            ])
    }
}
