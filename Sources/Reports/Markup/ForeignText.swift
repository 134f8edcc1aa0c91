extension HTML {
    /// The longest name that is shown whole.
    static let longestName = 240

    /// A text from outside: isolated, so that its direction stays its own, with places where it may be
    /// broken, and cut where nobody would read on.
    static func name(_ text: String) -> HTML {
        element(.bdi) { breaking(text) }
    }

    /// The same for what people read letter by letter: digests, paths, keys.
    static func code(_ text: String) -> HTML {
        element(.code, .direction("ltr")) { breaking(text) }
    }

    private static func breaking(_ text: String) -> HTML {
        let count = text.unicodeScalars.count
        guard count > longestName else { return words(text) }
        return HTML(joining: [
            words(String(String.UnicodeScalarView(text.unicodeScalars.prefix(longestName)))),
            HTML("… (\(count))"),
        ])
    }

    /// Breaks behind what separates words of names.
    private static func words(_ text: String) -> HTML {
        guard text.utf8.count > 20 else { return HTML(text) }
        var pieces: [HTML] = []
        var word = ""
        for character in text {
            word.append(character)
            if word.count >= 4, "/._-:@,;=".contains(character) {
                pieces += [HTML(word), .mayBreak]
                word = ""
            }
        }
        return HTML(joining: pieces + [HTML(word)])
    }
}
