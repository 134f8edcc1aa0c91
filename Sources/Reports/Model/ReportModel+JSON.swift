public import Basics
import Deadlines
import Manifests

extension ReportModel {
    /// The machine form; its schema is `Manifests/schemas/v1/report.schema.json`.
    public var json: JSON {
        [
            "exeat-report": 1,
            "madeAt": .string(madeAt.text),
            "tool": ["name": "exeat", "version": .string(tool)],
            "verdict": verdict.json,
            "names": .bool(withNames),
            "archive": archive.json,
            "outcome": outcome?.json ?? .null,
            "documents": .array(chain.map(\.json)),
            "dates": .array(dates.map(\.json)),
            "conflicts": .array(
                conflicts.map { ["earliest": $0.earliest.json, "latest": $0.latest.json] }),
            "lock": lock?.json ?? .null,
            "coverage": coverage?.json ?? .null,
            "sources": .array(sources.map(\.json)),
            "run": run?.json ?? .null,
            "receipts": .array(receipts.map(\.json)),
            "rehearsals": .array(rehearsals.map(\.json)),
            "actions": .array(actions.map(\.json)),
            "dataAct": .array(
                dataAct.map {
                    [
                        "duty": .string($0.duty.rawValue), "article": .string($0.duty.article),
                        "state": .string($0.state.rawValue),
                        "evidence": .array($0.evidence.map(\.json)),
                    ]
                }),
            "checks": .array(
                checks.map {
                    [
                        "name": .string($0.name), "outcome": .string($0.outcome),
                        "detail": .text($0.detail),
                    ]
                }),
            "problems": .array(
                problems.map {
                    [
                        "path": .string($0.path), "code": .integer($0.code),
                        "word": .string($0.word), "what": .string($0.what),
                    ]
                }),
            "problemCount": .integer(Int64(problemCount)),
        ]
    }
}

extension JSON {
    /// A text, or null.
    static func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
    static func number(_ number: Int64?) -> JSON { number.map { .integer($0) } ?? .null }
    static func time(_ moment: Timestamp?) -> JSON { text(moment?.text) }

    static func counts(_ counts: [(name: String, value: Int64)]) -> JSON {
        .object(counts.map { Member($0.name, .integer($0.value)) })
    }

    static func texts(_ texts: [(name: String, value: String)]) -> JSON {
        .object(texts.map { Member($0.name, .string($0.value)) })
    }
}

extension Verdict {
    var json: JSON {
        [
            "word": .string(word.rawValue),
            "failure": failure.map {
                [
                    "code": .integer(Int64($0.code.rawValue)), "word": .string($0.code.word),
                    "what": .string($0.what),
                ]
            } ?? .null,
            "reasons": .array(reasons.map(\.json)),
        ]
    }
}

extension ArchiveFacts {
    fileprivate var json: JSON {
        [
            "name": .text(name), "bag": .text(bag), "purpose": .string(purpose),
            "contract": .text(contract), "provider": .text(provider), "customer": .text(customer),
            "encrypted": .bool(isEncrypted), "proofOnly": .bool(isProofOnly),
            "openedAt": .time(openedAt), "sealedAt": .time(sealedAt),
            "openingStamp": .time(openingStamp), "closingStamp": .time(closingStamp),
            "stamps": .array(
                stamps.map {
                    [
                        "file": .string($0.file), "at": .string($0.moment.text),
                        "authority": .string($0.authority), "trusted": .bool($0.isTrusted),
                    ]
                }),
            "payload": ["files": .integer(files), "bytes": .integer(bytes)],
            "signer": signer?.json ?? .null, "tool": .text(tool),
            "planSha256": .text(planSHA256), "sealSha256": .text(sealSHA256),
            "tagManifestSha256": .text(subjectSHA256),
            "journal": journal.map {
                [
                    "entries": .integer($0.entries), "head": .string($0.head),
                    "root": .string($0.root),
                ]
            } ?? .null,
        ]
    }
}

extension SignerFacts {
    var json: JSON {
        [
            "principal": .string(principal), "ed25519": .string(ed25519),
            "mldsa65": .string(mldsa65), "trusted": .bool(isTrusted),
        ]
    }
}

extension ExportFacts {
    fileprivate var json: JSON {
        [
            "status": .integer(status), "expected": .integer(expected),
            "exported": .integer(exported), "omitted": .integer(omitted), "open": .integer(open),
            "unexplained": .integer(unexplained),
        ]
    }
}

extension ChainLink {
    fileprivate var json: JSON {
        [
            "document": .string(kind.rawValue), "state": .string(state.rawValue),
            "file": .text(file), "at": .time(at), "signer": signer?.json ?? .null,
            "sha256": .text(sha256),
        ]
    }
}

extension DossierDate {
    var json: JSON {
        let label: JSON =
            switch self.label {
            case .sentence(let sentence): sentence.json
            case .texts(let french, let english): ["fr": .string(french), "en": .string(english)]
            }
        return [
            "label": label, "rule": .text(rule), "clause": .text(clause?.en), "from": .text(from),
            "actual": .text(actual),
            "limit": .text(limit), "earliest": .bool(isEarliest), "state": .string(state.rawValue),
        ]
    }
}

extension LockFacts {
    fileprivate var json: JSON {
        [
            "open": .bool(isOpen), "overridden": .bool(isOverridden),
            "reasons": .array(reasons.map { .string($0) }), "notBefore": .time(notBefore),
            "clause": .text(clause?.en),
            "approvals": .array(
                approvals.map {
                    [
                        "name": .string($0.name), "principal": .string($0.principal),
                        "reason": .string($0.reason),
                    ]
                }),
        ]
    }
}

