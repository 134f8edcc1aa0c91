import Basics
import Testing

@testable import Deadlines

struct ProfileTests {
    private func report(
        _ profiles: [String], _ days: [TimelineEvent: String], charges: [String] = [],
        today: String? = nil, calendar: String = "fr"
    ) throws -> DeadlineReport {
        var timeline = Timeline(days: days.compactMapValues { Day($0) })
        timeline.charges = charges.compactMap { Day($0) }.map {
            .init(day: $0, amount: "100 EUR", reason: "egress")
        }
        return DeadlineReport(
            timeline, profiles: try profiles.map { try LegalProfile.named($0) },
            calendar: try HolidayCalendar.named(calendar), today: today.flatMap { Day($0) })
    }

    private func deadline(_ report: DeadlineReport, _ rule: String) throws -> Deadline {
        try #require(report.deadlines.first { $0.rule.id == rule })
    }

    @Test func theDatesOfASwitchFollowEachOther() throws {
        let report = try report(["data-act"], [.noticeReceived: "2026-12-31"])
        #expect(try deadline(report, "data-act/25-2-d").day?.text == "2027-03-01")
        // 30 days from the end of the notice, a forecast: 31 March.
        let transition = try deadline(report, "data-act/25-2-a")
        #expect(transition.day?.text == "2027-03-31")
        #expect(transition.isForecast)
        // 30 days more are Friday 30 April.
        #expect(try deadline(report, "data-act/25-2-g").day?.text == "2027-04-30")
        #expect(report.erasureBound?.earliest?.text == "2027-05-01")
        #expect(try deadline(report, "data-act/25-4-notice").day?.text == "2027-01-21")
    }

    @Test func whatIsKnownIsHeldAgainstTheBounds() throws {
        let late = try report(
            ["data-act"],
            [
                .noticeReceived: "2027-01-04", .noticeEnd: "2027-03-05",
                .transitionStart: "2027-03-05", .transitionEnd: "2027-04-06",
                .retrievalEnd: "2027-05-05",
            ])
        #expect(try deadline(late, "data-act/25-2-d").state == .missed)
        // 30 days from 5 March end on Sunday 4 April; on Tuesday it is too late.
        #expect(try deadline(late, "data-act/25-2-a").day?.text == "2027-04-05")
        #expect(try deadline(late, "data-act/25-2-a").state == .missed)
        // 6 May is Ascension Day.
        #expect(try deadline(late, "data-act/25-2-g").day?.text == "2027-05-07")
        #expect(try deadline(late, "data-act/25-2-g").state == .missed)
    }

    @Test func aLongerTransitionReplacesTheThirtyDays() throws {
        let report = try report(
            ["data-act"],
            [
                .noticeReceived: "2026-12-14", .noticeEnd: "2027-02-14",
                .infeasibilityNotified: "2027-01-05", .alternativeEnd: "2027-09-14",
            ])
        #expect(try deadline(report, "data-act/25-2-a").state == .replaced)
        #expect(try deadline(report, "data-act/25-4-notice").state == .met)
        #expect(try deadline(report, "data-act/25-4-length").state == .met)
        #expect(try deadline(report, "data-act/25-2-h").from?.text == "2027-09-14")
    }

    /// A prolongation that was not told in time is not to be waited for.
    @Test func whatCanNoLongerComeIsNotOpen() throws {
        let days: [TimelineEvent: String] = [
            .noticeReceived: "2026-06-01", .noticeEnd: "2026-08-03",
        ]
        for (today, notice, length) in [
            ("2026-06-19", Deadline.State.open, Deadline.State.open),
            ("2026-06-20", .notApplicable, .notApplicable),
            ("2027-06-01", .notApplicable, .notApplicable),
        ] {
            let found = try report(["data-act"], days, today: today)
            #expect(try deadline(found, "data-act/25-4-notice").state == notice)
            #expect(try deadline(found, "data-act/25-4-length").state == length)
        }
        let told = days.merging([.infeasibilityNotified: "2026-06-20"]) { $1 }
        let found = try report(["data-act"], told, today: "2026-09-01")
        #expect(try deadline(found, "data-act/25-4-notice").state == .missed)
        #expect(try deadline(found, "data-act/25-4-length").state == .open)
    }

    /// A plan that keeps the first day beside a later one does not let the source go before the later one.
    @Test(arguments: [TimelineEvent.extensionEnd, .alternativeEnd])
    func anErasureWaitsForTheLongerTransitionThatWasAgreed(_ longer: TimelineEvent) throws {
        for (first, last) in [("2026-09-01", "2026-12-01"), ("2026-12-01", "2026-09-01")] {
            let report = try report(["data-act"], [.transitionEnd: first, longer: last])
            #expect(try deadline(report, "data-act/25-2-h").from?.text == "2026-12-01")
            #expect(try deadline(report, "data-act/25-2-g").day?.text == "2026-12-31")
            // 31 December is a Thursday.
            #expect(report.erasureBound?.earliest?.text == "2027-01-01")
        }
    }

