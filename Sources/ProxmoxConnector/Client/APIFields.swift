import Basics
import HTTP

/// Parameters of a call, in the order they are sent.
struct APIFields: Sendable, ExpressibleByDictionaryLiteral {
    private var fields: [(name: String, value: Secret)] = []

    init() {}

    init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    var isEmpty: Bool { fields.isEmpty }

    mutating func add(_ name: String, _ value: String) { fields.append((name, Secret(value))) }

    mutating func add(_ name: String, _ value: Int) { add(name, String(value)) }

    /// Booleans are 0 and 1 in this API.
    mutating func add(_ name: String, _ value: Bool) { add(name, value ? "1" : "0") }

    /// A value that no message may show.
    mutating func add(_ name: String, secret: Secret) {
        fields.append((name, secret))
        hidden.append(secret)
    }

    /// Adds nothing where there is no value.
    mutating func add(_ name: String, optional value: String?) {
        if let value { add(name, value) }
    }

    private(set) var hidden: [Secret] = []

    /// As a query or a form.
    var encoded: String {
        PercentEncoding.form(fields.map { (name: $0.name, value: $0.value.revealed()) })
    }
}

/// Takes secrets out of what a server says.
struct Redaction: Sendable {
    private var secrets: [Secret]

    init(_ secrets: [Secret] = []) { self.secrets = secrets }

    func adding(_ more: [Secret]) -> Redaction { Redaction(secrets + more) }

    /// Very short secrets stay: replacing each "1" would hide everything else, too.
    func callAsFunction(_ text: String) -> String {
        var text = text
        for secret in secrets {
            let value = secret.revealed()
            if value.utf8.count >= 4, text.contains(value) {
                text = text.split(separator: value, omittingEmptySubsequences: false)
                    .joined(separator: "•••")
            }
        }
        return text
    }
}
