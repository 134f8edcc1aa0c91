public import Basics

/// A piece of a plan's text: what stands there, or a reference to a secret kept elsewhere.
///
/// `${env:NAME}` is a variable of the environment, `${file:/path}` the content of a file without
/// one newline at its end, and `$${` the characters `${`.
enum PlanReference {
    case text(String)
    case variable(String)
    case file(String)

    struct Problem: Error {
        let message: String
    }

    static func split(_ text: String) -> Result<[PlanReference], Problem> {
        var pieces: [PlanReference] = []
        var plain = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            plain += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                plain += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    return .failure(Problem(message: "a reference \"${\" does not end with \"}\""))
                }
                if !plain.isEmpty { pieces.append(.text(plain)) }
                plain = ""
                let inside = rest[..<end].dropFirst(2)
                guard let reference = PlanReference(inside: inside) else {
                    return .failure(
                        Problem(
                            message: "\"${\(inside)}\" is no reference: write ${env:NAME}, "
                                + "${file:/path}, or \"$${\" for the characters"))
                }
                pieces.append(reference)
                rest = rest[rest.index(after: end)...]
            } else {
                plain += "$"
                rest = rest.dropFirst()
            }
        }
        plain += rest
        if !plain.isEmpty || pieces.isEmpty { pieces.append(.text(plain)) }
        return .success(pieces)
    }

    private init?(inside: Substring) {
        if inside.hasPrefix("env:") {
            let name = inside.dropFirst(4)
            let allowed = name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0)
                    || (0x61...0x7a).contains($0) || $0 == 0x5f
            }
            guard allowed, let first = name.utf8.first, !(0x30...0x39).contains(first) else {
                return nil
            }
            self = .variable(String(name))
        } else if inside.hasPrefix("file:"), inside.count > 5 {
            self = .file(String(inside.dropFirst(5)))
        } else {
            return nil
        }
    }

    /// Larger files are no passwords.
    private static let largestSecret = 64 << 10

    /// What the reference stands for, or why that cannot be had.
    func resolve(_ origin: PlanOrigin) throws(Failure) -> String {
        switch self {
        case .text(let text): return text
        case .variable(let name):
            guard let value = origin.variable(name) else {
                throw Failure(.planSecretUnavailable, "the environment has no variable \"\(name)\"")
            }
            return value
        case .file(let path):
            var bytes = try Files.read(origin.resolve(path), limit: Self.largestSecret)
            if bytes.last == 0x0a { bytes.removeLast() }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Failure(.planSecretUnavailable, "\"\(path)\" is not UTF-8")
            }
            return text
        }
    }
}

extension PlanNode {
    /// A value that is secret as a whole, such as a password: it must be a reference, since a plan
    /// is kept, shown and signed for. The digest of a plan covers the reference, never the value.
    public func secret(_ problems: PlanProblems) -> Secret? {
        resolved(problems, literal: false)
    }

    /// A text some part of which may be secret, such as a connection string.
    public func textWithSecrets(_ problems: PlanProblems) -> Secret? {
        resolved(problems, literal: true)
    }

    private func resolved(_ problems: PlanProblems, literal: Bool) -> Secret? {
        guard let text = written(problems) else { return nil }
        switch PlanReference.split(text) {
        case .failure(let problem):
            problems.add(.planInvalidValue, problem.message, at: self)
            return nil
        case .success(let pieces):
            guard literal || pieces.contains(where: { if case .text = $0 { false } else { true } })
            else {
                problems.add(
                    .planInvalidValue,
                    "\(name) is a secret and does not belong into a plan: "
                        + "write ${env:NAME} or ${file:/path}", at: self)
                return nil
            }
            return value(of: pieces, problems)
        }
    }

    private func value(of pieces: [PlanReference], _ problems: PlanProblems) -> Secret? {
        var value = ""
        for piece in pieces {
            do throws(Failure) {
                value += try piece.resolve(origin)
            } catch {
                problems.add(
                    .planSecretUnavailable, "cannot read the secret of \(name): \(error.what)",
                    at: self)
                return nil
            }
        }
        guard !value.isEmpty, !value.utf8.contains(0) else {
            problems.add(
                .planSecretUnavailable, "the secret of \(name) is empty or holds a NUL character",
                at: self)
            return nil
        }
        return Secret(value)
    }
}
