public import Basics
public import Deadlines
public import Plans
import Primitives

/// What the parties have agreed, as the plan says and catalogue and signed plan repeat it: `contract`,
/// `provider`, `customer`, `dates`, `charges`, `names`, `legal` with the whole profiles and the calendar, so
/// that every reader reckons with the same rules.
public struct ContractFacts: Sendable {
    public let json: JSON
    public let timeline: Timeline
    public let profiles: [LegalProfile]
    public let calendar: HolidayCalendar

    /// What a plan says, for catalogue and signed plan; null where it says nothing.
    ///
    /// Without a word about it, the end of a contract is held against the Data Act, and no other run
    /// against anything (a trial is exempt, Article 31(2)). Throws `.legalProfile`.
    public static func json(of run: RunPlan) throws(Failure) -> JSON {
        var members: [JSON.Member] = []
        if let contract = run.contract { members.append(.init("contract", .string(contract))) }
        if let provider = run.provider { members.append(.init("provider", .string(provider.name))) }
        if let customer = run.customer { members.append(.init("customer", .string(customer.name))) }
        if !run.dates.isEmpty {
            members.append(
                .init(
                    "dates",
                    .object(
                        run.dates.map { date in
                            .init(
                                date.event,
                                date.days.count == 1
                                    ? .string(date.days[0])
                                    : .array(date.days.map { .string($0) }))
                        })))
        }
        if !run.charges.isEmpty {
            members.append(
                .init(
                    "charges",
                    .array(
                        run.charges.map { charge in
                            [
                                "day": .string(charge.day), "amount": .string(charge.amount),
                                "reason": .string(charge.reason ?? ""),
                            ]
                        })))
        }
        let names = run.legal?.profiles ?? (run.purpose == .endOfContract ? ["data-act"] : [])
        if !names.isEmpty {
            var profiles: [JSON] = []
            for name in names { profiles.append(try profile(name)) }
            members.append(
                .init(
                    "legal",
                    [
                        "profiles": .array(profiles),
                        "calendar": try calendar(run.legal?.calendar ?? "fr"),
                    ]))
        }
        // Unless it stands there, names are private.
        if run.names == .public { members.append(.init("names", .string(run.names.rawValue))) }
        return members.isEmpty ? .null : .object(members)
    }

    private static func profile(_ name: String) throws(Failure) -> JSON {
        let profile =
            isPath(name)
            ? try LegalProfile(parsing: Files.read(name, limit: 1 << 20))
            : try LegalProfile.named(name)
        return try JSON(parsing: profile.bytes)
    }

    private static func calendar(_ name: String) throws(Failure) -> JSON {
        let calendar =
            isPath(name)
            ? try HolidayCalendar(parsing: Files.read(name, limit: 1 << 20))
            : try HolidayCalendar.named(name)
        return try JSON(parsing: calendar.bytes)
    }

    private static func isPath(_ name: String) -> Bool {
        name.contains("/") || name.hasSuffix(".json")
    }

    /// Facts of an archive that says nothing.
    public static func none() throws(Failure) -> ContractFacts { try ContractFacts(.null) }

    /// Reads `contract` of a catalogue or of a signed plan. Throws `.legalProfile`.
    public init(_ json: JSON) throws(Failure) {
        self.json = json
        var timeline = Timeline()
        for member in json["dates"]?.members ?? [] {
            let texts = (member.value.array ?? [member.value]).map(\.string)
            let days = texts.compactMap { $0.flatMap { Day($0) } }
            guard let event = TimelineEvent(rawValue: member.key), let last = days.max(),
                days.count == texts.count, days.allSatisfy(Day.ofContracts.contains)
            else { throw Failure(.legalProfile, "the archive has a date that is none") }
            timeline[event] = last
            timeline.times[event] = Int64(days.count)
        }
        for charge in json["charges"]?.array ?? [] {
            guard let day = charge["day"]?.string.flatMap({ Day($0) }),
                Day.ofContracts.contains(day),
                let amount = charge["amount"]?.string
            else { throw Failure(.legalProfile, "the archive has a charge without a day") }
            timeline.charges.append(
                .init(day: day, amount: amount, reason: charge["reason"]?.string ?? ""))
        }
        self.timeline = timeline
        var profiles: [LegalProfile] = []
        let listed = json["legal"]?["profiles"]?.array ?? []
        guard listed.count <= 20 else {
            throw Failure(.legalProfile, "the archive has more than 20 legal profiles")
        }
        for profile in listed {
            profiles.append(try LegalProfile(parsing: profile.canonical))
        }
        self.profiles = profiles
        if let calendar = json["legal"]?["calendar"] {
            self.calendar = try HolidayCalendar(parsing: calendar.canonical)
        } else {
            calendar = try HolidayCalendar.named("fr")
        }
    }
}
