import Bags
public import Basics
import Dossiers
import Manifests

extension ReportModel {
    /// Computes a report.
    ///
    /// - Parameters:
    ///   - names: show the real names of objects, where the manifest can be read.
    ///   - madeAt: the moment that the report bears, and by which what is still open is judged.
    ///   - tool: the version of the program.
    public init(_ evidence: Evidence, names: Bool, madeAt: Timestamp, tool: String) {
        let withNames = names && evidence.manifest != nil
        let receipts = evidence.documents.compactMap {
            ReceiptFacts($0, withNames: withNames)
        }
        let outcome = Self.outcome(evidence)
        let chain = Self.chain(evidence, receipts)
        let sources = SourceReader(evidence, receipts, withNames: withNames).sources
        let archive = Self.archive(evidence)
        let days = DayReader(calendar: evidence.dossier?.calendar)
        let (dates, conflicts) = Self.dates(evidence, archive, receipts, days)
        let rehearsals = receipts.filter(\.isRehearsal).compactMap { RehearsalFacts($0) }
        self.madeAt = madeAt
        self.days = days
        self.tool = tool
        self.withNames = withNames
        isReckoned = evidence.dossier != nil
        self.archive = archive
        self.outcome = outcome
        self.receipts = receipts
        self.chain = chain
        self.sources = sources
        coverage = SourceReader.coverage(evidence.catalogue)
        self.dates = dates
        self.conflicts = conflicts
        lock = Self.lock(evidence)
        self.rehearsals = rehearsals
        run = evidence.history.flatMap { RunFacts($0) }
        verdict = Verdict(
            evidence.standing, outcome: outcome, receipts: receipts, chain: chain, dates: dates,
            sources: sources.count, isRehearsal: archive.purpose == "drp-rehearsal")
        checks = (evidence.report?.checks ?? []).map {
            CheckFacts(name: $0.name, outcome: $0.outcome.rawValue, detail: $0.detail)
        }
        problems = Self.problems(evidence)
        problemCount = max(evidence.report?.problemCount ?? 0, problems.count)
        actions = receipts.flatMap { receipt in
            receipt.manualActions.map {
                ManualAction(
                    origin: .receipt(receipt.number), folder: $0.folder, text: $0.what,
                    count: $0.count)
            }
                + receipt.reservations.map {
                    ManualAction(
                        origin: .receipt(receipt.number), folder: nil, text: $0, count: nil)
                }
        }
        instructions = Instruction.steps(of: evidence.instructions)
        dataAct =
            DutyReader(
                archive: archive, outcome: outcome, sources: sources, coverageOfContract: coverage,
                receipts: receipts,
                chain: chain,
                run: run, dates: dates, days: days, rehearsals: rehearsals,
                hasManifest: evidence.manifest != nil
            ).duties
    }

    private static func outcome(_ evidence: Evidence) -> ExportFacts? {
        guard let outcome = evidence.seal["predicate"]?["outcome"],
            let status = outcome["status"]?.integer
        else { return nil }
        let omissions = (evidence.catalogue["sources"]?.array ?? [])
            .flatMap { $0["omitted"]?.array ?? [] }
        let open = omissions.reduce(Int64(0)) { sum, omission in
            omission["accepted"]?.bool == false ? sum &+ (omission["count"]?.integer ?? 0) : sum
        }
        let unexplained = ([evidence.catalogue] + (evidence.catalogue["sources"]?.array ?? []))
            .reduce(Int64(0)) {
                $0 &+ ($1["coverage"]?["unexplained"]?.integer ?? 0)
            }
        return ExportFacts(
            status: status, expected: outcome["expected"]?.integer ?? 0,
            exported: outcome["exported"]?.integer ?? 0,
            omitted: outcome["omitted"]?.integer ?? 0, open: open, unexplained: unexplained)
    }

    private static func archive(_ evidence: Evidence) -> ArchiveFacts {
        let predicate = evidence.seal["predicate"]
        // What the catalogue says of the contract is public, and stands for what only a key opens.
        let run = evidence.manifest?.run ?? evidence.catalogue["contract"]
        let journal = predicate?["journal"].flatMap { json in
            json["entries"]?.integer.map {
                ArchiveFacts.JournalFacts(
                    entries: $0, head: json["head"]?.string ?? "", root: json["root"]?.string ?? "")
            }
        }
        var isTrusted = false
        if case .verified = evidence.standing { isTrusted = true }
        return ArchiveFacts(
            name: predicate?["name"]?.string ?? evidence.report?.name?.text,
            bag: predicate?["bag"]?.string,
            purpose: predicate?["run"]?["purpose"]?.string
                ?? evidence.catalogue["purpose"]?.string ?? "",
            contract: run?["contract"]?.string,
            provider: run?["provider"]?.string ?? evidence.bagInfo?.sourceOrganization,
            customer: run?["customer"]?.string,
            partiesAreSealed: run == nil && evidence.isEncrypted,
            contentIsSealed: evidence.manifest == nil && evidence.isEncrypted,
            isEncrypted: evidence.isEncrypted, isProofOnly: evidence.isProofOnly,
            openedAt: evidence.history?.opened
                ?? (evidence.catalogue["createdAt"]?.string).flatMap { Timestamp($0) },
            sealedAt: (predicate?["createdAt"]?.string).flatMap { Timestamp($0) },
            openingStamp: evidence.report?.opening, closingStamp: evidence.report?.closing,
            stamps: (evidence.report?.stamps ?? [:]).sorted { $0.key < $1.key }.map {
                StampFacts(
                    isOpening: $0.key.kind == .opening, file: "proof/" + $0.key.token,
                    moment: $0.value.moment, authority: $0.value.authority,
                    isTrusted: $0.value.isTrusted, note: $0.value.note)
            },
            files: predicate?["payload"]?["files"]?.integer ?? evidence.report?.payload.files ?? 0,
            bytes: predicate?["payload"]?["bytes"]?.integer ?? evidence.report?.payload.bytes ?? 0,
            signer: SignerFacts(predicate?["signer"], isTrusted: isTrusted),
            tool: predicate?["tool"].flatMap { tool in
                tool["name"]?.string.map { "\($0) \(tool["version"]?.string ?? "")" }
            },
            planSHA256: predicate?["planSha256"]?.string, sealSHA256: evidence.sealSHA256,
            subjectSHA256: evidence.seal["subject"]?.array?.first?["digest"]?["sha256"]?.string,
            journal: journal)
    }

