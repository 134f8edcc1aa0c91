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
    /// The role a signer must have.
    public let role: Role

    /// - Parameter context: 1 to 255 bytes, as FIPS 204 (5.2) and SSHSIG require.
    public init(context: String, role: Role) {
        precondition((1...255).contains(context.utf8.count), "a context of 1 to 255 bytes")
        self.context = context
        self.role = role
    }

    /// `seal.json`.
    public static let seal = DocumentKind(context: "exeat/seal/v1", role: .exporter)
    /// `receipt-N.json`.
    public static let receipt = DocumentKind(context: "exeat/receipt/v1", role: .importer)
    /// `acceptance.json`.
    public static let acceptance = DocumentKind(context: "exeat/acceptance/v1", role: .controller)
    /// `erasure.json`.
    public static let erasure = DocumentKind(context: "exeat/erasure/v1", role: .eraser)

    /// Every kind Exeat writes.
    public static let all = [seal, receipt, acceptance, erasure]
}
