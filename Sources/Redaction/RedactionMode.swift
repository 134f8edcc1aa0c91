/// What becomes of the secrets in a configuration file; the word is the one of the plan.
public enum RedactionMode: String, Sendable, CaseIterable {
    /// A value is replaced by a placeholder that tells its class and nothing else.
    case omit
    /// The placeholder carries a keyed digest as well: equal values have equal placeholders.
    case reference
    /// Nothing is replaced; the findings say where secrets are. Only for what is encrypted as a whole.
    case sealed
}
