import Basics

/// What one text of law or contract asks of dates: data of `Manifests/legal`.
public struct LegalProfile: Sendable {
    /// `data-act`, `ccag-tic-2021`, …
    public let id: String
    public let title: LocalText
    /// The text itself: `Regulation (EU) 2023/2854`.
    public let text: LocalText
    /// The rules of counting: `1182-71`.
    public let counting: String
    public let rules: [LegalRule]
    /// The bytes it was read from, for a digest that tells others which one was used.
    public let bytes: [UInt8]
}

/// One rule about a date.
public struct LegalRule: Sendable, Hashable {
    /// How a date is bound.
    public enum Kind: String, Sendable, Hashable {
        /// No later than the last day of the period after `from`.
        case atMost = "at-most"
        /// No earlier than the last day of the period after `from`.
        case atLeast = "at-least"
        /// Only once the period after `from` is over: the next day at the earliest.
        case after
        /// No later than the day that lies the period before `from`.
        case before
        /// Not from the day `on` on.
        case noneFrom = "none-from"
        /// No more often than `times`.
        case times
    }

    /// How well the words behind the rule are known.
    public enum Source: String, Sendable, Hashable {
        /// Read in its official wording.
        case primary
        /// Read in a text about it.
        case secondary
        /// Not verified: check the text before relying on it.
        case unverified
    }

    /// `data-act/25-2-g`.
    public let id: String
    /// Where it stands: `Art. 25(2)(g)`.
    public let clause: LocalText
    public let kind: Kind
    public let event: TimelineEvent
    public let from: TimelineEvent?
    public let period: Period?
    public let on: Day?
    public let times: Int64?
    /// Events that put another rule in its place.
    public let unless: [TimelineEvent]
    /// Events of which one must have happened for the rule to be broken; none of a rule that holds anyhow.
    public let onlyIf: [TimelineEvent]
    public let source: Source
    public let says: LocalText
}

/// A date that matters between the parties, as plans and documents name it.
public enum TimelineEvent: String, Sendable, Hashable, CaseIterable {
    /// The customer's notice that it will switch has reached the provider.
    case noticeReceived = "notice-received"
    case noticeEnd = "notice-end"
    /// The provider has told that the transition takes longer than the law's period.
    case infeasibilityNotified = "infeasibility-notified"
    case transitionStart = "transition-start"
    case transitionEnd = "transition-end"
    /// The end of a longer transition that the provider has justified.
    case alternativeEnd = "alternative-end"
    /// The end of a transition that the customer has extended.
    case extensionEnd = "extension-end"
    /// A copy for trying out a migration was handed over.
    case trialCopy = "trial-copy"
    /// The data was handed over: the archive was sealed.
    case handover
    /// The customer accepts: integrated and usable.
    case acceptance
    /// Until when the customer may still retrieve its data.
    case retrievalEnd = "retrieval-end"
    case contractEnd = "contract-end"
    /// The formal notice that data will be erased.
    case formalNotice = "formal-notice"
    case erasureRequest = "erasure-request"
    case erasure
    /// The signed record of the destruction.
    case destructionReport = "destruction-report"
    /// Charges for switching.
    case charges

    /// Those that a plan may give; the others follow from documents.
    public static let planned: [TimelineEvent] = [
        .noticeReceived, .noticeEnd, .infeasibilityNotified, .transitionStart, .transitionEnd,
        .alternativeEnd, .extensionEnd, .trialCopy, .retrievalEnd, .contractEnd, .formalNotice,
    ]
}
