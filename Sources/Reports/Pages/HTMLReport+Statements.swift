import Basics
import Dossiers

/// What the documents after the receipts state: acceptance, request, overrides, certificate.
extension HTMLReport {
    /// Members in the order in which people read them; what is not known here comes last.
    private static let order = [
        "integrated", "usable", "receipt", "reservations", "receiptReservations", "scope",
        "formalNotice", "notBefore", "name", "reason", "methods", "media", "keys", "startedAt",
        "completedAt", "lock",
    ]
    /// Of every document, and shown around what it states.
    private static let common: Set = [
        "bag", "seal", "createdAt", "signer", "tool", "planSha256", "ext",
    ]

    func statement(_ link: ChainLink) -> HTML {
        let members = (link.statement["predicate"]?.members ?? [])
            .filter { !Self.common.contains($0.key) }
            .sorted { Self.place($0.key) < Self.place($1.key) }
        guard !members.isEmpty else { return .empty }
        return element(.dl, .class("facts")) {
            for member in members {
                element(.dt) {
                    HTML.name(
                        member.key == "lock" ? texts[.lockTitle] : title(texts.term(member.key)))
                }
                element(.dd) { stated(member.key, member.value) }
            }
        }
    }

    private func title(_ term: String) -> String {
        term.prefix(1).uppercased() + term.dropFirst()
    }

    private static func place(_ key: String) -> Int {
        order.firstIndex(of: key) ?? order.count
    }

    private func stated(_ key: String, _ json: JSON) -> HTML {
        switch key {
        case "receipt":
            HTML(joining: [
                HTML.name(json["file"]?.string ?? "?"), HTML(" – "),
                HTML.code(json["sha256"]?.string ?? "?"),
            ])
        case "receiptReservations": list(json.array ?? []) { reservation($0.string ?? "?") }
        case "methods": list(json.array ?? []) { word($0.string ?? "?") }
        case "lock": lock(json)
        case "scope" where json.string == Attestation.wholeScope: HTML(texts[.scopeWhole])
        default: value(json, depth: 0)
        }
    }

    /// Of an override a list of reasons; of a certificate what its eraser found.
    private func lock(_ json: JSON) -> HTML {
        guard json.members != nil else { return reasons(json) }
        let notBefore = json["notBefore"]?.string.flatMap { Timestamp($0) }
        return HTML(joining: [
            line("open", HTML(texts[json["open"]?.bool == true ? .yes : .no])),
            line("overridden", HTML(texts[json["overridden"]?.bool == true ? .yes : .no])),
            notBefore.map { line("notBefore", moment($0, seconds: true)) } ?? .empty,
            json["reasons"]?.array?.isEmpty ?? true
                ? .empty : line("reasons", reasons(json["reasons"] ?? .null)),
            json["overrides"]?.array?.isEmpty ?? true
                ? .empty
                : line(
                    "overrides",
                    list(json["overrides"]?.array ?? []) {
                        texts.html(
                            .lockApproval, .name($0["name"]?.string ?? "?"),
                            .name($0["principal"]?.string ?? "?"),
                            .name($0["reason"]?.string ?? "?"))
                    }),
        ])
    }

    private func reasons(_ json: JSON) -> HTML {
        list(json.array ?? []) { word($0["kind"]?.string ?? "?") }
    }

    private func line(_ term: String, _ value: HTML) -> HTML {
        element(.div) {
            word(term)
            texts.colon
            value
        }
    }

    private func list(_ elements: [JSON], _ item: (JSON) -> HTML) -> HTML {
        elements.isEmpty
            ? HTML("–")
            : element(.ul) {
                for json in elements.prefix(50) { element(.li) { item(json) } }
            }
    }

    private func value(_ json: JSON, depth: Int) -> HTML {
        switch json {
        case .null: return HTML("–")
        case .bool(let flag): return HTML(texts[flag ? .yes : .no])
        case .integer(let number): return HTML(formats.number(number))
        case .string(let text):
            if let at = Timestamp(text) { return moment(at, seconds: true) }
            if Timestamp(text + "T00:00:00Z")?.date == text { return day(text) }
            return HTML.name(text)
        case .array(let elements):
            return depth < 3 ? list(elements) { value($0, depth: depth + 1) } : HTML("…")
        case .object(let members):
            guard depth < 3 else { return HTML("…") }
            return HTML(
                joining: members.map { line($0.key, value($0.value, depth: depth + 1)) })
        }
    }
}
