/// Where a secret was, never what it was.
public struct Finding: Sendable, Hashable {
    public let secretClass: SecretClass
    /// What noticed it, as a word for the catalogue: `key-name`, `url`, `pem`, `known-prefix`, …
    public let detector: String
    /// The line on which the value begins, from 1; 0 where the whole file is the secret.
    public let line: Int
    /// The byte of that line at which the value begins, from 1; 0 where the whole file is the secret.
    public let column: Int
    /// The name under which the value stands (`spring.datasource.password`), where there is one that is
    /// surely a name.
    public let key: String?
    /// What stands there now; nil in mode `sealed`.
    public let placeholder: String?

    public init(
        secretClass: SecretClass, detector: String, line: Int, column: Int, key: String?,
        placeholder: String?
    ) {
        self.secretClass = secretClass
        self.detector = detector
        self.line = line
        self.column = column
        self.key = key
        self.placeholder = placeholder
    }

    /// The same behind some bytes more on its line.
    func moved(by bytes: Int) -> Finding {
        Finding(
            secretClass: secretClass, detector: detector, line: line, column: column + bytes,
            key: key, placeholder: placeholder)
    }
}

/// A file after redaction.
public struct RedactionResult: Sendable {
    /// What may be stored: in `omit` and `reference` without any secret, in `sealed` as it was.
    public let content: [UInt8]
    /// In the order of the file; empty where nothing was found.
    public let findings: [Finding]
    /// The whole file is a secret or cannot be looked into. In `omit` and `reference` `content` is then
    /// a single placeholder and a line break.
    public let isOpaqueSecret: Bool

    /// Whether `content` is not what was given.
    public let isChanged: Bool
}
