import Basics
import Primitives

extension Examination {
    /// Both signatures first; what the seal says is read only from bytes that are signed.
    mutating func judgeSeal(by verifier: some SealVerifier) {
        guard let record = record(.seal), let ssh = self.record(.sealSSH),
            let mldsa = self.record(.sealMLDSA),
            record.failure == nil, ssh.failure == nil, mldsa.failure == nil
        else { return note("signatures", .failed, "the seal or a signature is missing") }
        check("signatures", at: "proof/seal.json") { (self) throws(Failure) in
            self.signer = try verifier.verify(
                seal: record.content, sshsig: ssh.content, mldsa65: mldsa.content,
                at: self.closing)
        }
        guard let signer else { return }
        check("seal", at: "proof/seal.json") { (self) throws(Failure) in
            let seal = try Seal(parsing: record.content)
            self.seal = seal
            guard seal.signer == signer else {
                throw Failure(
                    .signerPairMismatch,
                    "the seal names \"\(seal.signer.principal)\" and other keys than signed it")
            }
            if let name = self.name, name != seal.name {
                throw Failure(
                    .sealSubjectMismatch,
                    "the archive's folder is \"\(name)\", the seal is about \"\(seal.name)\"")
            }
        }
    }

    /// The tag manifest is the one that was sealed, and the files it lists are the tag files.
    mutating func judgeTagManifests() {
        for algorithm in BagDigest.algorithms {
            guard let record = record(.tagManifest(algorithm)) else { continue }
            check("\(record.path)", at: record.path.text) { (self) throws(Failure) in
                if algorithm == .sha256, let seal = self.seal, seal.subject != record.sha256 {
                    self.blame(
                        record.path.text, .sealSubjectMismatch, "is not the one that was sealed")
                }
                guard let manifest = record.manifest else { return }
                self.compareTags(with: manifest)
            }
        }
    }

    private mutating func compareTags(with manifest: DigestManifest) {
        let file = "tagmanifest-\(manifest.algorithm.rawValue).txt"
        var tags = Dictionary(
            uniqueKeysWithValues: records.values.joined().lazy.filter(\.part.isTag).map {
                ($0.path, $0)
            })
        for line in manifest.lines {
            let path = line.path.text
            if let record = tags.removeValue(forKey: line.path) {
                let digest =
                    manifest.algorithm == .sha256 ? .sha256(record.sha256) : record.sha512
                if digest != line.digest {
                    blame(path, .bagFileChanged, "is not what \"\(file)\" says")
                }
            } else if (try? BagPart(of: line.path))?.isTag == true {
                blame(path, .bagFileMissing, "is listed in \"\(file)\" but not there")
            } else {
                blame(
                    file, Failure(.bagTagManifestMalformed, "\"\(file)\" lists \"\(path)\""))
            }
        }
        for path in tags.keys {
            blame(path.text, .bagFileUnexpected, "is not listed in \"\(file)\"")
        }
    }

    /// bag-info.txt agrees with the payload that is there, and both with the seal.
    mutating func judgeInfo() {
        if let record = record(.info), record.failure == nil {
            check("bag-info.txt", at: "bag-info.txt") { (self) throws(Failure) in
                let info = try BagInfo(parsing: record.content)
                self.info = info
                // Without payload, the list of it must be what the seal counts.
                if self.isProofOnly {
                    let listed = self.record(.payloadManifest(.sha256))?.manifest?.lines.count ?? 0
                    guard info.payload.files == Int64(listed) else {
                        throw Failure(
                            .bagInfoMismatch,
                            "\"bag-info.txt\" counts \(info.payload.files) files of payload, "
                                + "\"manifest-sha256.txt\" lists \(listed)")
                    }
                }
                guard self.isProofOnly || info.payload == self.payload else {
                    throw Failure(
                        .bagInfoMismatch,
                        "\"bag-info.txt\" says \(info.payload.text), the payload is "
                            + self.payload.text)
                }
                if let seal = self.seal, seal.bag != info.identifier {
                    throw Failure(
                        .bagInfoMismatch, "\"bag-info.txt\" and the seal name different bags")
                }
            }
        }
        guard let seal else { return }
        check("payload as sealed", at: "proof/seal.json") { (self) throws(Failure) in
            guard seal.payload == (self.isProofOnly ? self.info?.payload : self.payload) else {
                throw Failure(
                    .sealSubjectMismatch,
                    "\(seal.payload.text) were sealed, the payload is \(self.payload.text)")
            }
        }
    }

