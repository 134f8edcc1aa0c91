/// Writes XML 1.0, indented by two spaces; everything that comes from outside is escaped.
///
/// Characters that XML cannot hold (controls, U+FFFE, U+FFFF) become U+FFFD, and `altered` says so.
struct XMLWriter {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private(set) var altered = false
    private var depth = 0

    typealias Attributes = [(String, String?)]

    /// An element without content; attributes whose value is nil are left out.
    mutating func empty(_ name: String, _ attributes: Attributes = []) {
        open(name, attributes)
        text += "/>\n"
    }

    mutating func leaf(_ name: String, _ attributes: Attributes = [], _ content: String) {
        open(name, attributes)
        text += ">"
        append(content, inAttribute: false)
        text += "</\(name)>\n"
    }

    mutating func leaf(_ name: String, _ content: String) { leaf(name, [], content) }

    mutating func element(
        _ name: String, _ attributes: Attributes = [], _ body: (inout XMLWriter) -> Void
    ) {
        open(name, attributes)
        text += ">\n"
        depth += 1
        body(&self)
        depth -= 1
        text += String(repeating: "  ", count: depth) + "</\(name)>\n"
    }

    private mutating func open(_ name: String, _ attributes: Attributes) {
        text += String(repeating: "  ", count: depth) + "<" + name
        for (key, value) in attributes {
            guard let value else { continue }
            text += " \(key)=\""
            append(value, inAttribute: true)
            text += "\""
        }
    }

    private mutating func append(_ content: String, inAttribute: Bool) {
        for scalar in content.unicodeScalars {
            switch scalar.value {
            case 0x26: text += "&amp;"
            case 0x3c: text += "&lt;"
            case 0x3e: text += "&gt;"
            case 0x22: text += "&quot;"
            case 0x27: text += "&apos;"
            case 0x09, 0x0a:
                if inAttribute {
                    text += "&#\(scalar.value);"
                } else {
                    text.unicodeScalars.append(scalar)
                }
            case 0x0d: text += "&#13;"
            case 0..<0x20, 0x7f..<0xa0, 0xfffe, 0xffff:
                text += "\u{fffd}"
                altered = true
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
