import Basics
import Primitives

/// One closed-world examination of a bag, independent of where its bytes came from: it gets the
/// records of the files that were read, and compares.
///
/// First the documents (all that is not payload), then the payload. What it finds is collected;
/// the order of calls does not show in the report.
struct Examination: Sendable {
    /// Of the tar form.
    let name: BagName?
    private(set) var problems: [BagProblem]
    private(set) var checks: [VerificationReport.Check] = []
    var records: [BagPart: [FileRecord]] = [:]
    var seal: Seal?
    var signer: VerifiedSigner?
    var info: BagInfo?
    /// The earliest moments that trusted time-stamps certify.
    var opening: Timestamp?
    var closing: Timestamp?
    var stamps: [StampPlace: CertifiedTime] = [:]
    /// What was found about the tokens over the seal, before the seal was judged.
    var closings: [StampPlace: Result<CertifiedTime, Failure>] = [:]
    /// The files of tokens that came by another way, by the places that they take here.
    var looseNames: [StampPlace: String] = [:]
    var documents: [ProofDocument: VerifiedSigner] = [:]
    var payload = BagInfo.Oxum(bytes: 0, files: 0)
    /// Whether there is a list of payload and no payload at all: a copy of the proof alone.
    private(set) var isProofOnly = false
    /// Whether the payload is there, and nobody has read it.
    private(set) var isUnread = false
    /// SHA-256 of every file as it was read.
    private(set) var digests: [BagPath: Digest256] = [:]

    init(name: BagName?, problems: [BagProblem]) {
        self.name = name
        self.problems = problems
    }

    // MARK: - Collecting

    mutating func blame(_ path: String, _ failure: Failure) {
        problems.append(BagProblem(path, failure))
    }

    mutating func blame(_ path: String, _ code: Failure.Code, _ what: String) {
        blame(path, Failure(code, "\"\(path)\" \(what)"))
    }

    /// Makes a check: it has failed when the body throws, or blames something.
    mutating func check(
        _ name: String, at path: String, detail: String? = nil,
        _ body: (inout Examination) throws(Failure) -> Void
    ) {
        let before = problems.count
        do throws(Failure) { try body(&self) } catch { blame(path, error) }
        checks.append(
            .init(name: name, outcome: problems.count == before ? .passed : .failed, detail: detail)
        )
    }

    mutating func note(_ name: String, _ outcome: VerificationReport.Outcome, _ detail: String?) {
        checks.append(.init(name: name, outcome: outcome, detail: detail))
    }

    func record(_ part: BagPart) -> FileRecord? { records[part]?.first }

    // MARK: - Documents

    /// Judges all that is not payload, and whether the payload that is there is the payload that
    /// is listed.
    mutating func judge(
        documents read: [FileRecord], payload entries: [BagEntry], by verifier: some SealVerifier
    ) {
        for record in read {
            records[record.part, default: []].append(record)
            digests[record.path] = record.sha256
        }
        payload = BagInfo.Oxum(
            bytes: entries.reduce(0) { $0 + $1.size }, files: Int64(entries.count))
        isProofOnly =
            entries.isEmpty
            && record(.payloadManifest(.sha256))?.manifest?.lines.isEmpty == false
        judgeStructure()
        // So far only the listing and the closed list have been looked at.
        note("structure", problems.isEmpty ? .passed : .failed, nil)
        for record in read {
            if let failure = record.failure { blame(record.path.text, failure) }
        }
        if let record = record(.declaration), record.failure == nil {
            check("declaration", at: "bagit.txt") { (_) throws(Failure) in
                try BagDeclaration.check(record.content)
            }
        }
        readClosings(by: verifier)
        judgeSeal(by: verifier)
        judgeTagManifests()
        judgeInfo()
        judgeJournal()
        judgeTarOrder(entries)
        judgeProof(by: verifier)
        judgeListing(entries)
    }

    private mutating func lacks(_ path: String, _ code: Failure.Code) {
        blame(path, code, "is not there")
    }

