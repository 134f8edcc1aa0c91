import Bags
import Basics
import Connectors
import Dossiers
import Manifests
import Plans
import Primitives
import Signatures

/// `receipt-N.json`: what was verified and imported, and every comparison, as an in-toto Statement
/// about the seal, signed by the importer.
///
/// The receipt may travel with the archive, so it holds counts and digests only; names of objects
/// are in `report.json` in the work directory, which the receipt names by its digest.
struct Receipt {
    let run: ImportRun
    let results: [SourceResult]

    private var different: Int64 { results.reduce(0) { $0 + $1.result.differenceCount } }
    private var notSet: Int64 { results.reduce(0) { $0 + $1.result.shortfallCount } }

    private var status: Int32 {
        let unequal = results.contains { $0.result.comparisons.contains { !$0.equal } }
        if unequal || different > 0 { return 3 }
        return notSet > 0 ? 2 : 0
    }

    /// What somebody who relies on this receipt must know.
    private var reservations: [Reservation] {
        var reservations = run.reservations
        switch run.plan.verify {
        case .digest: break
        case .counts: reservations.append(Reservation(.byCounts))
        case .none: reservations.append(Reservation(.notCompared))
        }
        if notSet > 0 {
            reservations.append(Reservation(.notSet, count: notSet))
        }
        let omitted = run.archive.manifest.sources.reduce(0) { $0 + $1.omissions.total }
        if omitted > 0 {
            reservations.append(Reservation(.omitted, count: omitted))
        }
        let missing = run.archive.manifest.sources.count - results.count
        if missing > 0 {
            reservations.append(Reservation(.notImported, count: missing))
        }
        return reservations + results.flatMap(\.result.reservations)
    }

    /// What somebody must still do on the targets, by source; names are in the report.
    private var manualActions: JSON {
        .array(
            results.filter { $0.result.shortfallCount > 0 }.map { entry in
                [
                    "folder": .string(entry.source.folder),
                    "what": .string(Reservation(.setByHand).text),
                    "count": .integer(entry.result.shortfallCount),
                ]
            })
    }

    /// In milliseconds.
    private func durations(until end: Timestamp) -> JSON {
        [
            "verify": .integer(Self.milliseconds(run.startedAt, run.verifiedAt)),
            "import": .integer(Self.milliseconds(run.verifiedAt, end)),
            "total": .integer(Self.milliseconds(run.startedAt, end)),
        ]
    }

    private static func milliseconds(_ start: Timestamp, _ end: Timestamp) -> Int64 {
        let nanoseconds = Int64(end.nanoseconds - start.nanoseconds)
        return max(0, (end.seconds - start.seconds) * 1000 + nanoseconds / 1_000_000)
    }

    /// How many names or settings were mapped: the single values of what an importer tells.
    private static func mapped(_ mappings: JSON) -> Int64 {
        switch mappings {
        case .object(let members): members.reduce(0) { $0 + mapped($1.value) }
        case .array(let elements): elements.reduce(0) { $0 + mapped($1) }
        case .null: 0
        case .bool, .integer, .string: 1
        }
    }

    func write() throws(Failure) -> ImportOutcome {
        let report = details.canonical
        try Files.write(report, to: run.work + "/report.json", mode: 0o600)
        let number = ReceiptFiles(work: run.work, archive: run.path).nextNumber()
        let bytes = statement(report: SHA256.hash(report)).canonical
        let signatures = try run.signer.sign(bytes, as: .receipt)
        let name = "receipt-\(number).json"
        let files = [
            (name, bytes), (name + ".sig", signatures.sshsig),
            (name + ".mldsa65", signatures.mldsa65),
        ]
        let copies = ReceiptFiles(work: run.work, archive: run.path)
        try copies.write(files)
        let folder = copies.copy(files)
        return ImportOutcome(
            status: status, receipt: run.work + "/" + name, isInArchive: folder != nil,
            json: resultJSON(receipt: run.work + "/" + name), summary: summary(name, folder))
    }

