import Basics
import Connectors
import Plans

/// What a plan says about a source of kind `logs`: each family reads its own part.
struct LogsSettings: Sendable {
    let journald: JournaldSettings?
    let text: TextSettings?
    let accepted: Set<LogOmission>

    static let shape = PlanShape(optional: ["journald", "text"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        journald = settings?["journald"].map { JournaldSettings($0, problems) }
        var text = settings?["text"].map { TextSettings($0, problems) }
        text?.exclude(source.exclusions, problems)
        if text == nil {
            for exclusion in source.exclusions {
                problems.add(
                    .planInvalidValue, "only files of text logs can be left out by \"exclude\"",
                    at: exclusion.patterns)
            }
        }
        self.text = text
        if let settings, settings["journald"] == nil, settings["text"] == nil {
            problems.add(
                .planMissingValue, "give \"journald\", \"text\" or both",
                atKeyOf: settings.node)
        }
        source.checkAccepted(among: LogOmission.allCases.map(\.rawValue), problems)
        accepted = Set(source.accept.compactMap { LogOmission(rawValue: $0) })
    }
}

/// Why something of a log is not in the archive, or not as it was; the words that `accept` takes.
///
/// Both families add their words here.
enum LogOmission: String, Sendable, CaseIterable {
    /// Entries that the head of a journal file counts, and that are not found in it.
    case entriesMissing = "entries-missing"
    /// Entries that are there and cannot be read.
    case entriesUnreadable = "entries-unreadable"
    /// Entries that are exported, but lack fields that cannot be read.
    case fieldsUnreadable = "fields-unreadable"
    /// Entries that are exported with a field whose bytes do not have the hash that the file says.
    case fieldsDamaged = "fields-damaged"
    /// Journal files that are none, or whose head is damaged.
    case filesUnreadable = "files-unreadable"
    /// Journal files that are damaged, and of which all entries were found all the same: named, and always covered.
    case filesDamaged = "files-damaged"
    /// Gone between the inventory and the reading.
    case vanished
    /// Text logs, or directories of theirs, that may not be read or gave a read error.
    case unreadable
    /// Text logs that were emptied or cut short between the inventory and the reading.
    case shortened
    /// Directories that a pattern leads to, and of whose files none is exported.
    case directories
    /// FIFOs, sockets, devices and links that lead nowhere, which a pattern leads to.
    case specialFiles = "special-files"
    /// Text logs whose bytes changed below the end that the inventory saw.
    case changed
    /// Packed text logs that cannot be unpacked to their end; their stored bytes are kept all the same.
    case damaged
    /// Sealed journal files that do not verify.
    case sealBroken = "seal-broken"
}
