import Bags
import Basics
import Connectors
import Dossiers
import Encryption
import Journals
import Manifests
import Plans
import Primitives
import Signatures
import Streams

/// The last part of an export: manifest, catalogue, instructions, tag files and the seal.
///
/// Everything here can be made again from journal and rooms, so a run that is killed in the middle
/// simply does it again; only the seal's rename makes it final.
struct SealedContent: Sendable {
    let run: ExportRun
    let sources: [SourceRecord]
    let inventories: [Inventory]
    let conclusions: [[Conclusion]]

    /// Tag files in the one order that the tar form knows.
    func seal() throws(Failure) -> ExportOutcome {
        let payload = run.ledger.payload
        let oxum = BagInfo.Oxum(
            bytes: payload.reduce(0) { $0 + $1.bytes }, files: Int64(payload.count))
        let outcome = self.outcome
        // Nothing may be missing without a line that says so.
        guard outcome.exported + outcome.omitted >= outcome.expected else {
            throw Failure(
                .coverageMismatch,
                "\(outcome.expected) objects were expected, \(outcome.exported) exported and "
                    + "\(outcome.omitted) omitted",
                hint: "Keep the output as it is and report this: it is a fault of exeat.")
        }
        let withSHA512 = run.plan.archive.manifests.contains(.sha512)
        var tags = TagFiles(run.writer, withSHA512: withSHA512)
        try putDocuments(&tags)
        try putJournal(&tags, outcome)
        try tags.put(BagDeclaration.bytes, at: "bagit.txt")
        let info = try BagInfo(
            sourceOrganization: run.plan.run.provider?.name,
            baggingDate: run.world.now().date, identifier: identifier, payload: oxum,
            agent: "exeat \(Tool.version)")
        try tags.put(info.bytes, at: "bag-info.txt")
        try tags.put(Array(restoreText.top.utf8), at: "RESTORE.txt")
        try tags.put(
            Array(
                VerifyText(
                    principal: run.signer.principal, context: DocumentKind.seal.context,
                    isEncrypted: !run.recipients.isEmpty
                ).text.utf8), at: "VERIFY.txt")
        let manifest = try DigestManifest(
            .payload, .sha256, payload.map { (record) throws(Failure) in try record.line })
        try tags.put(manifest.bytes, at: "manifest-sha256.txt")
        if withSHA512 {
            try tags.put(
                DigestManifest(.payload, .sha512, try run.sha512Lines()).bytes,
                at: "manifest-sha512.txt")
        }
        let tagManifest = try DigestManifest(.tags, .sha256, tags.lines).bytes
        var last = [try BagPath("tagmanifest-sha256.txt")]
        try run.writer.put(tagManifest, at: last[0])
        if withSHA512 {
            last.append(try BagPath("tagmanifest-sha512.txt"))
            try run.writer.put(
                DigestManifest(.tags, .sha512, tags.lines512).bytes, at: last[1])
        }
        try run.writer.checkListing(
            Set(manifest.lines.map(\.path) + tags.lines.map(\.path) + last))
        let opened = try run.stamps.openings()
        var proof = try sign(SHA256.hash(tagManifest), oxum, outcome, opened)
        let stamps = try stamp(&proof, opened)
        try run.writer.seal(proof)
        run.ledger.journal.close()
        try run.writer.removeState()
        return ExportOutcome(
            sealedStatus: Int32(outcome.status), output: run.writer.form.description,
            bag: run.ledger.bag, expected: outcome.expected, exported: outcome.exported,
            omissions: sources.flatMap(\.omissions.counts), payloadFiles: oxum.files,
            payloadBytes: oxum.bytes, tagManifest: SHA256.hash(tagManifest).hex, wasSealed: false,
            stamps: stamps, gaps: gaps)
    }

    /// The list of what is sealed, and the tokens over it and over the opening.
    private func stamp(
        _ proof: inout [(path: BagPath, bytes: [UInt8])], _ opened: RunStamps.Found
    ) throws(Failure) -> StampOutcome? {
        guard !run.plan.archive.timestamps.isEmpty else { return nil }
        let digests = proof.prefix(3).map { SHA256.hash($0.bytes) }
        let list = Seal.timestamped(seal: digests[0], sshsig: digests[1], mldsa65: digests[2])
        let closed = try run.stamps.close(list)
        if !closed.files.isEmpty {
            proof.insert((try BagPath("proof/timestamped.txt"), list), at: 3)
        }
        for (name, bytes) in opened.files + closed.files {
            proof.append((try BagPath("proof/" + name), bytes))
        }
        return opened.outcome.joined(closed.outcome)
    }