    private func statement(report: Digest256) -> JSON {
        let seal = run.bag.seal
        let pair = run.signer.publicPair
        let now = run.world.now()
        return [
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                [
                    "name": "seal.json",
                    "digest": [
                        "sha256": .string(
                            (run.bag.digest(of: Seal.path) ?? SHA256.hash(seal.bytes)).hex)
                    ],
                ]
            ],
            "predicateType": "urn:exeat:receipt:v1",
            "predicate": [
                "bag": .string("urn:uuid:" + seal.bag),
                "seal": [
                    "sha256": .string(
                        (run.bag.digest(of: Seal.path) ?? SHA256.hash(seal.bytes)).hex),
                    "createdAt": .string(seal.createdAt.text),
                ],
                "verified": [
                    "files": .integer(seal.payload.files), "bytes": .integer(seal.payload.bytes),
                    "sealedBy": .string(seal.signer.principal),
                    "exported": .integer(seal.outcome.exported),
                    "omitted": .integer(seal.outcome.omitted),
                ],
                "startedAt": .string(run.startedAt.text),
                "createdAt": .string(now.text),
                "durations": durations(until: now),
                "verify": .string(run.plan.verify.rawValue),
                "signer": [
                    "principal": .string(pair.principal),
                    "ed25519": .string(pair.ed25519Fingerprint),
                    "mldsa65": .string(pair.mldsa65Fingerprint),
                ],
                "sources": .array(results.map(sourceJSON)),
                "outcome": [
                    "status": .integer(Int64(status)), "different": .integer(different),
                    "notSet": .integer(notSet),
                ],
                "manualActions": manualActions,
                "reservations": .array(reservations.map { .string($0.text) }),
                "reportSha256": .string(report.hex),
                "tool": ["name": "exeat", "version": .string(Tool.version)],
                "planSha256": .string(run.plan.digest.hex),
            ],
        ]
    }

    private func sourceJSON(_ result: SourceResult) -> JSON {
        [
            "folder": .string(result.source.folder), "kind": .string(result.source.kind),
            "target": ["kind": .string(target(of: result.source)?.kind ?? result.source.kind)],
            "mappings": .integer(Self.mapped(result.result.mappings)),
            "comparisons": .array(result.result.comparisons.nameless),
            // Texts among the counts may be names, such as those of accounts: the report has them.
            "counts": .object(result.result.counts.filter(\.value.isInteger)),
            "different": .integer(result.result.differenceCount),
            "notSet": .integer(result.result.shortfallCount),
        ]
    }

    private func target(of source: SourceRecord) -> TargetPlan? {
        run.plan.targets.first { $0.name == source.name }
    }

    /// Everything that names objects.
    private var details: JSON {
        [
            "exeat-import-report": 1,
            "bag": .string("urn:uuid:" + run.bag.seal.bag),
            "sources": .array(
                results.map { entry in
                    [
                        "name": .string(entry.source.name),
                        "mappings": entry.result.mappings,
                        "comparisons": .array(entry.result.comparisons.map(\.json)),
                        "differences": .array(entry.result.differences),
                        "notSet": .array(entry.result.shortfalls),
                        "remarks": .array(entry.result.remarks),
                    ]
                }),
        ]
    }

    private func resultJSON(receipt: String) -> JSON {
        [
            "status": .integer(Int64(status)), "receipt": .string(receipt),
            "report": .string(run.work + "/report.json"),
            "reservations": .array(reservations.map { .string($0.text) }),
            "sources": .array(
                results.map { entry in
                    [
                        "name": .string(entry.source.name),
                        "comparisons": .array(entry.result.comparisons.map(\.json)),
                        "different": .integer(entry.result.differenceCount),
                        "differences": .array(entry.result.differences),
                        "notSet": .integer(entry.result.shortfallCount),
                        "shortfalls": .array(entry.result.shortfalls),
                        "remarks": .array(entry.result.remarks),
                        "counts": .object(entry.result.counts),
                    ]
                }),
        ]
    }

    private func summary(_ name: String, _ folder: String?) -> String {
        var lines: [String] = []
        for entry in results {
            let equal = entry.result.shortfallCount > 0 ? "equal but for what was not set" : "equal"
            for comparison in entry.result.comparisons {
                lines.append(
                    "\(entry.source.name): \(comparison.name) "
                        + (comparison.equal
                            ? "\(equal), \(comparison.found)"
                            : "DIFFERENT, expected \(comparison.expected), found \(comparison.found)")
                )
            }
            for difference in entry.result.differences.prefix(10) {
                lines.append("different: " + String(decoding: difference.line, as: UTF8.self))
            }
            for shortfall in entry.result.shortfalls.prefix(10) {
                lines.append("not set: " + String(decoding: shortfall.line, as: UTF8.self))
            }
            for remark in entry.result.remarks.prefix(20) {
                lines.append("remark: " + String(decoding: remark.line, as: UTF8.self))
            }
            if entry.result.remarks.count > 20 {
                lines.append(
                    "… \(entry.result.remarks.count) remarks in all, see \(run.work)/report.json")
            }
        }
        lines += reservations.map { "reservation: \($0.text)" }
        lines.append(
            "receipt: \(run.work)/\(name)"
                + (folder.map {
                    $0.hasSuffix("/proof") ? ", and in proof/ of the archive" : ", and in \($0)"
                } ?? ""))
        return lines.joined(separator: "\n")
    }
}

extension JSON {
    fileprivate var isInteger: Bool {
        if case .integer = self { true } else { false }
    }
}
