import Bags
import Basics
import Glibc
import Primitives
import Streams
import TestKit
import Testing

/// Signs with a digest in place of a key, so that a test can forge what it likes; the real
/// signatures have their own tests.
struct DigestVerifier: SealVerifier {
    static let signer = VerifiedSigner(
        principal: "exporter@valmont.example", ed25519: "SHA256:abc", mldsa65: "00ff")

    /// The key is good up to here, where a certified time is known.
    var lastDay: Timestamp?
    var moment = Timestamp(seconds: 1_795_456_800)
    var isTrusted = true
    var demands = SealDemands()

    static func sign(_ kind: String, _ bytes: [UInt8]) -> [UInt8] {
        Array("\(kind) \(SHA256.hash(bytes).hex)\n".utf8)
    }

    func verify(
        seal: [UInt8], sshsig: [UInt8], mldsa65: [UInt8], at moment: Timestamp?
    ) throws(Failure) -> VerifiedSigner {
        if let moment, let last = lastDay, moment > last {
            throw Failure(.signerOutOfDate, "the key was not valid any more")
        }
        guard sshsig == Self.sign("exeat/seal/v1 ed25519", seal),
            mldsa65 == Self.sign("exeat/seal/v1 mldsa65", seal)
        else { throw Failure(.signatureInvalid, "the signature is not of the seal") }
        return Self.signer
    }

    func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner? {
        guard sshsig == Self.sign("\(document.namespace) ed25519", bytes),
            mldsa65 == Self.sign("\(document.namespace) mldsa65", bytes)
        else { throw Failure(.signatureInvalid, "the signature is not of the document") }
        return Self.signer
    }

    func stamp(
        _ token: [UInt8], over message: [UInt8], request: [UInt8]?
    ) throws(Failure) -> CertifiedTime {
        // Behind the first line a test may put a number of seconds that the token is off.
        let lines = token.split(separator: 0x0a, omittingEmptySubsequences: true)
        guard let first = lines.first, Array(first) + [0x0a] == Self.sign("tsr", message),
            lines.count <= 2, token.last == 0x0a
        else { throw Failure(.timeStampImprint, "the token is about something else") }
        let off = lines.count == 2 ? Int64(String(decoding: lines[1], as: UTF8.self)) : 0
        guard let off else { throw Failure(.timeStampMalformed, "the token is damaged") }
        return CertifiedTime(
            moment: Timestamp(seconds: moment.seconds + off), accuracy: nil, authority: "test",
            policy: "1.2.3", serial: "01", isTrusted: isTrusted, note: nil)
    }
}

/// Makes small good bags, and lets a test spoil a step of the making.
struct BagMaker {
    var name = "valmont-20261123"
    var identifier = "01935a2b-7c00-7000-8000-000000000001"
    var payload: [String: [UInt8]] = [
        "data/s01/table-00001/segment-00000.copy.zst": Array("first segment".utf8),
        "data/s01/table-00001/segment-00001.copy.zst": Array("second segment!".utf8),
        "data/s01/table-00002/segment-00000.copy.zst": [],
        "data/s02/tree-00001/segment-00000.pax.zst": [UInt8](repeating: 7, count: 1024),
    ]
    /// Another journal than the one that tells of this bag.
    var otherJournal: [UInt8]?
    var sha512 = true
    var withProof = true
    /// Lines behind the tokens: how many seconds they are off.
    var openingOff: [UInt8] = []
    var closingOff: [UInt8] = []
    /// Spoils the files before the tag manifest is made, and what the seal says.
    var beforeManifest: (inout [String: [UInt8]]) -> Void = { _ in }
    var beforeTags: (inout [String: [UInt8]]) -> Void = { _ in }
    var beforeSeal: (inout Seal) -> Void = { _ in }

    private static let outcome = Seal.Outcome(status: 0, expected: 4, exported: 4, omitted: 0)
    private static let plan = SHA256.hash([1])

    var journal: [UInt8] {
        if let otherJournal { return otherJournal }
        var events: [(String, [JSON.Member])] = [
            (
                "run.opened",
                [
                    .init("name", .string(name)), .init("purpose", "trial"),
                    .init("plan", .string(Self.plan.hex)),
                    .init("bag", .string("urn:uuid:" + identifier)),
                ]
            )
        ]
        if withProof {
            let token = openingToken(over: Self.journal(events))
            events.append(
                (
                    "run.stamped",
                    [
                        .init("token", "opening.tsr"),
                        .init("sha256", .string(SHA256.hash(token).hex)),
                    ]
                ))
        }
        for (path, bytes) in payload.sorted(by: { $0.key < $1.key }) {
            events.append(
                (
                    "segment.committed",
                    [
                        .init("path", .string(path)), .init("bytes", .integer(Int64(bytes.count))),
                        .init("sha256", .string(SHA256.hash(bytes).hex)),
                    ]
                ))
        }
        let outcome = Self.outcome
        events.append(
            (
                "run.completed",
                [
                    .init("status", .integer(Int64(outcome.status))),
                    .init("expected", .integer(outcome.expected)),
                    .init("exported", .integer(outcome.exported)),
                    .init("omitted", .integer(outcome.omitted)),
                ]
            ))
        return Self.journal(events)
    }

