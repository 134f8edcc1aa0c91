public import Basics

/// Reads profiles and calendars; those that come with the program are in `LegalTexts`.
extension LegalProfile {
    /// The profiles that come with the program.
    public static var known: [String] { LegalTexts.profiles.map(\.id) }

    public static func named(_ id: String) throws(Failure) -> LegalProfile {
        guard let text = LegalTexts.profiles.first(where: { $0.id == id }) else {
            throw Failure(
                .legalProfile, "there is no legal profile \"\(id)\"",
                hint: "Known are \(known.joined(separator: ", ")); a file of your own is named by "
                    + "its path.")
        }
        return try LegalProfile(parsing: Array(text.json.utf8))
    }

    /// Reads a profile; anything missing, unknown or of another type is `.legalProfile`.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        let fields = try LegalFields(reading: bytes, "the legal profile")
        try fields.only([
            "exeat-legal-profile", "id", "title", "text", "counting", "rules", "note",
        ])
        guard try fields.integer("exeat-legal-profile") == 1 else {
            throw fields.wrong("exeat-legal-profile")
        }
        self.bytes = bytes
        id = try fields.identifier("id")
        title = try fields.local("title")
        text = try fields.plainOrLocal("text")
        counting = try fields.text("counting")
        guard counting == "1182-71" else { throw fields.wrong("counting") }
        let profile = id
        rules = try fields.list("rules") { (rule) throws(Failure) in
            try LegalRule(rule, profile: profile)
        }
        guard rules.count <= 200 else { throw fields.wrong("rules") }
    }
}

extension LegalRule {
    fileprivate init(_ fields: LegalFields, profile: String) throws(Failure) {
        try fields.only([
            "id", "clause", "kind", "event", "from", "period", "on", "times", "unless", "only-if",
            "source", "says",
        ])
        id = profile + "/" + (try fields.identifier("id"))
        clause = try fields.plainOrLocal("clause")
        kind = try fields.word("kind")
        event = try fields.word("event")
        from = fields.has("from") ? try fields.word("from") : nil
        source = try fields.word("source")
        says = try fields.local("says")
        unless = try fields.events("unless")
        onlyIf = try fields.events("only-if")
        period = fields.has("period") ? Period(try fields.text("period")) : nil
        on = fields.has("on") ? Day(try fields.text("on")) : nil
        times = fields.has("times") ? try fields.integer("times") : nil
        let isWhole =
            switch kind {
            case .atMost, .atLeast, .after, .before: from != nil && period != nil
            case .noneFrom: on != nil
            case .times: times != nil
            }
        guard isWhole else { throw fields.wrong("kind") }
    }
}

extension HolidayCalendar {
    public static var known: [String] { LegalTexts.calendars.map(\.id) }

    public static func named(_ id: String) throws(Failure) -> HolidayCalendar {
        for text in LegalTexts.calendars where text.id == id {
            return try HolidayCalendar(parsing: Array(text.json.utf8))
        }
        throw Failure(
            .legalProfile, "there is no calendar \"\(id)\"",
            hint: "Known are \(known.joined(separator: ", ")); a file of your own is named by its "
                + "path.")
    }

    public init(parsing bytes: [UInt8]) throws(Failure) {
        let fields = try LegalFields(reading: bytes, "the calendar")
        try fields.only(["exeat-calendar", "id", "title", "time-zone", "holidays", "note"])
        guard try fields.integer("exeat-calendar") == 1 else {
            throw fields.wrong("exeat-calendar")
        }
        self.bytes = bytes
        id = try fields.identifier("id")
        title = try fields.local("title")
        zone = try Zone(fields.nested("time-zone"))
        holidays = try fields.list("holidays") { (holiday) throws(Failure) in
            try Holiday(holiday)
        }
        // A year that is all holidays has no next working day.
        guard holidays.count <= 100 else { throw fields.wrong("holidays") }
    }
}