    mutating func judgeJournal() {
        guard let seal, let journal = record(.journal)?.journal else { return }
        check("journal", at: "exeat/journal.jsonl") { (_) throws(Failure) in
            guard seal.journal == journal else {
                throw Failure(
                    .journalMismatch, "the journal is not the one that was sealed",
                    hint: "The seal counts \(seal.journal.entries) lines, the file has "
                        + "\(journal.entries).")
            }
        }
        guard problems.isEmpty, let facts = record(.journal)?.journalFacts else { return }
        check("journal and seal", at: "exeat/journal.jsonl") { (_) throws(Failure) in
            let (opening, end) = (facts.opening, facts.completion)
            guard opening["bag"]?.string == "urn:uuid:" + seal.bag,
                opening["name"]?.string == seal.name.text,
                opening["purpose"]?.string == seal.purpose,
                opening["plan"]?.string == seal.planSha256.hex,
                end["status"]?.integer == Int64(seal.outcome.status),
                end["expected"]?.integer == seal.outcome.expected,
                end["exported"]?.integer == seal.outcome.exported,
                end["omitted"]?.integer == seal.outcome.omitted
            else {
                throw Failure(
                    .journalMismatch, "the journal and the seal do not tell of the same run")
            }
        }
    }

    /// The payload is what the journal says was committed, and nothing else.
    mutating func judgeCommitted(_ payload: [FileRecord]) {
        guard let facts = record(.journal)?.journalFacts, record(.journal)?.failure == nil else {
            return
        }
        check("payload as committed", at: "exeat/journal.jsonl") { (self) throws(Failure) in
            var left = facts.segments
            for record in payload where record.failure == nil {
                let path = record.path.text
                guard let segment = left.removeValue(forKey: path),
                    segment.bytes == record.size, segment.sha256 == record.sha256.hex
                else {
                    self.blame(path, .journalMismatch, "is not what the journal has committed")
                    continue
                }
            }
            for path in left.keys {
                self.blame(path, .bagFileMissing, "was committed, but is not there")
            }
        }
    }

    /// The payload of a tar lies where the journal says that it was committed. A directory has no
    /// order, and neither has a tar that was packed from one.
    mutating func judgeTarOrder(_ entries: [BagEntry]) {
        guard name != nil, let ends = record(.journal)?.journalEnds, !ends.isEmpty else { return }
        check("payload in the order of the journal", at: "data/") { (self) throws(Failure) in
            var end: Int64 = 0
            for entry in entries {
                end += 512 + entry.size + Int64(CanonicalTar.padding(after: entry.size))
                guard ends[entry.path.text] == end else {
                    self.blame(
                        entry.path.text, .tarOrder, "is not where the journal says it was stored")
                    return
                }
            }
        }
    }

    // MARK: - The rest of proof/

    mutating func judgeProof(by verifier: some SealVerifier) {
        judgeKeys()
        judgeStamps(by: verifier)
        judgeFreshness(by: verifier.demands)
        judgeDocuments(by: verifier)
    }

    /// Courtesy copies of keys: those that the seal lists, byte for byte. They are never trusted.
    private mutating func judgeKeys() {
        guard let seal else { return }
        let keys = records[.key] ?? []
        guard !(keys.isEmpty && seal.keys.isEmpty) else {
            return note("courtesy keys", .absent, nil)
        }
        check("courtesy keys", at: "proof/keys/") { (self) throws(Failure) in
            var listed: [String: Digest256] = [:]
            for key in seal.keys { listed["proof/" + key.name] = key.sha256 }
            for record in keys {
                let path = record.path.text
                guard let digest = listed.removeValue(forKey: path) else {
                    self.blame(path, .bagProofUnexpected, "is not listed in the seal")
                    continue
                }
                if digest != record.sha256 {
                    self.blame(path, .bagFileChanged, "is not the key that the seal lists")
                }
            }
            for path in listed.keys {
                self.blame(path, .bagFileMissing, "is listed in the seal but not there")
            }
        }
    }

    /// A document is about this seal and no other.
    private func checkSubject(
        of document: ProofDocument, _ record: FileRecord
    ) throws(Failure) {
        guard let seal, let sealed = self.record(.seal) else { return }
        if document == .plan {
            guard seal.agreement == record.sha256 else {
                throw seal.agreement == nil
                    ? Failure(.documentForeign, "\"\(record.path)\" is not named in the seal")
                    : Failure(
                        .documentChanged, "\"\(record.path)\" is not the one that the seal names")
            }
            return
        }
        try document.check(record.content, isAbout: sealed.sha256, seal)
    }

    private mutating func judgeDocuments(by verifier: some SealVerifier) {
        let kinds = records.keys.compactMap { part -> ProofDocument? in
            if case .document(let document) = part { document } else { nil }
        }
        for document in kinds.sorted(by: { $0.file < $1.file }) {
            guard let record = record(.document(document)), record.failure == nil,
                let ssh = self.record(.documentSSH(document)), ssh.failure == nil,
                let mldsa = self.record(.documentMLDSA(document)), mldsa.failure == nil
            else { continue }
            do throws(Failure) {
                let signer = try verifier.verify(
                    document: document, bytes: record.content, sshsig: ssh.content,
                    mldsa65: mldsa.content)
                try checkSubject(of: document, record)
                documents[document] = signer
                note(
                    document.file, signer == nil ? .unchecked : .passed,
                    signer?.principal ?? "no trust for its kind was given")
            } catch {
                blame(record.path.text, error)
                note(document.file, .failed, nil)
            }
        }
    }
}