    /// A token over the first line, as many seconds off as the test says.
    private func openingToken(over journal: [UInt8]) -> [UInt8] {
        DigestVerifier.sign("tsr", Array(journal.prefix { $0 != 0x0a })) + openingOff
    }

    static func journal(_ events: [String], run: String = "a") -> [UInt8] {
        journal(events.map { ($0, [.init("run", .string(run))]) })
    }

    static func journal(_ events: [(String, [JSON.Member])]) -> [UInt8] {
        var bytes: [UInt8] = []
        var previous = Digest256().hex
        for (number, (event, members)) in events.enumerated() {
            let line = JSON.object(
                [
                    .init("seq", .integer(Int64(number))), .init("t", "2026-11-23T18:00:00.000Z"),
                    .init("prev", .string(previous)), .init("ev", .string(event)),
                ] + members)
            previous = SHA256.hash(line.line).hex
            bytes += line.line + [0x0a]
        }
        return bytes
    }

    static func summary(_ journal: [UInt8]) -> SealedJournal {
        var tree = MerkleRange()
        let lines = journal.split(separator: 0x0a).map(Array.init)
        for line in lines { tree.append(leaf: MerkleRange.leaf(line)) }
        return SealedJournal(
            entries: Int64(lines.count), bytes: Int64(journal.count),
            head: lines.last.map(SHA256.hash) ?? Digest256(), root: tree.root)
    }

    static func digest(_ bytes: [UInt8], _ algorithm: DigestAlgorithm) throws -> BagDigest {
        var digest = try MessageDigest(algorithm)
        bytes.withUnsafeBytes { digest.update($0) }
        guard let value = BagDigest(bytes: digest.finish()) else { throw Failure(.failed, "size") }
        return value
    }

    static func manifest(
        _ subject: DigestManifest.Subject, _ algorithm: DigestAlgorithm,
        _ files: [String: [UInt8]]
    ) throws -> [UInt8] {
        try DigestManifest(
            subject, algorithm,
            try files.map { .init(try BagPath($0.key), try digest($0.value, algorithm)) }
        ).bytes
    }

    /// All files of the bag by path.
    func files() throws -> [String: [UInt8]] {
        var files = payload
        beforeManifest(&files)
        let oxum = BagInfo.Oxum(
            bytes: Int64(payload.values.map(\.count).reduce(0, +)), files: Int64(payload.count))
        let algorithms: [DigestAlgorithm] = sha512 ? [.sha256, .sha512] : [.sha256]
        var tags: [String: [UInt8]] = [
            "bagit.txt": BagDeclaration.bytes,
            "bag-info.txt": try BagInfo(
                sourceOrganization: "Hébergeur SA", baggingDate: "2026-11-23",
                identifier: identifier, payload: oxum, agent: "exeat 0.1.0"
            ).bytes,
            "VERIFY.txt": Array("sha256sum -c manifest-sha256.txt\n".utf8),
            "RESTORE.txt": Array("zstd -dc\n".utf8),
            "exeat/manifest.json": Array("{}".utf8),
            "exeat/catalogue.json": Array("{\"expected\":4}".utf8),
            "exeat/journal.jsonl": journal,
            "exeat/restore.txt": Array("tar -x\n".utf8),
        ]
        for algorithm in algorithms {
            tags["manifest-\(algorithm).txt"] = try Self.manifest(.payload, algorithm, files)
        }
        beforeTags(&tags)
        files.merge(tags) { $1 }
        for algorithm in algorithms {
            files["tagmanifest-\(algorithm).txt"] = try Self.manifest(.tags, algorithm, tags)
        }
        try seal(&files, oxum)
        return files
    }