    /// A slip of the pen in a year breaks no rule, and lets the source go a year too early.
    @Test func datesThatGoBackwardsAreTold() throws {
        let days: [TimelineEvent: String] = [
            .noticeReceived: "2026-12-14", .transitionStart: "2027-02-15",
            .transitionEnd: "2026-03-16",
        ]
        let wrong = try report(["data-act"], days)
        #expect(wrong.missed.isEmpty)
        #expect(wrong.reversals.map(\.before) == [.noticeReceived, .transitionStart])
        #expect(wrong.lines.last?.hasPrefix("BACKWARDS: transition-end 2026-03-16 lies") == true)
        var right = days
        right[.transitionEnd] = "2027-02-15"
        #expect(try report(["data-act"], right).reversals.isEmpty)
    }

    /// Who has never said that 30 days are not enough has not said it too late.
    @Test func aRuleAboutWhatDidNotHappenIsNotBroken() throws {
        var days: [TimelineEvent: String] = [.noticeReceived: "2026-12-14"]
        // Christmas and New Year's Day are no working days: 14 of them end on 5 January.
        for (today, state) in [("2027-01-05", Deadline.State.open), ("2027-01-06", .notApplicable)]
        {
            let report = try report(["data-act"], days, today: today)
            #expect(try deadline(report, "data-act/25-4-notice").day?.text == "2027-01-05")
            #expect(try deadline(report, "data-act/25-4-notice").state == state)
            #expect(report.missed.isEmpty)
        }
        days[.alternativeEnd] = "2027-04-01"
        let silent = try report(["data-act"], days, today: "2027-01-07")
        #expect(try deadline(silent, "data-act/25-4-notice").state == .missed)
    }

