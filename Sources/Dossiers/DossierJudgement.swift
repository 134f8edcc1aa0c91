import Bags
import Basics
import Deadlines
import Primitives

/// Holds the documents of a dossier against each other.
struct DossierJudgement {
    let seal: DossierSeal
    let documents: [DossierDocument]
    var problems: [BagProblem]
    let facts: ContractFacts
    let now: Timestamp

    /// Clocks differ; by more than a day nothing explains a date in the future.
    static let slack: Int64 = 86_400

    func dossier() -> Dossier {
        var judgement = self
        for document in documents {
            do throws(Failure) { try judgement.check(document) } catch {
                judgement.problems.append(
                    BagProblem(document.place + "/" + document.kind.file, error))
            }
        }
        if seal.plan != nil, document(.plan) == nil,
            !problems.contains(where: { $0.path.hasSuffix("/plan.json") })
        {
            judgement.problems.append(
                BagProblem(
                    "proof/plan.json",
                    Failure(.documentMissing, "the seal names a signed plan that is not there")))
        }
        let timeline = self.timeline
        let report = DeadlineReport(
            timeline, profiles: facts.profiles, calendar: facts.calendar,
            today: facts.calendar.day(of: now))
        let lock = LockRule(
            documents: documents, problems: judgement.problems, deadlines: report,
            calendar: facts.calendar, now: now
        ).lock()
        if let failure = erasedAgainstLock(report, problems: judgement.problems) {
            judgement.problems.append(BagProblem("proof/erasure.json", failure))
        }
        return Dossier(
            seal: seal, documents: documents, problems: judgement.problems, contract: facts.json,
            timeline: timeline, profiles: facts.profiles, calendar: facts.calendar,
            deadlines: report, lock: lock)
    }

    private func document(_ kind: ProofDocument) -> DossierDocument? {
        documents.first { $0.kind == kind }
    }

    // MARK: - The chain

    private func check(_ document: DossierDocument) throws(Failure) {
        let file = document.kind.file
        guard document.createdAt.seconds <= now.seconds + Self.slack else {
            throw Failure(
                .documentDate, "\"\(file)\" is dated \(document.createdAt.text), in the future")
        }
        // Copied under another number it would count twice.
        if let twin = documents.first(where: { $0.sha256 == document.sha256 }),
            twin.kind != document.kind
        {
            throw Failure(.documentConflict, "\"\(file)\" is \"\(twin.kind.file)\" once more")
        }
        switch document.kind {
        case .seal: break
        case .plan:
            guard seal.plan == document.sha256 else {
                throw seal.plan == nil
                    ? Failure(.documentForeign, "\"\(file)\" is not named in the seal")
                    : Failure(.documentChanged, "\"\(file)\" is not the one that the seal names")
            }
            guard document.before == .init(name: "plan", sha256: seal.planSha256) else {
                throw Failure(.documentForeign, "\"\(file)\" is about another plan than was run")
            }
            // Dates decide when a source may be erased: they are the customer's word, not the exporter's.
            let agreed = document.predicate["contract"] ?? .null
            guard agreed.canonical == (facts.json == .null ? JSON.object([]) : facts.json).canonical
            else {
                throw Failure(
                    .documentChanged,
                    "the catalogue has another contract, other dates or texts than \"\(file)\"")
            }
            guard document.createdAt <= seal.createdAt else {
                throw Failure(.documentDate, "\"\(file)\" was signed after the archive was sealed")
            }
        case .receipt:
            if document.isImportReceipt { try ReceiptConsistency(document).check() }
            try follows(document, [.seal])
        case .override: try follows(document, [.seal])
        case .acceptance:
            let receipt = ProofDocument(file: document.before.name)
            guard let receipt, case .receipt = receipt else {
                throw Failure(
                    .documentOrder,
                    "\"\(file)\" follows \"\(document.before.name)\", and must follow a receipt")
            }
            try follows(document, [receipt])
            try repeats(document, receipt)
        case .erasureRequest: try follows(document, [.acceptance])
        case .erasure: try checkErasure(document)
        }
    }

    /// The document names one of these as the one before, and names it rightly.
    private func follows(
        _ document: DossierDocument, _ allowed: [ProofDocument]
    ) throws(Failure) {
        let file = document.kind.file
        guard let kind = allowed.first(where: { $0.file == document.before.name }) else {
            throw Failure(
                .documentOrder,
                "\"\(file)\" follows \"\(document.before.name)\", and must follow "
                    + allowed.map { "\"\($0.file)\"" }.joined(separator: " or "))
        }
        let (digest, moment): (Digest256, Timestamp)
        if kind == .seal {
            (digest, moment) = (seal.sha256, seal.createdAt)
        } else if let before = self.document(kind) {
            (digest, moment) = (before.sha256, before.createdAt)
        } else {
            throw Failure(
                .documentMissing,
                "\"\(file)\" names \"\(kind.file)\", which is not there or not good",
                hint: "Put it beside the others, or name its folder with --dossier.")
        }
        guard digest == document.before.sha256 else {
            throw Failure(
                .documentChanged, "\"\(kind.file)\" is not the one that \"\(file)\" names")
        }
        guard moment <= document.createdAt else {
            throw Failure(
                .documentDate,
                "\"\(file)\" of \(document.createdAt.text) is older than \"\(kind.file)\" of "
                    + moment.text)
        }
    }