extension CoverageFacts {
    fileprivate var json: JSON {
        [
            "declared": .array(
                declared.map {
                    [
                        "category": .string($0.category), "artifacts": .integer($0.artifacts),
                        "legal": .text($0.legal), "ground": .text($0.ground),
                        "clause": .text($0.clause),
                    ]
                }), "unexplained": .integer(unexplained), "gaps": .counts(gaps),
        ]
    }
}

extension Comparison {
    var json: JSON {
        [
            "name": .string(name), "expected": .string(expected), "found": .string(found),
            "equal": .bool(isEqual),
        ]
    }
}

extension SourceFacts {
    fileprivate var json: JSON {
        [
            "folder": .string(folder), "kind": .string(kind), "name": .string(label),
            "moment": moment.map { ["kind": .string($0.kind), "value": .string($0.value)] }
                ?? .null,
            "facts": .texts(facts), "counts": .counts(counts),
            "expected": .number(expected), "exported": .number(exported),
            "omitted": .integer(omitted), "open": .integer(openOmissions),
            "bytes": .number(plainBytes), "storedBytes": .integer(storedBytes),
            "legal": .array(
                legal.map {
                    [
                        "category": .string($0.category),
                        "artifacts": .integer(Int64($0.artifacts)),
                        "bytes": .integer($0.bytes),
                    ]
                }),
            "omissions": .array(
                omissions.map {
                    [
                        "reason": .string($0.reason), "count": .integer($0.count),
                        "accepted": .bool($0.isAccepted),
                        "examples": .array($0.examples.map { .string($0) }),
                    ]
                }),
            "coverage": coverage?.json ?? .null,
            "artifactCount": .integer(Int64(artifactCount)),
            "artifacts": .array(artifacts.map(\.json)),
            "verified": .array(retaken.map(\.json)),
            "imports": .array(
                imports.map {
                    [
                        "receipt": .string($0.receipt), "equal": .bool($0.isEqual),
                        "different": .integer($0.different), "notSet": .integer($0.notSet),
                        "comparisons": .array($0.comparisons.map(\.json)),
                    ]
                }),
        ]
    }
}

extension SourceFacts.Artifact {
    fileprivate var json: JSON {
        [
            "name": .string(label), "kind": .string(kind), "legal": .string(legal),
            "format": .string(format), "segments": .integer(segments), "bytes": .integer(bytes),
            "digests": .texts(digests), "counts": .counts(counts),
        ]
    }
}

extension RunFacts {
    fileprivate var json: JSON {
        [
            "openedAt": .string(opened.text), "milliseconds": .integer(milliseconds),
            "workingMilliseconds": .integer(working), "bytes": .integer(plainBytes),
            "bytesPerSecond": .number(meanRate), "segments": .integer(Int64(segments)),
            "voided": .integer(Int64(voided)), "lines": .integer(Int64(lines)),
            "pauses": .array(
                pauses.map {
                    ["from": .integer($0.from), "to": .integer($0.to), "code": .number($0.code)]
                }),
            "sources": .array(
                rows.map {
                    [
                        "place": .integer(Int64($0.source)),
                        "inventoried": .integer($0.inventoried), "first": .integer($0.first),
                        "last": .integer($0.last), "bytes": .integer($0.bytes),
                        "segments": .integer(Int64($0.segments)),
                    ]
                }),
        ]
    }
}

extension ReceiptFacts {
    fileprivate var json: JSON {
        [
            "file": .string(file), "rehearsal": .bool(isRehearsal),
            "state": .string(state.rawValue),
            "startedAt": .time(startedAt), "createdAt": .time(createdAt),
            "verify": .string(verify), "status": .integer(status),
            "different": .integer(different), "notSet": .integer(notSet),
            "sources": .integer(Int64(sources.count)),
            "reservations": .array(reservations.map { .string($0) }),
            "signer": signer?.json ?? .null, "sha256": .string(sha256),
            "planSha256": .text(planSHA256), "reportSha256": .text(reportSHA256),
        ]
    }
}

extension RehearsalFacts {
    /// The times and counts; all of it is in the receipt.
    fileprivate var json: JSON {
        [
            "receipt": .string(receipt.file), "verdict": .string(verdict),
            "milliseconds": .integer(milliseconds), "objectiveSeconds": .integer(objectiveSeconds),
            "inTime": .bool(isInTime), "intact": .bool(isArchiveIntact),
            "probes": .integer(Int64(probes.count)), "probesHeld": .integer(Int64(heldProbes)),
            "tiers": .array(
                tiers.map {
                    [
                        "tier": .text($0.name), "milliseconds": .integer($0.milliseconds),
                        "objectiveSeconds": .integer($0.objectiveSeconds),
                        "complete": .bool($0.isComplete), "inTime": .bool($0.isInTime),
                        "recoveryPointSeconds": .number($0.pointSeconds),
                        "recoveryPointObjectiveSeconds": .number($0.pointObjectiveSeconds),
                        "recentEnough": .bool($0.isRecentEnough),
                    ]
                }),
        ]
    }
}

extension ManualAction {
    fileprivate var json: JSON {
        let origin: JSON =
            switch origin {
            case .receipt(let number): .string("receipt-\(number).json")
            case .seal: "seal.json"
            }
        return [
            "document": origin, "folder": .text(folder), "text": .string(text),
            "count": .number(count),
        ]
    }
}