    /// What the contract declares against what was found and exported, by source.
    private var coverages: [DeclaredCoverage?] {
        zip(run.sources, sources).map { DeclaredCoverage($0.plan.declared, $1) }
    }

    private var systems: DeclaredSystems? { DeclaredSystems(run.plan.run.declared, sources) }

    private var gaps: [String] {
        (systems?.gaps ?? []).map(\.what)
            + zip(sources, coverages).flatMap { source, coverage in
                (coverage?.gaps ?? []).map { "\(source.name): \($0.what)" }
            }
    }

    private var identifier: String { String(run.ledger.bag.dropFirst("urn:uuid:".count)) }

    /// Expected against acknowledged, over all sources: what the inventories found, and what the
    /// artifacts hold of it.
    private var outcome: Seal.Outcome {
        let open = sources.reduce(0) { $0 + $1.omissions.notAccepted }
        let exported = conclusions.joined().reduce(0) { $0 + $1.exported }
        return Seal.Outcome(
            status: open == 0 && gaps.isEmpty ? 0 : 2,
            expected: inventories.reduce(0) { $0 + $1.objects },
            exported: exported, omitted: sources.reduce(0) { $0 + $1.omissions.total })
    }

    private var restoreText: RestoreText {
        var parts: [RestoreText.Part] = []
        for (place, source) in sources.enumerated() {
            for (number, artifact) in source.artifacts.enumerated() {
                let conclusion = conclusions[place][number]
                parts.append(
                    .init(
                        source: source, artifact: artifact, consumer: conclusion.restoring,
                        notes: conclusion.notes))
            }
        }
        return RestoreText(
            parts: parts, isEncrypted: !run.recipients.isEmpty,
            isPostQuantum: run.recipients.contains { $0.isPostQuantum })
    }

    /// Manifest, catalogue and the commands with real names; the first and the last are secret.
    private func putDocuments(_ tags: inout TagFiles) throws(Failure) {
        let manifest = Manifest(
            bag: run.ledger.bag, name: run.plan.archive.name, createdAt: run.ledger.openedAt,
            run: run.plan.run.document, sources: sources)
        try tags.putSecret(manifest.json.canonical, at: "exeat/manifest.json", for: run.recipients)
        try tags.putSecret(
            Array(restoreText.named.utf8), at: "exeat/restore.txt", for: run.recipients)
        try tags.put(catalogue().canonical, at: "exeat/catalogue.json")
    }

    /// Expected, exported, omitted by kind and count; no names. In an encrypted bag sources are
    /// numbers here too.
    private func catalogue() throws(Failure) -> JSON {
        let outcome = self.outcome
        let document: JSON = [
            "exeat-catalogue": 1,
            "bag": .string(run.ledger.bag),
            "createdAt": .string(run.ledger.openedAt.text),
            "purpose": .string(run.plan.run.purpose.rawValue),
            "expected": .integer(outcome.expected),
            "exported": .integer(outcome.exported),
            "omitted": .integer(outcome.omitted),
            "sources": .array(
                sources.indices.map {
                    Self.entry(sources[$0], inventories[$0], conclusions[$0], coverages[$0])
                }),
        ]
        var members = document.members ?? []
        if let systems { members.append(.init("coverage", systems.json)) }
        let contract = try ContractFacts.json(of: run.plan.run)
        if contract != .null { members.append(.init("contract", contract)) }
        return .object(members)
    }

    private static func entry(
        _ source: SourceRecord, _ inventory: Inventory, _ conclusions: [Conclusion],
        _ coverage: DeclaredCoverage?
    ) -> JSON {
        var members: [JSON.Member] = [
            .init("folder", .string(source.folder)), .init("kind", .string(source.kind)),
            .init("expected", .integer(inventory.objects)),
            .init("exported", .integer(conclusions.reduce(0) { $0 + $1.exported })),
            .init("counts", .object(inventory.counts)),
            .init(
                "artifacts",
                .array(
                    source.artifacts.map {
                        [
                            "folder": .string($0.folder), "kind": .string($0.kind),
                            "legal": .string($0.legal.rawValue), "format": .string($0.format),
                            "segments": .integer(Int64($0.segments.count)),
                            "bytes": .integer($0.segments.reduce(0) { $0 + $1.bytes }),
                        ]
                    })),
            .init(
                "omitted",
                .array(
                    source.omissions.counts.map {
                        [
                            "reason": .string($0.reason), "count": .integer($0.count),
                            "accepted": .bool($0.accepted),
                        ]
                    })),
        ]
        if let coverage { members.append(.init("coverage", coverage.json)) }
        return .object(members)
    }

