public import Basics

/// A time-stamp in `proof/`: what it is about, and by which of the plan's authorities.
///
/// The names are a closed list: `opening.tsr`, `opening-2.tsr`, … `opening-9.tsr` over the journal's
/// first line, `timestamped.txt.tsr`, `timestamped.txt-2.tsr`, … over `timestamped.txt`; each with
/// `.tsq` for the request that it answers.
public struct StampPlace: Sendable, Hashable, Comparable {
    public enum Kind: String, Sendable, CaseIterable, Comparable {
        case opening
        case closing

        var stem: String { self == .opening ? "opening" : "timestamped.txt" }

        public static func < (left: Kind, right: Kind) -> Bool {
            left == .opening && right == .closing
        }
    }

    public let kind: Kind
    /// From 1 to 9.
    public let number: Int

    public static let numbers = 1...9

    public init(_ kind: Kind, _ number: Int) {
        precondition(Self.numbers.contains(number), "a time-stamp from 1 to 9")
        self.kind = kind
        self.number = number
    }

    private var stem: String { kind.stem + (number == 1 ? "" : "-\(number)") }

    /// The name in `proof/` of the token.
    public var token: String { stem + ".tsr" }
    /// The name in `proof/` of the request.
    public var request: String { stem + ".tsq" }
    /// For people.
    public var name: String { "\(kind.rawValue) time stamp" + (number == 1 ? "" : " \(number)") }

    public static let all = Kind.allCases.flatMap { kind in numbers.map { StampPlace(kind, $0) } }

    public init?(token file: String) {
        guard let place = Self.all.first(where: { $0.token == file }) else { return nil }
        self = place
    }

    init?(request file: String) {
        guard let place = Self.all.first(where: { $0.request == file }) else { return nil }
        self = place
    }

    public static func < (left: StampPlace, right: StampPlace) -> Bool {
        (left.kind, left.number) < (right.kind, right.number)
    }
}

/// What a token says, as far as the verifier could judge it.
public struct CertifiedTime: Sendable, Equatable {
    public let moment: Timestamp
    /// In microseconds; nil where the authority says nothing.
    public let accuracy: Int64?
    /// Who says so.
    public let authority: String
    /// Numbers and dots.
    public let policy: String
    /// In hexadecimal, unique for one authority.
    public let serial: String
    /// Whether the authority is one that the verifier was told to believe.
    public let isTrusted: Bool
    /// What a second reader says, for people.
    public let note: String?

    public init(
        moment: Timestamp, accuracy: Int64?, authority: String, policy: String, serial: String,
        isTrusted: Bool, note: String?
    ) {
        self.moment = moment
        self.accuracy = accuracy
        self.authority = authority
        self.policy = policy
        self.serial = serial
        self.isTrusted = isTrusted
        self.note = note
    }

    public var json: JSON {
        [
            "time": .string(moment.text),
            "accuracyMicroseconds": accuracy.map { .integer($0) } ?? .null,
            "authority": .string(authority), "policy": .string(policy),
            "serial": .string(serial), "trusted": .bool(isTrusted),
            "secondOpinion": note.map { .string($0) } ?? .null,
        ]
    }
}