    private static func problems(_ evidence: Evidence) -> [ProblemFacts] {
        let found = (evidence.report?.problems ?? []).map {
            ProblemFacts(
                path: $0.path, code: Int64($0.failure.code.rawValue), word: $0.failure.code.word,
                what: $0.failure.what)
        }
        guard found.isEmpty, case .failed(let failure) = evidence.standing else { return found }
        return [
            ProblemFacts(
                path: "", code: Int64(failure.code.rawValue), word: failure.code.word,
                what: failure.what)
        ]
    }

    /// The documents that are there, and those that a dossier of this purpose needs and lacks.
    private static func chain(_ evidence: Evidence, _ receipts: [ReceiptFacts]) -> [ChainLink] {
        var chain: [ChainLink] = []
        let predicate = evidence.seal["predicate"]
        let state: ChainLink.State =
            switch evidence.standing {
            case .verified: .verified
            case .unknownSigner: .unchecked
            // What an archive holds beside its seal may be damaged while the seal is whole.
            case .failed: evidence.report?.signer != nil ? .verified : .failed
            }
        chain.append(
            ChainLink(
                kind: .seal, state: predicate == nil ? .missing : state, file: "seal.json",
                at: (predicate?["createdAt"]?.string).flatMap { Timestamp($0) },
                signer: SignerFacts(predicate?["signer"], isTrusted: state == .verified),
                sha256: evidence.sealSHA256, statement: evidence.seal))
        for receipt in receipts {
            chain.append(
                ChainLink(
                    kind: receipt.isRehearsal ? .rehearsal : .receipt, state: receipt.state,
                    file: receipt.file,
                    at: receipt.createdAt, signer: receipt.signer, sha256: receipt.sha256,
                    statement: ["predicate": receipt.predicate]))
        }
        for document in evidence.documents {
            let kind: ChainLink.Kind
            switch document.document {
            case .seal, .receipt: continue
            case .plan: kind = .plan
            case .acceptance: kind = .acceptance
            case .erasureRequest: kind = .erasureRequest
            case .override: kind = .override
            case .erasure: kind = .erasure
            }
            let predicate = document.statement["predicate"]
            chain.append(
                ChainLink(
                    kind: kind, state: .init(rawValue: document.state.rawValue) ?? .failed,
                    file: document.document.file,
                    at: (predicate?["createdAt"]?.string).flatMap { Timestamp($0) },
                    signer: SignerFacts(predicate?["signer"], isTrusted: document.signer != nil),
                    sha256: document.sha256, statement: document.statement))
        }
        for kind in expected(for: predicate?["run"]?["purpose"]?.string ?? "")
        where !chain.contains(where: { $0.kind == kind }) {
            chain.append(
                ChainLink(
                    kind: kind, state: .missing, file: nil, at: nil, signer: nil, sha256: nil,
                    statement: .null))
        }
        return chain.enumerated().sorted { left, right in
            (left.element.kind.order, left.offset) < (right.element.kind.order, right.offset)
        }.map(\.element)
    }

    private static func expected(for purpose: String) -> [ChainLink.Kind] {
        switch purpose {
        case "end-of-contract": [.plan, .receipt, .acceptance, .erasureRequest, .erasure]
        case "migration": [.receipt, .acceptance]
        default: [.receipt]
        }
    }
}

extension ChainLink.Kind {
    /// The order in which the documents come about.
    var order: Int {
        switch self {
        case .plan: 0
        case .seal: 1
        case .receipt: 2
        case .rehearsal: 3
        case .acceptance: 4
        case .erasureRequest: 5
        case .override: 6
        case .erasure: 7
        }
    }
}

extension Instruction {
    /// Cuts a script of comments and commands at its numbered comments: `# 1. …`.
    static func steps(of script: String) -> [Instruction] {
        guard !script.isEmpty else { return [] }
        var steps: [Instruction] = []
        var number: Int?
        var text = ""
        var lines: [Substring] = []
        var isHeading = false
        func close() {
            while lines.last?.isEmpty ?? false { lines.removeLast() }
            while lines.first?.isEmpty ?? false { lines.removeFirst() }
            if number != nil || !lines.isEmpty {
                steps.append(
                    Instruction(number: number, text: text, commands: lines.joined(separator: "\n"))
                )
            }
        }
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count == 3, words[0] == "#", words[1].last == ".",
                let next = Int(words[1].dropLast())
            {
                close()
                (number, text, lines) = (next, String(words[2]), [])
                isHeading = true
            } else if isHeading, line.hasPrefix("# ") {
                // A sentence that takes more than a line.
                text += " " + line.dropFirst(2)
            } else {
                isHeading = false
                lines.append(line)
            }
        }
        close()
        return steps
    }
}