    /// The journal's last line, then the journal itself among the tag files.
    private func putJournal(_ tags: inout TagFiles, _ outcome: Seal.Outcome) throws(Failure) {
        try run.ledger.complete([
            .init("status", .integer(Int64(outcome.status))),
            .init("expected", .integer(outcome.expected)),
            .init("exported", .integer(outcome.exported)),
            .init("omitted", .integer(outcome.omitted)),
        ])
        try tags.putFile(run.writer.journalPath, at: "exeat/journal.jsonl")
    }

    private func sign(
        _ subject: Digest256, _ oxum: BagInfo.Oxum, _ outcome: Seal.Outcome,
        _ opened: RunStamps.Found
    ) throws(Failure) -> [(path: BagPath, bytes: [UInt8])] {
        let pair = run.signer.publicPair
        let keys = [
            ("keys/signer.allowed_signers", Array(pair.allowedSignersLine.utf8)),
            ("keys/signer.mldsa65.pem", Array(pair.mldsa65PEM.utf8)),
        ]
        let summary = run.ledger.journal.summary
        let agreement = try run.plan.run.agreement.map { (path) throws(Failure) in
            try AgreedPlan.read(path, plan: run.plan.digest)
        }
        var seal = Seal(
            subject: subject, bag: identifier, name: try BagName(run.plan.archive.name),
            createdAt: run.world.now(), purpose: run.plan.run.purpose.rawValue,
            run: identifier,
            journal: .init(
                entries: Int64(summary.entries), bytes: summary.bytes, head: summary.head,
                root: summary.root),
            payload: oxum,
            signer: VerifiedSigner(
                principal: pair.principal, ed25519: pair.ed25519Fingerprint,
                mldsa65: pair.mldsa65Fingerprint),
            keys: keys.map { .init(name: $0.0, sha256: SHA256.hash($0.1)) },
            outcome: outcome, tool: ("exeat", Tool.version), planSha256: run.plan.digest,
            openings: opened.files.filter { opened.outcome.tokens.contains($0.name) }
                .map { .init(name: $0.name, sha256: SHA256.hash($0.bytes)) },
            timestamps: Int64(run.plan.archive.timestamps.count),
            series: run.series?.next ?? .init(id: identifier, sequence: 1, previous: nil),
            restoreBefore: run.plan.archive.restoreBefore)
        seal.agreement = agreement.map { SHA256.hash($0[0].bytes) }
        let bytes = seal.bytes
        let signatures = try run.signer.sign(bytes, as: .seal)
        var proof: [(path: BagPath, bytes: [UInt8])] = [
            (Seal.path, bytes),
            (try BagPath("proof/seal.json.sig"), signatures.sshsig),
            (try BagPath("proof/seal.json.mldsa65"), signatures.mldsa65),
        ]
        for (name, bytes) in keys { proof.append((try BagPath("proof/" + name), bytes)) }
        for (name, bytes) in agreement ?? [] {
            proof.append((try BagPath("proof/" + name), bytes))
        }
        return proof
    }
}

extension ExportRun {
    /// The payload read again: SHA-512 is asked for rarely, and would slow every run down.
    fileprivate func sha512Lines() throws(Failure) -> [DigestManifest.Line] {
        try ledger.commits.map { (commit) throws(Failure) in
            try progress.checkCancelled()
            let path = try BagPath(commit.record.path)
            return DigestManifest.Line(
                path, try writer.sha512(of: path, bytes: commit.record.bytes, end: commit.end))
        }
    }
}

extension SegmentRecord {
    /// Its line in the payload manifest.
    fileprivate var line: DigestManifest.Line {
        get throws(Failure) {
            guard let digest = Digest256(hex: sha256) else {
                throw Failure(.journalMalformed, "the journal has a digest that is none")
            }
            return DigestManifest.Line(try BagPath(path), .sha256(digest))
        }
    }
}