    @Test func theCustomerExtendsTheTransitionOnce() throws {
        var timeline = Timeline(days: [.extensionEnd: try #require(Day("2027-06-01"))])
        for (times, state) in [(1, Deadline.State.met), (2, .missed)] {
            timeline.times[.extensionEnd] = Int64(times)
            let report = DeadlineReport(
                timeline, profiles: [try LegalProfile.named("data-act")],
                calendar: try HolidayCalendar.named("fr"), today: nil)
            #expect(try deadline(report, "data-act/25-5").state == state)
        }
    }

    @Test(arguments: [
        ("2027-01-11", Deadline.State.met), ("2027-01-12", .missed), ("2027-06-01", .missed),
    ])
    func chargesEndOnTheTwelfthOfJanuary(_ day: String, _ state: Deadline.State) throws {
        let report = try report(["data-act"], [:], charges: [day])
        #expect(try deadline(report, "data-act/29").state == state)
    }

    /// What cannot be read as zero counts as money.
    @Test(arguments: [
        ("0 EUR", Deadline.State.met), ("0", .met), ("0,00 €", .met), ("0.00€", .met),
        ("EUR 0", .met), ("€0", .met),
        ("0.01 EUR", .missed), ("10 EUR", .missed), ("-0 EUR", .missed),
        ("0 EUR and 500 EUR", .missed),
        ("0 000 EUR", .missed), ("0 EUR per GiB", .missed), ("EUR", .missed), ("free", .missed),
        ("0 TBD", .missed),
        ("0,.0 EUR", .missed), (",0", .missed), ("0½", .missed), ("0 0", .missed),
    ])
    func aChargeOfZeroIsNoCharge(_ amount: String, _ state: Deadline.State) throws {
        var timeline = Timeline()
        timeline.charges = [
            .init(day: try #require(Day("2027-02-01")), amount: amount, reason: "egress")
        ]
        let report = DeadlineReport(
            timeline, profiles: [try LegalProfile.named("data-act")],
            calendar: try HolidayCalendar.named("fr"), today: nil)
        #expect(try deadline(report, "data-act/29").state == state)
    }

    @Test func textsThatContradictEachOtherAreNamed() throws {
        let days: [TimelineEvent: String] = [
            .transitionEnd: "2027-01-31", .contractEnd: "2027-01-31",
        ]
        let all = ["data-act", "ccag-tic-2021", "clausier-securite-sante"]
        let conflicting = try report(all, days)
        #expect(conflicting.conflicts.count == 1)
        let conflict = try #require(conflicting.conflicts.first)
        #expect(conflict.event == .destructionReport)
        #expect(conflict.earliest.rule.id == "data-act/25-2-h")
        #expect(conflict.earliest.earliest?.text == "2027-03-03")
        #expect(conflict.latest.rule.id == "clausier-securite-sante/o-12.3.14")
        #expect(conflict.latest.latest?.text == "2027-03-01")
        #expect(conflict.text.contains("Art. 25(2)(g), (h)"))
        #expect(conflict.text.contains("O-12.3.14"))
        // With three months there is none.
        #expect(try report(["data-act", "ccag-tic-2021"], days).conflicts.isEmpty)
        // An agreed retrieval of four months contradicts both.
        var longer = days
        longer[.retrievalEnd] = "2027-05-31"
        let both = try report(all, longer).conflicts.map(\.latest.rule.id)
        #expect(both.contains("ccag-tic-2021/destruction"))
        #expect(both.contains("clausier-securite-sante/o-12.3.14"))
    }

    @Test func theErasureWaitsForTheLongestRule() throws {
        let days: [TimelineEvent: String] = [
            .transitionEnd: "2027-03-01", .formalNotice: "2027-03-20",
        ]
        let report = try report(["data-act", "secnumcloud-3.2"], days)
        #expect(report.erasureBound?.rule.id == "secnumcloud-3.2/19.4.a")
        // 21 days from 20 March end on Saturday 10 April.
        #expect(report.erasureBound?.day?.text == "2027-04-12")
        #expect(report.erasureBound?.moment?.text == "2027-04-12T22:00:00.000Z")
        let unknown = try self.report(["secnumcloud-3.2"], [.transitionEnd: "2027-03-01"])
        #expect(unknown.erasureBound == nil)
        #expect(unknown.unknownErasureBounds.map(\.rule.id) == ["secnumcloud-3.2/19.4.a"])
    }

    @Test func aTrialCopyIsDueThreeMonthsBefore() throws {
        let report = try report(
            ["clausier-securite-sante"],
            [.contractEnd: "2027-05-31", .trialCopy: "2027-03-01", .handover: "2027-05-31"])
        #expect(try deadline(report, "clausier-securite-sante/o-12.3.10").day?.text == "2027-02-28")
        #expect(try deadline(report, "clausier-securite-sante/o-12.3.10").state == .missed)
        #expect(try deadline(report, "clausier-securite-sante/o-12.3.11").state == .met)
    }

    @Test func whatIsStillToComeIsOpenUntilItsDayHasPassed() throws {
        let days: [TimelineEvent: String] = [.noticeReceived: "2027-01-04"]
        let open = try report(["data-act"], days, today: "2027-03-04")
        #expect(try deadline(open, "data-act/25-2-d").state == .open)
        let missed = try report(["data-act"], days, today: "2027-03-05")
        #expect(try deadline(missed, "data-act/25-2-d").state == .missed)
    }

    @Test func whatIsNoProfileIsRefused() {
        #expect(throws: Failure(.legalProfile, "")) { try LegalProfile.named("data-act-2") }
        for text in ["{}", "[]", "{\"exeat-legal-profile\":1}", "x"] {
            #expect(throws: Failure(.legalProfile, "")) {
                try LegalProfile(parsing: Array(text.utf8))
            }
            #expect(throws: Failure(.legalProfile, "")) {
                try HolidayCalendar(parsing: Array(text.utf8))
            }
        }
    }

    /// Profiles and calendars come with archives, too: whatever they say, the reckoning ends.
    @Test func whatCannotBeReckonedIsRefusedOrNotKnown() throws {
        let far = LegalTexts.profiles.first { $0.id == "secnumcloud-3.2" }.map {
            $0.json.replacing("P21D", with: "P9999Y")
        }
        #expect(throws: Failure(.legalProfile, "")) {
            try LegalProfile(parsing: Array(#require(far).utf8))
        }
        let days = (1...28).flatMap { day in (1...12).map { (day, $0) } }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let holidays = days.map { day, month in
            "{\"name\":{\"fr\":\"x\",\"en\":\"x\"},\"date\":\"\(two(month))-\(two(day))\"}"
        }
        let never =
            LegalTexts.calendars[0].json.split(separator: "\"holidays\": [")[0]
            + "\"holidays\": [" + holidays.joined(separator: ",") + "]}"
        #expect(throws: Failure(.legalProfile, "")) {
            try HolidayCalendar(parsing: Array(never.utf8))
        }
        // Each event follows from every other.
        let events = TimelineEvent.allCases.prefix(13).map(\.rawValue)
        let rules = events.flatMap { event in
            events.filter { $0 != event }.map { from in
                """
                {"id":"\(event)-\(from)","clause":"x","kind":"at-most","event":"\(event)","from":"\(from)",
                 "period":"P1D","source":"unverified","says":{"fr":"x","en":"x"}}
                """
            }
        }
        let tangled = try LegalProfile(
            parsing: Array(
                """
                {"exeat-legal-profile":1,"id":"x","title":{"fr":"x","en":"x"},"text":"x","counting":"1182-71",
                 "rules":[\(rules.joined(separator: ","))]}
                """.utf8))
        let report = DeadlineReport(
            Timeline(), profiles: [tangled], calendar: try HolidayCalendar.named("fr"), today: nil)
        #expect(report.deadlines.allSatisfy { $0.state == .unknown })
    }

    @Test func whatComesWithTheProgramCanBeRead() throws {
        #expect(
            LegalProfile.known == [
                "ccag-tic-2021", "clausier-securite-sante", "data-act", "secnumcloud-3.2",
            ])
        for id in LegalProfile.known { #expect(try LegalProfile.named(id).id == id) }
        for id in HolidayCalendar.known { #expect(try HolidayCalendar.named(id).id == id) }
    }
}