extension HolidayCalendar.Zone {
    fileprivate init(_ fields: LegalFields) throws(Failure) {
        try fields.only(["name", "standard", "summer", "from", "until", "hour"])
        name = try fields.text("name")
        standard = try fields.integer("standard")
        summer = try fields.integer("summer")
        from = try fields.integer("from")
        until = try fields.integer("until")
        hour = try fields.integer("hour")
        guard (-900...900).contains(standard), (-900...900).contains(summer),
            (1...12).contains(from), (1...12).contains(until), from < until,
            (0...23).contains(hour)
        else { throw fields.wrong("from") }
    }
}

extension HolidayCalendar.Holiday {
    fileprivate init(_ fields: LegalFields) throws(Failure) {
        try fields.only(["name", "date", "easter", "since", "source"])
        name = try fields.local("name")
        since = fields.has("since") ? try fields.integer("since") : 0
        if fields.has("easter") {
            rule = .easter(try fields.integer("easter"))
        } else {
            // Any leap year has all dates.
            guard let day = Day("2024-" + (try fields.text("date"))) else {
                throw fields.wrong("date")
            }
            rule = .date(month: day.parts.month, day: day.parts.day)
        }
    }
}

/// Strict access to the members of one object of a file of `Manifests/legal`.
private struct LegalFields {
    private let value: JSON
    private let subject: String

    init(reading bytes: [UInt8], _ subject: String) throws(Failure) {
        do throws(Failure) { try self.init(JSON(parsing: bytes), subject) } catch {
            throw Failure(.legalProfile, "\(subject) is not one", cause: error)
        }
    }

    init(_ value: JSON, _ subject: String) throws(Failure) {
        guard value.members != nil else {
            throw Failure(.legalProfile, "\(subject) is not an object")
        }
        self.value = value
        self.subject = subject
    }

    func wrong(_ key: String) -> Failure {
        Failure(.legalProfile, "\"\(key)\" of \(subject) is missing or wrong")
    }

    func only(_ keys: [String]) throws(Failure) {
        for member in value.members ?? [] where !keys.contains(member.key) {
            throw Failure(.legalProfile, "\(subject) has an unknown member \"\(member.key)\"")
        }
    }

    func has(_ key: String) -> Bool { value[key] != nil }

    func text(_ key: String) throws(Failure) -> String {
        guard let text = value[key]?.string, !text.isEmpty else { throw wrong(key) }
        return text
    }

    func identifier(_ key: String) throws(Failure) -> String {
        let text = try text(key)
        guard text.utf8.count <= 64,
            text.utf8.allSatisfy({
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
                    || $0 == 0x2e
            })
        else { throw wrong(key) }
        return text
    }

    func integer(_ key: String) throws(Failure) -> Int64 {
        guard let number = value[key]?.integer else { throw wrong(key) }
        return number
    }

    func word<Word: RawRepresentable<String>>(_ key: String) throws(Failure) -> Word {
        guard let word = Word(rawValue: try text(key)) else { throw wrong(key) }
        return word
    }

    func local(_ key: String) throws(Failure) -> LocalText {
        let fields = try nested(key)
        return LocalText(fr: try fields.text("fr"), en: try fields.text("en"))
    }

    /// One text that is the same in all languages, or one for each.
    func plainOrLocal(_ key: String) throws(Failure) -> LocalText {
        guard value[key]?.string != nil else { return try local(key) }
        let text = try text(key)
        return LocalText(fr: text, en: text)
    }

    /// None where the member is absent.
    func events(_ key: String) throws(Failure) -> [TimelineEvent] {
        guard has(key) else { return [] }
        guard let list = value[key]?.array else { throw wrong(key) }
        var events: [TimelineEvent] = []
        for element in list {
            guard let event = element.string.flatMap({ TimelineEvent(rawValue: $0) }) else {
                throw wrong(key)
            }
            events.append(event)
        }
        return events
    }

    func nested(_ key: String) throws(Failure) -> LegalFields {
        try LegalFields(value[key] ?? .null, "\"\(key)\" of \(subject)")
    }

    func list<Element>(
        _ key: String, _ read: (LegalFields) throws(Failure) -> Element
    ) throws(Failure) -> [Element] {
        guard let list = value[key]?.array else { throw wrong(key) }
        var elements: [Element] = []
        for element in list {
            elements.append(try read(LegalFields(element, "\"\(key)\" of \(subject)")))
        }
        return elements
    }
}
