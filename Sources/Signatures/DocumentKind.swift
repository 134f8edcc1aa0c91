/// What a key may sign.
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// Seals archives.
    case exporter
    /// Signs the receipt of an import.
    case importer
    /// Accepts a reversibility in the customer's name.
    case controller
    /// Certifies that the data was erased at the source.
    case eraser
}

/// A kind of signed document.
///
/// One string separates the kinds for both algorithms: it is the namespace of SSHSIG and the
/// context of FIPS 204, so a signature made for one kind never holds for another.
public struct DocumentKind: Sendable, Hashable {
    public let context: String
    /// The roles of which a signer must have one.
    public let roles: [Role]

    /// The role that most signers of the kind have.
    public var role: Role { roles[0] }

    /// - Parameter context: 1 to 255 bytes, as FIPS 204 (5.2) and SSHSIG require.
    public init(context: String, role: Role, or others: Role...) {
        precondition((1...255).contains(context.utf8.count), "a context of 1 to 255 bytes")
        self.context = context
        roles = [role] + others
    }

    /// Whether somebody with these roles may sign it.
    public func maySign(_ held: Set<Role>) -> Bool { roles.contains { held.contains($0) } }

    /// `plan.json`: what was agreed, before anything leaves.
    public static let plan = DocumentKind(context: "exeat/plan/v1", role: .controller)
    /// `seal.json`.
    public static let seal = DocumentKind(context: "exeat/seal/v1", role: .exporter)
    /// `receipt-N.json`.
    public static let receipt = DocumentKind(context: "exeat/receipt/v1", role: .importer)
    /// `acceptance.json`.
    public static let acceptance = DocumentKind(context: "exeat/acceptance/v1", role: .controller)
    /// `erasure-request.json`.
    public static let erasureRequest = DocumentKind(
        context: "exeat/erasure-request/v1", role: .controller)
    /// `override-N.json`: one of two approvals of an erasure against its lock.
    public static let override = DocumentKind(
        context: "exeat/override/v1", role: .controller, or: .eraser)
    /// `erasure.json`.
    public static let erasure = DocumentKind(context: "exeat/erasure/v1", role: .eraser)

    /// Every kind Exeat writes.
    public static let all = [
        plan, seal, receipt, acceptance, erasureRequest, override, erasure,
    ]
}
