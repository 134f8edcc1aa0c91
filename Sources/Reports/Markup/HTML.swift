/// A piece of HTML that is whole: every element is closed, every text is escaped.
///
/// There is no way to a piece from markup in a string: texts become texts, and elements and attributes
/// come from the closed lists `Tag` and `Attribute`. So nothing from an archive can become markup.
struct HTML: Sendable, Equatable {
    private(set) var markup: String

    static let empty = HTML(markup: "")
    /// A place where a long word may be broken.
    static let mayBreak = HTML(markup: "<wbr>")

    private init(markup: String) { self.markup = markup }

    init(_ text: String) { markup = Self.escaped(text) }

    init(joining pieces: [HTML]) {
        markup = ""
        markup.reserveCapacity(pieces.reduce(0) { $0 + $1.markup.utf8.count })
        for piece in pieces { markup += piece.markup }
    }

    init(_ tag: Tag, _ attributes: [Attribute], _ content: HTML) {
        var markup = "<\(tag.rawValue)"
        for attribute in attributes {
            markup += " \(attribute.name)=\"\(Self.escaped(attribute.value))\""
        }
        markup += ">"
        // Void elements have no content and no end tag.
        if !tag.isVoid { markup += content.markup + "</\(tag.rawValue)>" }
        self.markup = markup
    }

    /// A style sheet of ours: the one text that is not escaped, since no escape is read inside it.
    init(styleSheet: StaticString) {
        markup = "<style>\n\(styleSheet)</style>\n"
    }

    /// A document of its own.
    static func document(language: String, head: HTML, body: HTML) -> String {
        "<!DOCTYPE html>\n<html lang=\"\(escaped(language))\">\n<head>\n\(head.markup)</head>\n"
            + "<body>\n\(body.markup)\n</body>\n</html>\n"
    }

    var isEmpty: Bool { markup.isEmpty }

    /// The five characters of markup as references; what cannot be seen, or turns the direction of
    /// text, by its number, so that no name can look like another or leave its place.
    private static func escaped(_ text: String) -> String {
        var safe = ""
        safe.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            case "\n", "\t": safe.unicodeScalars.append(scalar)
            default:
                if isUnseen(scalar) {
                    safe += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    safe.unicodeScalars.append(scalar)
                }
            }
        }
        return safe
    }

    private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20..<0x7f).contains(scalar.value) { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: true
        default: false
        }
    }
}

/// The elements that a report uses.
enum Tag: String, Sendable {
    case meta, title, header, main, nav, section, article, aside, footer, div, span, p, a, strong,
        em, bdi, i
    case h1, h2, h3, h4, ol, ul, li, dl, dt, dd, table, caption, thead, tbody, tr, th, td, pre, code
    case details, summary, figure, figcaption, time, br, abbr
    // SVG; its title is the element of the same name
    case svg, g, rect, path, circle, line, desc

    var isVoid: Bool { self == .meta || self == .br }
}

/// An attribute of an element; the names are ours, the values may be anybody's.
struct Attribute: Sendable {
    let name: String
    let value: String

    private init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    static func id(_ value: String) -> Attribute { .init("id", value) }
    static func `class`(_ value: String) -> Attribute { .init("class", value) }
    static func lang(_ value: String) -> Attribute { .init("lang", value) }
    static func direction(_ value: String) -> Attribute { .init("dir", value) }
    static func role(_ value: String) -> Attribute { .init("role", value) }
    static func label(_ value: String) -> Attribute { .init("aria-label", value) }
    static func labelledBy(_ value: String) -> Attribute { .init("aria-labelledby", value) }
    static func tip(_ value: String) -> Attribute { .init("title", value) }
    static func moment(_ value: String) -> Attribute { .init("datetime", value) }
    static func scope(_ value: String) -> Attribute { .init("scope", value) }
    static func columns(_ value: Int) -> Attribute { .init("colspan", String(value)) }
    static func tabIndex(_ value: Int) -> Attribute { .init("tabindex", String(value)) }
    static let hidden = Attribute("aria-hidden", "true")
    static let open = Attribute("open", "")
    static let utf8 = Attribute("charset", "utf-8")
    static func metaName(_ value: String) -> Attribute { .init("name", value) }
    static func content(_ value: String) -> Attribute { .init("content", value) }
    static func header(_ value: String) -> Attribute { .init("http-equiv", value) }
    /// A link to a place in the same document: a report leads nowhere else.
    static func to(_ fragment: String) -> Attribute { .init("href", "#" + fragment) }
    /// A distance from the left edge, in percent.
    static func left(_ percent: Double) -> Attribute { .init("style", "left:\(decimal(percent))%") }

    // SVG
    static func viewBox(_ width: Double, _ height: Double) -> Attribute {
        .init("viewBox", "0 0 \(decimal(width)) \(decimal(height))")
    }
    /// Lets a drawing fill its place; it holds no text then.
    static let stretched = Attribute("preserveAspectRatio", "none")
    static func x(_ value: Double) -> Attribute { .init("x", decimal(value)) }
    static func y(_ value: Double) -> Attribute { .init("y", decimal(value)) }
    static func width(_ value: Double) -> Attribute { .init("width", decimal(value)) }
    static func height(_ value: Double) -> Attribute { .init("height", decimal(value)) }
    static func opacity(_ value: Double) -> Attribute { .init("opacity", decimal(value)) }
    static func path(_ value: String) -> Attribute { .init("d", value) }

    /// Two digits behind the point are finer than a screen.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "0" }
        let hundredths = Int64((value * 100).rounded())
        let sign = hundredths < 0 ? "-" : ""
        let whole = abs(hundredths) / 100
        let rest = abs(hundredths) % 100
        if rest == 0 { return "\(sign)\(whole)" }
        let digits = rest % 10 == 0 ? "\(rest / 10)" : "\(rest < 10 ? "0" : "")\(rest)"
        return "\(sign)\(whole).\(digits)"
    }
}

/// Joins what a body lists; a string is text.
@resultBuilder
enum HTMLBuilder {
    static func buildExpression(_ piece: HTML) -> HTML { piece }
    static func buildExpression(_ text: String) -> HTML { HTML(text) }
    static func buildBlock(_ pieces: HTML...) -> HTML { HTML(joining: pieces) }
    static func buildOptional(_ piece: HTML?) -> HTML { piece ?? .empty }
    static func buildEither(first piece: HTML) -> HTML { piece }
    static func buildEither(second piece: HTML) -> HTML { piece }
    static func buildArray(_ pieces: [HTML]) -> HTML { HTML(joining: pieces) }
}

/// An element with what its body lists.
func element(
    _ tag: Tag, _ attributes: Attribute..., @HTMLBuilder content: () -> HTML = { .empty }
) -> HTML {
    HTML(tag, attributes, content())
}
