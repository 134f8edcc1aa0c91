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

    /// A line for each document, and for an erasure against the lock.
    public var documentLines: [String] {
        var lines = documents.map { document in
            "document: \(document.kind.file), \(document.createdAt.text), "
                + (document.isTrusted
                    ? "signed by \(document.signer.principal)"
                    : "NOT TRUSTED: signed by \(document.signer.ed25519)")
        }
        let approvals = lock.approvals.map { "\($0.name) (\($0.principal)): \($0.reason)" }
        if erasure?.predicate["lock"]?["overridden"]?.bool == true {
            lines.append(
                "erased AGAINST THE LOCK, approved by " + approvals.joined(separator: "; "))
        } else if erasure == nil, lock.isOverridden {
            lines.append(
                "erasure approved against the lock by " + approvals.joined(separator: "; "))
        }
        return lines
    }

    /// The same with dates, and with what keeps the source from being erased.
    public var lines: [String] {
        let reasons = erasure == nil ? lock.reasons.map { "erasure locked: \($0.what)" } : []
        return documentLines + deadlines.lines + reasons
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
            "rule": bound.map { .string("\($0.profile) \($0.rule.clause.en)") } ?? .null,
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
