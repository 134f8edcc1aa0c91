import Basics
import Logs
import Plans

/// What a plan says under `journald:`.
struct JournaldSettings: Sendable {
    /// Directories of journal files, or single ones; empty for the journal of this machine.
    let directories: [String]
    let isLive: Bool
    let range: TextRange
    let zone: TextTimeZone
    /// Ids of boots, or places from the last (0, -1, …); nil for all.
    let boots: [String]?
    let units: [String]?
    /// A bit for each level.
    let priorities: UInt8?
    /// Whether the journal files themselves are kept, too.
    let verbatim: Bool
    /// Verifies sealed files; a secret, since it can be used to seal as well.
    let key: JournalVerificationKey?

    static let shape = PlanShape(
        optional: [
            "directory", "live", "since", "until", "timezone", "boots", "units", "priorities",
            "verbatim", "verification-key",
        ])

    init(_ node: PlanNode, _ problems: PlanProblems) {
        let settings = node.mapping(Self.shape, problems)
        directories = settings?.paths("directory") ?? []
        isLive = settings?.flag("live") ?? false
        if let settings, (settings["directory"] == nil) != isLive {
            problems.add(
                .planMissingValue,
                "give either \"directory\" of the journal files, or \"live: true\" for the journal "
                    + "of this machine", atKeyOf: node)
        }
        var zone = TextTimeZone.local()
        if let name = settings?.string("timezone"), let place = settings?["timezone"] {
            do throws(Failure) { zone = try TextTimeZone(named: name) } catch {
                problems.add(.planInvalidValue, error.what, at: place)
            }
        }
        self.zone = zone
        var range = TextRange()
        if let settings {
            range.since = PlanMoment.read("since", settings, zone, problems)
            range.until = PlanMoment.read("until", settings, zone, problems)
        }
        if let since = range.since, let until = range.until, until < since {
            problems.add(.planInvalidValue, "\"until\" is before \"since\"", atKeyOf: node)
        }
        self.range = range
        boots = Self.boots(settings, problems)
        units = settings?.strings("units")?.map(Self.unit)
        priorities = Self.priorities(settings, problems)
        verbatim = settings?.flag("verbatim") ?? false
        let secret = settings?.secret("verification-key")
        key = secret.flatMap { JournalVerificationKey($0.revealed()) }
        if secret != nil, key == nil, let place = settings?["verification-key"] {
            problems.add(
                .planInvalidValue,
                "\"verification-key\" does not have the form that journalctl --setup-keys prints",
                at: place)
        }
    }

    /// Microseconds since 1970, both included: an entry is in the range if its time is.
    var filter: JournalFilter {
        JournalFilter(
            since: range.since.map { Self.microseconds($0, up: true) },
            until: range.until.map { Self.microseconds($0, up: false) }, units: units,
            priorities: priorities)
    }

    private static func microseconds(_ time: Timestamp, up: Bool) -> UInt64 {
        let nanoseconds = Int64(time.nanoseconds) + (up ? 999 : 0)
        return UInt64(max(0, time.seconds * 1_000_000 + nanoseconds / 1000))
    }

    private static func boots(
        _ settings: PlanMapping?, _ problems: PlanProblems
    ) -> [String]? {
        guard let settings, let boots = settings.strings("boots") else { return nil }
        if boots == ["all"] { return nil }
        for boot in boots where JournalID(boot) == nil && Int(boot) == nil {
            problems.add(
                .planInvalidValue,
                "\"\(boot)\" is no boot: give its id, or 0 for the last one, -1 for the one before, "
                    + "and so on", atKeyOf: settings.node)
        }
        return boots
    }

    /// With the suffix that journalctl would add.
    private static func unit(_ name: String) -> String {
        let suffixes = [
            ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path",
            ".timer", ".slice", ".scope",
        ]
        let isWhole =
            name.hasSuffix("*") || suffixes.contains { name.hasSuffix($0) }
        return isWhole ? name : name + ".service"
    }

    private static let levels = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ]

    private static func level(_ text: Substring) -> UInt8? {
        if let number = UInt8(text), number < 8 { return number }
        let words = ["error": 3, "warn": 4, "panic": 0] as [Substring: UInt8]
        return words[text] ?? levels.firstIndex(of: String(text)).map { UInt8($0) }
    }

    /// One level stands for itself and all that are more severe, as for `journalctl --priority`;
    /// `a..b` for a range; several for just these.
    private static func priorities(
        _ settings: PlanMapping?, _ problems: PlanProblems
    ) -> UInt8? {
        guard let settings, let texts = settings.strings("priorities") else { return nil }
        var mask: UInt8 = 0
        for text in texts {
            if let dots = text.firstRange(of: "..") {
                guard let one = level(text[..<dots.lowerBound]),
                    let other = level(text[dots.upperBound...])
                else {
                    note(text, settings, problems)
                    continue
                }
                for level in min(one, other)...max(one, other) { mask |= 1 << level }
            } else if let level = level(text[...]) {
                mask |= 1 << level
                if texts.count == 1 { mask |= (1 << level) - 1 }
            } else {
                note(text, settings, problems)
            }
        }
        return mask
    }

    private static func note(
        _ text: String, _ settings: PlanMapping, _ problems: PlanProblems
    ) {
        problems.add(
            .planInvalidValue,
            "\"\(text)\" is no priority: give 0 to 7, a name from emerg to debug, or a range such as "
                + "emerg..err", atKeyOf: settings.node)
    }
}
