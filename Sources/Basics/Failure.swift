import Glibc

/// The one error type below the command line: a code for scripts, a sentence and a hint for people.
///
/// Messages are lower case without a full stop and quote the object ("cannot read \"/srv/x\"");
/// what caused a failure is attached, never pasted into the text.
public struct Failure: Error, Sendable {
    public let code: Code
    /// What happened, and to which object.
    public let what: String
    /// What the reader can do next, as a sentence.
    public let hint: String?
    /// Whether the same step may succeed when it is tried again without changing anything.
    public let mayRetry: Bool
    /// What brought this about; at most one element, an array only because a struct cannot hold itself.
    private let causes: [Failure]

    public var cause: Failure? { causes.first }

    public init(
        _ code: Code, _ what: String, hint: String? = nil, mayRetry: Bool = false,
        cause: Failure? = nil
    ) {
        self.code = code
        self.what = what
        self.hint = hint
        self.mayRetry = mayRetry
        self.causes = cause.map { [$0] } ?? []
    }

    /// A failed system call: the code follows from `errno`.
    public init(errno number: Int32, _ what: String, hint: String? = nil) {
        let code: Code
        var advice = hint
        switch number {
        case ENOENT, ENOTDIR: code = .notFound
        case EACCES, EPERM, EROFS: code = .denied
        case EEXIST: code = .exists
        case ENOSPC, EDQUOT:
            code = .noSpace
            advice = hint ?? "Free space on the file system, then run the same command again."
        case EWOULDBLOCK: code = .locked
        case EMFILE, ENFILE, ENOMEM:
            code = .exhausted
            advice = hint ?? Self.advice(exhausted: number)
        default: code = .inputOutput
        }
        self.init(code, "\(what): \(describeErrno(number))", hint: advice)
    }

    /// Whether an error number tells of this program's means, not of the object that was asked for.
    public static func isExhaustion(_ number: Int32) -> Bool {
        number == EMFILE || number == ENFILE || number == ENOMEM
    }

    private static func advice(exhausted number: Int32) -> String {
        switch number {
        case EMFILE:
            "Raise the limit of open files (ulimit -n), or lower limits.workers in the plan; then "
                + "run the same command again."
        case ENFILE:
            "Raise the system's limit of open files (sysctl fs.file-max), then run the same command "
                + "again."
        default: "Give it more memory, then run the same command again."
        }
    }

    /// The same failure, one level down: `what` says what was being done when it struck.
    public func during(_ what: String, hint: String? = nil) -> Failure {
        Failure(code, what, hint: hint, mayRetry: mayRetry, cause: self)
    }

    /// The failure with its causes, drawn as a tree of lines.
    public var rendered: String {
        var lines: [String] = []
        var current: Failure? = self
        var indent = ""
        while let failure = current {
            lines.append(lines.isEmpty ? failure.what : "\(indent)└─ \(failure.what)")
            if !lines.isEmpty, lines.count > 1 { indent += "   " }
            if let hint = failure.hint { lines.append("\(indent)hint: \(hint)") }
            current = failure.cause
        }
        return lines.joined(separator: "\n")
    }
}

extension Failure: CustomStringConvertible {
    public var description: String { rendered }
}

extension Failure: Equatable {
    /// Failures are equal when their codes are: tests state the cause, not the wording.
    public static func == (left: Failure, right: Failure) -> Bool { left.code == right.code }
}

/// The text of an error number, as strerror(3) prints it.
public func describeErrno(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(number, &buffer, buffer.count) != nil else { return "error \(number)" }
    let message = unsafe String(cString: strerror_r(number, &buffer, buffer.count))
    return message.prefix(1).lowercased() + message.dropFirst()
}