    /// What an acceptance says of its receipt is what that says.
    private func repeats(
        _ acceptance: DossierDocument, _ kind: ProofDocument
    ) throws(Failure) {
        let said = acceptance.predicate["receipt"]
        let receipt = document(kind)
        guard said?["file"]?.string == kind.file,
            said?["sha256"]?.string == acceptance.before.sha256.hex,
            said?["status"]?.integer == receipt?.predicate["outcome"]?["status"]?.integer,
            acceptance.predicate["receiptReservations"]?.canonical
                == (receipt?.predicate["reservations"] ?? .array([])).canonical
        else {
            throw Failure(
                .documentChanged,
                "\"\(acceptance.kind.file)\" tells of another \"\(kind.file)\" than it follows")
        }
    }

    private func checkErasure(_ document: DossierDocument) throws(Failure) {
        let lock = document.predicate["lock"] ?? .null
        let isOverridden = lock["overridden"]?.bool == true
        guard (lock["open"]?.bool == true) != isOverridden else {
            throw Failure(
                .documentMalformed, "\"erasure.json\" does not say why the lock let it be signed")
        }
        var allowed: [ProofDocument] = [.erasureRequest]
        if isOverridden {
            allowed += documents.map(\.kind).filter {
                if case .receipt = $0 { true } else { $0 == .acceptance }
            }
            allowed.append(.seal)
        }
        try follows(document, allowed)
        for approval in lock["overrides"]?.array ?? [] {
            guard let name = approval["file"]?.string, let kind = ProofDocument(file: name),
                let digest = approval["sha256"]?.string
            else { throw Failure(.documentMalformed, "\"erasure.json\" names no good override") }
            guard let there = self.document(kind) else {
                throw Failure(
                    .documentMissing, "\"erasure.json\" names \"\(name)\", which is not there")
            }
            guard there.sha256.hex == digest else {
                throw Failure(
                    .documentChanged, "\"\(name)\" is not the one that \"erasure.json\" names")
            }
            guard there.createdAt <= document.createdAt else {
                throw Failure(.documentDate, "\"\(name)\" was signed after the erasure")
            }
        }
        guard let started = document.predicate["startedAt"]?.string.flatMap({ Timestamp($0) }),
            let completed = document.predicate["completedAt"]?.string.flatMap({ Timestamp($0) }),
            started <= completed, completed.seconds <= document.createdAt.seconds + Self.slack
        else {
            throw Failure(
                .documentDate, "the dates of the erasure in \"erasure.json\" go backwards")
        }
    }

    /// An erasure that the lock did not allow when it began, and that no two people had approved.
    private func erasedAgainstLock(
        _ deadlines: DeadlineReport, problems: [BagProblem]
    ) -> Failure? {
        guard let erasure = document(.erasure),
            let started = erasure.predicate["startedAt"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        let claims = erasure.predicate["lock"]?["overridden"]?.bool == true
        let listed = (erasure.predicate["lock"]?["overrides"]?.array ?? []).map {
            $0["file"]?.string
        }
        let named = documents.filter {
            if case .override = $0.kind { listed.contains($0.kind.file) } else { true }
        }
        let lock = LockRule(
            documents: named, problems: problems, deadlines: deadlines, calendar: facts.calendar,
            now: started
        ).lock()
        // Whoever does not know the eraser cannot judge the approvals, and relies on neither.
        if claims, erasure.isTrusted, lock.approvals.isEmpty {
            return Failure(
                .documentApproval,
                "the erasure went against its lock without the approval of two people beforehand, "
                    + "each with a key, a name and a reason, and one of them a controller")
        }
        if claims { return nil }
        let against = lock.reasons.first {
            [.receiptMissing, .receiptUnequal, .dateUnknown].contains($0.kind)
        }
        if let against {
            return Failure(
                .documentApproval,
                "the source was erased though \(against.what), and nobody has approved that")
        }
        guard let notBefore = lock.notBefore, started < notBefore else { return nil }
        return Failure(
            .erasureTooEarly,
            "the source was erased at \(started.text), before \(notBefore.text), and nobody has "
                + "approved that")
    }

    // MARK: - Dates

    /// Dates of the plan, and those that follow from documents.
    private var timeline: Timeline {
        var timeline = facts.timeline
        let calendar = facts.calendar
        timeline[.handover] = calendar.day(of: seal.createdAt)
        if let acceptance = document(.acceptance) {
            timeline[.acceptance] = calendar.day(of: acceptance.createdAt)
        }
        if let request = document(.erasureRequest) {
            timeline[.erasureRequest] = calendar.day(of: request.createdAt)
        }
        // Of several notices the last one counts: each is a promise to wait.
        for kind in [ProofDocument.erasureRequest, .erasure] {
            let notice = document(kind)?.predicate["formalNotice"]?.string.flatMap { Day($0) }
            timeline[.formalNotice] = [timeline[.formalNotice], notice].compactMap { $0 }.max()
        }
        if let erasure = document(.erasure) {
            timeline[.erasure] = erasure.predicate["startedAt"]?.string
                .flatMap { Timestamp($0) }.map { calendar.day(of: $0) }
            timeline[.destructionReport] = calendar.day(of: erasure.createdAt)
        }
        return timeline
    }
}
