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
                element(.caption, .id("\(id)-caption")) { caption }
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

    /// The name of a comparison, without what it says of an object's name.
    func measure(_ name: String) -> HTML {
        if let whole = wholeTerm(name) { return HTML(whole) }
        guard let cut = name.range(of: " of ") else { return HTML.name(texts.term(name)) }
        let rest = name[cut.upperBound...]
        let isNumbered = rest.hasPrefix("disk ") && rest.allSatisfy { $0.isASCII }
            && rest.split(separator: " ").allSatisfy { word in
                ["disk", "of", "guest"].contains(String(word)) || Int(word) != nil
            }
        let measure = texts.term(String(name[..<cut.lowerBound]))
        guard model.withNames || isNumbered else { return HTML.name(measure) }
        return HTML(joining: [HTML(measure), HTML(" · "), HTML.name(String(rest))])
    }

    private func wholeTerm(_ name: String) -> String? {
        let term = texts.term(name)
        return term == name ? nil : term
    }

    func counts(_ counts: [(name: String, value: Int64)]) -> HTML {
        var pieces: [HTML] = []
        for count in counts {
            if !pieces.isEmpty { pieces.append(HTML(", ")) }
            pieces += [
                HTML(formats.number(count.value) + "\u{a0}"), HTML.name(texts.term(count.name)),
            ]
        }
        return HTML(joining: pieces)
    }
}

extension String {
    /// Foundation's search for a text, for those that do without Foundation.
    func range(of needle: String) -> Range<String.Index>? {
        let wanted = Array(needle.utf8)
        var place = utf8.startIndex
        while place < utf8.endIndex {
            if utf8[place...].starts(with: wanted) {
                return place..<utf8.index(place, offsetBy: wanted.count)
            }
            place = utf8.index(after: place)
        }
        return nil
    }
}