    private mutating func judgeStructure() {
        let required: [(BagPart, String, Failure.Code)] = [
            (.declaration, "bagit.txt", .bagDeclaration),
            (.info, "bag-info.txt", .bagFileMissing),
            (.payloadManifest(.sha256), "manifest-sha256.txt", .bagManifestMissing),
            (.tagManifest(.sha256), "tagmanifest-sha256.txt", .bagTagManifestMissing),
            (.archiveManifest, "exeat/manifest.json", .bagFileMissing),
            (.journal, "exeat/journal.jsonl", .bagFileMissing),
            (.catalogue, "exeat/catalogue.json", .bagFileMissing),
            (.sealSSH, "proof/seal.json.sig", .signatureMissing),
            (.sealMLDSA, "proof/seal.json.mldsa65", .signatureMissing),
        ]
        for (part, path, code) in required where records[part] == nil { lacks(path, code) }
        if records[.seal] == nil {
            blame(
                "proof/seal.json",
                Failure(
                    .bagUnsealed, "the bag has no seal",
                    hint: "Only a run that was finished is sealed; run the same export again."))
        }
        for part in [BagPart.archiveManifest, .restoreText] {
            if let twice = records[part], twice.count > 1 {
                blame(twice[1].path.text, .bagFileUnexpected, "is there in clear and encrypted")
            }
        }
        switch (records[.payloadManifest(.sha512)], records[.tagManifest(.sha512)]) {
        case (nil, .some): lacks("manifest-sha512.txt", .bagManifestMissing)
        case (.some, nil): lacks("tagmanifest-sha512.txt", .bagTagManifestMissing)
        default: break
        }
        let isStamped = records.keys.contains(where: \.isClosingStamp)
        switch (records[.timestamped] != nil, isStamped) {
        case (false, true): lacks("proof/timestamped.txt", .bagFileMissing)
        case (true, false): lacks("proof/timestamped.txt.tsr", .bagFileMissing)
        default: break
        }
        for part in records.keys {
            switch part {
            case .document(let document):
                if records[.documentSSH(document)] == nil {
                    lacks("proof/\(document.file).sig", .signatureMissing)
                }
                if records[.documentMLDSA(document)] == nil {
                    lacks("proof/\(document.file).mldsa65", .signatureMissing)
                }
            case .documentSSH(let document), .documentMLDSA(let document):
                if records[.document(document)] == nil {
                    lacks("proof/\(document.file)", .bagFileMissing)
                }
            default: break
            }
        }
    }

    // MARK: - Payload

    /// The payload manifest and the files under `data/` name the same paths.
    private mutating func judgeListing(_ entries: [BagEntry]) {
        if isProofOnly {
            return note("payload", .unchecked, "the payload is not here")
        }
        let paths = entries.map(\.path).sorted()
        for algorithm in BagDigest.algorithms {
            guard let manifest = record(.payloadManifest(algorithm))?.manifest else { continue }
            check("\(manifest.subject.rawValue)-\(algorithm.rawValue).txt", at: "data/") {
                (self) throws(Failure) in
                self.compare(paths, with: manifest)
            }
        }
    }

    /// Both sides are sorted; each path that only one of them has is blamed.
    private mutating func compare(_ paths: [BagPath], with manifest: DigestManifest) {
        let file = "\(manifest.subject.rawValue)-\(manifest.algorithm.rawValue).txt"
        var left = paths[...]
        var right = manifest.lines[...]
        while let path = [left.first, right.first?.path].compactMap(\.self).min() {
            let isThere = left.first == path
            let isListed = right.first?.path == path
            if isThere { left.removeFirst() }
            if isListed { right.removeFirst() }
            if !isListed {
                blame(path.text, .bagFileUnexpected, "is not listed in \"\(file)\"")
            } else if !path.isPayload {
                blame(file, Failure(.bagManifestMalformed, "\"\(file)\" lists \"\(path)\""))
            } else if !isThere {
                blame(path.text, .bagFileMissing, "is listed in \"\(file)\" but not there")
            }
        }
    }

    /// Says that nobody has read the payload, though it is there.
    mutating func leavePayloadUnread() {
        note("payload digests", .unchecked, "the payload was not read")
        isUnread = true
    }

    /// Judges the payload that was read; `sha512` tells whether those digests were taken too.
    mutating func judge(payload read: [FileRecord], sha512: Bool) {
        if isProofOnly { return }
        for record in read { digests[record.path] = record.sha256 }
        guard let manifest = record(.payloadManifest(.sha256))?.manifest else {
            note("payload digests", .unchecked, "there is no manifest to compare with")
            return
        }
        check("payload digests", at: "data/") { (self) throws(Failure) in
            for record in read {
                if let failure = record.failure { self.blame(record.path.text, failure) }
            }
            self.compare(read, with: manifest) { .sha256($0.sha256) }
        }
        if problems.isEmpty { judgeCommitted(read) }
        guard let twin = record(.payloadManifest(.sha512))?.manifest else { return }
        guard sha512 else {
            note(
                "payload SHA-512", .unchecked,
                "a stream is read once, and its SHA-512 manifest comes after the payload")
            return
        }
        check("payload SHA-512", at: "data/") { (self) throws(Failure) in
            self.compare(read, with: twin) { $0.sha512 }
        }
    }

    private mutating func compare(
        _ read: [FileRecord], with manifest: DigestManifest,
        _ digest: (FileRecord) -> BagDigest?
    ) {
        let expected = Dictionary(uniqueKeysWithValues: manifest.lines.map { ($0.path, $0.digest) })
        for record in read where record.failure == nil {
            guard let wanted = expected[record.path], wanted != digest(record) else { continue }
            blame(
                record.path.text,
                Failure(
                    .bagFileChanged, "\"\(record.path)\" is not what the manifest says",
                    hint: "Fetch the file again from the original archive."))
        }
    }
}
