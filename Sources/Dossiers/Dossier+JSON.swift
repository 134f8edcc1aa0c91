import Bags
public import Basics
import Deadlines
import Primitives

extension Dossier {
    /// What a script reads: stage, documents, lock, deadlines, problems.
    public var json: JSON {
        [
            "stage": .string(stage.rawValue),
            "good": .bool(isGood),
            "documents": .array(documents.map(\.json)),
            "lock": lock.json,
            "deadlines": deadlines.json,
            "problems": .array(problems.map(\.json)),
        ]
    }

    /// A line for each document and date, for people.
    public var lines: [String] {
        var lines = documents.map { document in
            "document: \(document.kind.file), \(document.createdAt.text), "
                + (document.isTrusted
                    ? "signed by \(document.signer.principal)"
                    : "NOT TRUSTED: signed by \(document.signer.ed25519)")
        }
        lines += deadlines.lines
        if let erasure {
            if erasure.predicate["lock"]?["overridden"]?.bool == true {
                let names = lock.approvals.map { "\($0.name) (\($0.principal)): \($0.reason)" }
                lines.append(
                    "erased AGAINST THE LOCK, approved by " + names.joined(separator: "; "))
            }
        } else {
            lines += lock.reasons.map { "erasure locked: \($0.what)" }
            if lock.isOverridden {
                lines.append(
                    "erasure approved against the lock by "
                        + lock.approvals.map { "\($0.name) (\($0.principal)): \($0.reason)" }
                        .joined(separator: "; "))
            }
        }
        return lines
    }
}

extension DossierDocument {
    public var json: JSON {
        [
            "file": .string(kind.file), "sha256": .string(sha256.hex),
            "createdAt": .string(createdAt.text),
            "signer": Statement.json(signer), "trusted": .bool(isTrusted),
            "follows": ["name": .string(before.name), "sha256": .string(before.sha256.hex)],
            "place": .string(place),
        ]
    }
}

extension ErasureLock {
    public var json: JSON {
        [
            "open": .bool(isOpen), "overridden": .bool(isOverridden),
            "notBefore": notBefore.map { .string($0.text) } ?? .null,
            "lastDay": lastDay.map { .string($0.text) } ?? .null,
            "rule": bound.map { .string("\($0.profile) \($0.rule.clause)") } ?? .null,
            "reasons": .array(reasons.map(\.json)),
            "approvals": .array(
                approvals.map {
                    [
                        "document": .string($0.document), "name": .string($0.name),
                        "principal": .string($0.principal), "reason": .string($0.reason),
                    ]
                }),
        ]
    }
}