    private func seal(_ files: inout [String: [UInt8]], _ oxum: BagInfo.Oxum) throws {
        let key = Array("-----BEGIN PUBLIC KEY-----\n".utf8)
        let token = openingToken(over: journal)
        var seal = Seal(
            subject: SHA256.hash(files["tagmanifest-sha256.txt"] ?? []), bag: identifier,
            name: try BagName(name), createdAt: Timestamp(seconds: 1_795_456_800),
            purpose: "trial", run: "r1", journal: Self.summary(journal), payload: oxum,
            signer: DigestVerifier.signer,
            keys: withProof
                ? [.init(name: "keys/exporter.pem", sha256: SHA256.hash(key))] : [],
            outcome: Self.outcome, tool: ("exeat", "0.1.0"), planSha256: Self.plan,
            openings: withProof
                ? [.init(name: "opening.tsr", sha256: SHA256.hash(token))] : [])
        beforeSeal(&seal)
        let bytes = seal.bytes
        let ssh = DigestVerifier.sign("exeat/seal/v1 ed25519", bytes)
        let mldsa = DigestVerifier.sign("exeat/seal/v1 mldsa65", bytes)
        files["proof/seal.json"] = bytes
        files["proof/seal.json.sig"] = ssh
        files["proof/seal.json.mldsa65"] = mldsa
        guard withProof else { return }
        files["proof/keys/exporter.pem"] = key
        files["proof/opening.tsr"] = token
        let list = Seal.timestamped(
            seal: SHA256.hash(bytes), sshsig: SHA256.hash(ssh), mldsa65: SHA256.hash(mldsa))
        files["proof/timestamped.txt"] = list
        files["proof/timestamped.txt.tsr"] = DigestVerifier.sign("tsr", list) + closingOff
        let statement: JSON = [
            "subject": [
                ["name": "seal.json", "digest": ["sha256": .string(SHA256.hash(bytes).hex)]]
            ],
            "predicateType": "urn:exeat:receipt:v1",
            "predicate": ["bag": .string("urn:uuid:" + seal.bag)],
        ]
        let receipt = statement.canonical
        files["proof/receipt-1.json"] = receipt
        files["proof/receipt-1.json.sig"] = DigestVerifier.sign(
            "exeat/receipt/v1 ed25519", receipt)
        files["proof/receipt-1.json.mldsa65"] = DigestVerifier.sign(
            "exeat/receipt/v1 mldsa65", receipt)
    }

    static func write(_ files: [String: [UInt8]], to directory: String) throws {
        for (path, bytes) in files {
            try Files.makeDirectory(Files.parent(of: directory + "/" + path))
            try overwrite(directory + "/" + path, bytes)
        }
    }

    /// Without the sync of `Files.write`, and as a new file, which the file system need not bring
    /// to the disk at once: thousands of these are written.
    static func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        unlink(path)
        let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try file.writeAll(bytes)
    }

    /// The entries of the tar form in their order, each with its bytes.
    static func members(_ files: [String: [UInt8]]) throws -> [(path: BagPath, bytes: [UInt8])] {
        CanonicalTar.sorted(try files.keys.map { try BagPath($0) }).map {
            ($0, files[$0.text] ?? [])
        }
    }

    static func member(_ name: String, _ path: BagPath, _ bytes: [UInt8]) throws -> [UInt8] {
        try CanonicalTar.header(name: try BagName(name), path: path, size: Int64(bytes.count))
            + bytes
            + [UInt8](repeating: 0, count: CanonicalTar.padding(after: Int64(bytes.count)))
    }

    func tar(_ files: [String: [UInt8]]? = nil) throws -> [UInt8] {
        var tar: [UInt8] = []
        for (path, bytes) in try Self.members(try files ?? self.files()) {
            tar += try Self.member(name, path, bytes)
        }
        return tar + CanonicalTar.end
    }
}

/// Verifies as the command does: opening a bag that cannot be opened is a failed verification.
func examine(_ path: String, workers: Int = 1) async throws(Failure) -> Failure? {
    do throws(Failure) {
        let report = try await Bag(opening: path).examine(
            by: DigestVerifier(), workers: workers, progress: Progress())
        #expect(report.isGood == (report.failure == nil))
        return report.failure
    } catch { return error }
}

/// The same for a tar that comes through a pipe.
func examineStream(_ tar: [UInt8]) async throws -> Failure? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure(errno: errno, "pipe") }
    let reader = SharedDescriptor(Descriptor(owning: ends[0]), name: "standard input")
    do {
        let writer = Descriptor(owning: ends[1])
        _ = fcntl(writer.raw, 1031, 1 << 20)  // F_SETPIPE_SZ: room for a whole tar
        try writer.writeAll(tar)
    }
    return try await BagStream.examine(
        reader, by: DigestVerifier(), progress: Progress()
    ).failure
}
