/// A language of reports.
public enum Language: String, Sendable, CaseIterable {
    case french = "fr"
    case english = "en"
}
