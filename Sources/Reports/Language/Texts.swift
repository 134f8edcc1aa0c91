import Basics
import Deadlines
import Manifests

/// The texts of one language, with its typography.
struct Texts: Sendable {
    let language: Language
    let formats: Formats
    private let phrases: [Phrase: String]
    private let duties: [Duty: String]
    private let reservations: [Reservation.Kind: String]

    init(_ language: Language) {
        self.language = language
        formats = Formats(language: language)
        switch language {
        case .french:
            phrases = Self.french.merging(Self.frenchDetails) { first, _ in first }
                .mapValues(Self.typeset)
            duties = Self.frenchDuties.mapValues(Self.typeset)
            reservations = Self.frenchReservations.mapValues(Self.typeset)
        case .english:
            phrases = Self.english.merging(Self.englishDetails) { first, _ in first }
            duties = Self.englishDuties
            reservations = Self.englishReservations
        }
    }

    /// A text without values. That none is missing is tested.
    subscript(phrase: Phrase) -> String { phrases[phrase] ?? phrase.rawValue }

    subscript(duty: Duty) -> String { duties[duty] ?? duty.rawValue }

    subscript(reservation: Reservation.Kind) -> String {
        reservations[reservation] ?? reservation.rawValue
    }

    /// A text with its values put in.
    func html(_ phrase: Phrase, _ values: Sentence.Value...) -> HTML {
        html(Sentence(phrase, list: values))
    }

    func html(_ sentence: Sentence) -> HTML {
        html(self[sentence.phrase], sentence.values)
    }

    func html(_ template: String, _ values: [Sentence.Value]) -> HTML {
        HTML(
            joining: Self.pieces(of: template).map { piece in
                switch piece {
                case .text(let text): HTML(text)
                case .value(let place): values[safe: place].map(html) ?? .empty
                case .word(let place, let one, let many):
                    HTML(isOne(values[safe: place]) ? one : many)
                }
            })
    }

    /// The same as plain text: for labels, which hold no elements.
    func text(_ phrase: Phrase, _ values: Sentence.Value...) -> String {
        Self.pieces(of: self[phrase]).map { piece in
            switch piece {
            case .text(let text): text
            case .value(let place): values[safe: place].map(text) ?? ""
            case .word(let place, let one, let many): isOne(values[safe: place]) ? one : many
            }
        }.joined()
    }

    func html(_ value: Sentence.Value) -> HTML {
        switch value {
        case .name(let name): .name(name)
        // Profiles may be files of anybody.
        case .local(let local): .name(text(local))
        default: HTML(text(value))
        }
    }

    func text(_ value: Sentence.Value) -> String {
        switch value {
        case .number(let number): formats.number(number)
        case .bytes(let bytes): formats.size(bytes)
        case .rate(let rate): formats.rate(bytesPerSecond: rate)
        case .milliseconds(let duration): formats.duration(milliseconds: duration)
        case .day(let day): formats.day(day)
        case .moment(let moment): formats.moment(moment)
        case .name(let name): name
        case .term(let word): term(word)
        case .local(let local): text(local)
        case .phrase(let phrase): self[phrase]
        }
    }

    func text(_ local: LocalText) -> String {
        language == .french ? Self.typeset(local.fr) : local.en
    }

    /// What stands between a term and its value.
    var colon: String { language == .french ? "\u{a0}: " : ": " }

    /// Whether a count asks for the singular: in French also nothing does.
    private func isOne(_ value: Sentence.Value?) -> Bool {
        guard case .number(let number) = value else { return false }
        return language == .french ? (0...1).contains(number) : number == 1
    }

    enum Piece: Equatable {
        case text(String)
        case value(Int)
        /// A word that follows the number at a place: `{0:object/objects}`.
        case word(Int, one: String, many: String)
    }

    static func pieces(of template: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let parts = rest[rest.index(after: open)..<close].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let place = Int(parts[0]) else { break }
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            if parts.count == 2 {
                let words = parts[1].split(separator: "/", omittingEmptySubsequences: false)
                pieces.append(
                    .word(place, one: String(words[0]), many: String(words.last ?? words[0])))
            } else {
                pieces.append(.value(place))
            }
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }

    /// French typography: spaces that do not break in front of `:`, `;`, `!`, `?`, `%`, and inside
    /// quotation marks.
    static func typeset(_ text: String) -> String {
        var result = ""
        var characters = Array(text)[...]
        while let character = characters.popFirst() {
            let next = characters.first
            if character == " ", let next, ":»".contains(next) {
                result.append("\u{a0}")
            } else if character == " ", let next, ";!?%".contains(next) {
                result.append("\u{202f}")
            } else if character == " ", result.last == "«" {
                result.append("\u{a0}")
            } else {
                result.append(character)
            }
        }
        return result
    }
}

/// A phrase with its values, in no language.
struct Sentence: Sendable, Equatable {
    enum Value: Sendable, Equatable {
        case number(Int64)
        case bytes(Int64)
        case rate(Int64)
        case milliseconds(Int64)
        case day(String)
        case moment(Timestamp)
        /// From the archive: anybody's text.
        case name(String)
        /// From a legal profile.
        case local(LocalText)
        /// A word of `Texts.term`.
        case term(String)
        case phrase(Phrase)
    }

    let phrase: Phrase
    let values: [Value]

    init(_ phrase: Phrase, _ values: Value...) { self.init(phrase, list: values) }

    init(_ phrase: Phrase, list values: [Value]) {
        self.phrase = phrase
        self.values = values
    }

    var json: JSON {
        [
            "text": .string(phrase.rawValue),
            "values": .array(
                values.map { value in
                    switch value {
                    case .number(let number), .bytes(let number), .rate(let number),
                        .milliseconds(let number):
                        .integer(number)
                    case .day(let text), .name(let text), .term(let text): .string(text)
                    case .moment(let moment): .string(moment.text)
                    case .local(let local): .string(local.en)
                    case .phrase(let phrase): .string(phrase.rawValue)
                    }
                }),
        ]
    }
}

extension LocalText {
    static let unknown = LocalText(fr: "?", en: "?")
}

extension Array {
    fileprivate subscript(safe place: Int) -> Element? {
        indices.contains(place) ? self[place] : nil
    }
}
