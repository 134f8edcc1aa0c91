import Basics

/// What several pages are made of.
extension HTMLReport {
    /// Whether something is well, in a colour, a sign and a word.
    enum Tone: String { case good, warn, bad, none }

    func state(_ tone: Tone, _ icon: Drawing.Icon, _ text: String) -> HTML {
        element(.span, .class("state \(tone.rawValue)")) {
            Drawing.icon(icon)
            " "
            text
        }
    }

    func state(_ state: ChainLink.State) -> HTML {
        switch state {
        case .verified: self.state(.good, .check, texts[.stateVerified])
        case .unchecked: self.state(.warn, .question, texts[.stateUnchecked])
        case .failed: self.state(.bad, .cross, texts[.stateFailed])
        case .missing: self.state(.none, .dash, texts[.stateMissing])
        }
    }

    /// A table in a frame of its own, which scrolls where the screen is narrower.
    func table(
        _ caption: String, id: String, _ columns: [Column], @HTMLBuilder rows: () -> HTML
    ) -> HTML {
        element(
            .div, .class("scroll"), .role("region"), .labelledBy("\(id)-caption"), .tabIndex(0)
        ) {
            element(.table) {
                element(.caption, .id("\(id)-caption")) { element(.span) { caption } }
                element(.thead) {
                    element(.tr) {
                        for column in columns {
                            HTML(
                                .th,
                                [.scope("col")] + (column.isNumber ? [.class("number")] : []),
                                HTML(texts[column.title]))
                        }
                    }
                }
                element(.tbody) { rows() }
            }
        }
    }

    struct Column {
        let title: Phrase
        let isNumber: Bool

        static func text(_ title: Phrase) -> Column { .init(title: title, isNumber: false) }
        static func number(_ title: Phrase) -> Column { .init(title: title, isNumber: true) }
    }

    func cell(@HTMLBuilder _ content: () -> HTML) -> HTML { HTML(.td, [], content()) }

    func numberCell(_ text: String) -> HTML { element(.td, .class("number")) { text } }

    func digestCell(_ text: String) -> HTML {
        element(.td, .class("digest")) { HTML.code(text) }
    }

    /// A digest, or what else a comparison found.
    func foundCell(_ text: String) -> HTML {
        guard let sentence = Sentence(found: text) else { return digestCell(text) }
        return element(.td, .class("digest")) { element(.code) { texts.html(sentence) } }
    }

    /// A cell whose short text stays on one line.
    func shortCell(@HTMLBuilder _ content: () -> HTML) -> HTML {
        HTML(.td, [.class("short")], content())
    }

    func head(@HTMLBuilder _ content: () -> HTML) -> HTML { HTML(.th, [.scope("row")], content()) }

    /// Terms and what they are.
    func facts(_ facts: [(term: Phrase, value: HTML)]) -> HTML {
        element(.dl, .class("facts")) {
            for fact in facts where !fact.value.isEmpty {
                element(.dt) { texts[fact.term] }
                element(.dd) { fact.value }
            }
        }
    }

    func note(_ phrase: Phrase, _ values: Sentence.Value...) -> HTML {
        element(.p, .class("note")) { texts.html(Sentence(phrase, list: values)) }
    }

    func moment(_ moment: Timestamp?, seconds: Bool = false) -> HTML {
        guard let moment else { return .empty }
        return element(.time, .moment(moment.text)) { formats.moment(moment, seconds: seconds) }
    }

    func day(_ date: String?) -> HTML {
        guard let date else { return .empty }
        return element(.time, .moment(date)) { formats.day(date) }
    }

    /// A sentence or word that we know in English alone, and say so.
    func foreign(_ text: String) -> HTML {
        element(.span, .lang("en")) { HTML.name(text) }
    }

    /// What a failure means, and its own message, which is in English.
    func told(_ word: String, _ what: String) -> HTML {
        guard let meaning = texts.meaning(ofFailure: word) else {
            return element(.span, .lang("en")) { HTML.name(what) }
        }
        return HTML(joining: [
            HTML(meaning + " ("), element(.span, .lang("en")) { HTML.name(what) }, HTML(")"),
        ])
    }

    /// A word of the evidence in the language of the report.
    func word(_ word: String) -> HTML {
        texts.knows(word) ? HTML.name(texts.term(word)) : foreign(texts.term(word))
    }

    /// What was compared, and of which object where that may be shown.
    func measure(_ name: String) -> HTML {
        if texts.names(name) { return word(name) }
        var pieces = name.split(separator: " of ", omittingEmptySubsequences: false)
        // A measure of ours may hold the word itself: `sha256 of all files of guest 3`.
        for count in (1..<pieces.count).reversed() {
            let head = pieces[..<count].joined(separator: " of ")
            guard texts.names(head) else { continue }
            pieces.replaceSubrange(..<count, with: [head[...]])
            break
        }
        return HTML(
            joining: pieces.enumerated().flatMap { place, piece in
                [place == 0 ? .empty : HTML(" · "), object(String(piece), isMeasure: place == 0)]
            })
    }

    /// `disk 2` in the language of the report; anything else is a name.
    private func object(_ text: String, isMeasure: Bool) -> HTML {
        if isMeasure { return word(text) }
        guard let space = text.lastIndex(of: " "), Int64(text[space...].dropFirst()) != nil,
            texts.names(String(text[..<space]))
        else { return HTML.name(text) }
        return HTML.name(texts.term(String(text[..<space])) + String(text[space...]))
    }

    func counts(_ counts: [(name: String, value: Int64)]) -> HTML {
        var pieces: [HTML] = []
        for count in counts where count.value != 0 {
            if !pieces.isEmpty { pieces.append(HTML(" · ")) }
            pieces += [
                texts.knows(count.name)
                    ? HTML.name(texts.count(count.name)) : foreign(texts.count(count.name)),
                HTML(texts.colon + formats.number(count.value)),
            ]
        }
        return HTML(joining: pieces)
    }
}
