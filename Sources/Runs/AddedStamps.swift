import Bags
public import Basics
import Dossiers
import Primitives
import Streams
import TimeStamps

/// `exeat attest timestamp`: what an authority answered later goes beside the seal, and of a tar, which is never
/// changed, into the folder beside it.
///
/// The token says itself what it is about. Nothing is added that does not hold, and nothing that is
/// there is changed.
public struct AddedStamps: Sendable {
    public struct Added: Sendable {
        /// `proof/NAME`, or the path of the token beside a tar.
        public let file: String
        public let moment: Timestamp
        public let authority: String
        public let isTrusted: Bool
    }

    private let archive: String
    /// Beside a tar; nil of a directory, which has its `proof/`.
    private let beside: String?
    private let line: [UInt8]
    private let list: [UInt8]
    private let proof: [String: [UInt8]]

    /// Reads what can be stamped. Throws for anything but a sealed archive.
    public init(_ archive: String) throws(Failure) {
        self.archive = archive
        let bag = try Bag(opening: archive)
        beside = bag.form == .directory ? nil : DossierFolder.beside(archive).path
        let contents = bag.unverified()
        var proof: [String: [UInt8]] = [:]
        for entry in contents.entries where entry.path.isProof && entry.size < 1 << 20 {
            proof[String(entry.path.text.dropFirst("proof/".count))] =
                try contents.read(entry.path, limit: 1 << 20)
        }
        guard let seal = proof["seal.json"], let ssh = proof["seal.json.sig"],
            let mldsa = proof["seal.json.mldsa65"]
        else {
            throw Failure(
                .bagUnsealed, "\"\(archive)\" has no seal with both signatures",
                hint: "Only a run that was finished is sealed; run the same export again.")
        }
        list = Seal.timestamped(
            seal: SHA256.hash(seal), sshsig: SHA256.hash(ssh), mldsa65: SHA256.hash(mldsa))
        line = try Self.firstLine(contents)
        for (name, bytes) in try beside.map({ DossierFolder($0) })?.stamps() ?? [] {
            proof[name] = proof[name] ?? bytes
        }
        self.proof = proof
    }

    private static func firstLine(_ contents: UnverifiedBag) throws(Failure) -> [UInt8] {
        var source = try contents.source(of: try BagPath("exeat/journal.jsonl"))
        var chunk = Chunk(capacity: 1 << 17)
        try source.read(into: &chunk)
        var line: [UInt8] = []
        try unsafe chunk.withBytes { (bytes) throws(Failure) in
            unsafe line.append(contentsOf: bytes.prefix { $0 != 0x0a })
        }
        return line
    }

    // MARK: - Requests

    /// Writes requests for both stamps to a directory; their names. For an archive whose plan asked
    /// for none, or to ask another authority.
    public func writeRequests(
        to directory: String, policy: String?, world: World
    ) throws(Failure) -> [String] {
        let policy = try TimeStampTrust.identifiers(policy.map { [$0] } ?? []).first
        try Files.makeDirectory(directory)
        var written: [String] = []
        for kind in StampPlace.Kind.allCases {
            let request = try TimeStampRequest(
                for: message(kind), by: .sha256, policy: policy, world: world)
            let path = directory + "/" + StampPlace(kind, 1).request
            guard !Files.exists(path) else {
                throw Failure(
                    .exists, "\"\(path)\" is there already",
                    hint: "Send it to an authority, or name another directory.")
            }
            try Files.write(request.bytes, to: path)
            written.append(path)
        }
        return written
    }

    private func message(_ kind: StampPlace.Kind) -> [UInt8] { kind == .opening ? line : list }

    // MARK: - Tokens

    /// Adds tokens, those about the opening first.
    ///
    /// - Parameters:
    ///   - tokens: files.
    ///   - authorities: PEM files; without any, a token is only held against itself.
    public func add(
        _ tokens: [String], authorities: [String], policies: [String]
    ) throws(Failure) -> [Added] {
        var trust = TimeStampTrust.none
        if !authorities.isEmpty {
            trust = try TimeStampTrust(files: authorities, policies: policies)
        }
        var found: [(kind: StampPlace.Kind, bytes: [UInt8], stamp: TimeStamp)] = []
        for path in tokens {
            let read = try Files.read(path, limit: TimeStampToken.longest)
            do throws(Failure) {
                let bytes = try TimeStampToken.response(read)
                let (kind, stamp) = try judge(bytes, trust)
                found.append((kind, bytes, stamp))
            } catch { throw error.during("cannot add \"\(path)\"") }
        }
        var added: [Added] = []
        var taken = proof
        for (kind, bytes, stamp) in found.sorted(by: { $0.kind < $1.kind }) {
            let place = try place(for: bytes, kind, in: taken)
            try checkOrder(kind, stamp, in: taken, trust)
            for (name, bytes) in try store(bytes, at: place, in: taken) { taken[name] = bytes }
            added.append(
                Added(
                    file: (beside ?? "proof") + "/" + place.token, moment: stamp.moment,
                    authority: stamp.authority,
                    isTrusted: stamp.isTrusted))
        }
        return added
    }

    /// Puts a token that holds into its place, with the list that it is about.
    private func store(
        _ bytes: [UInt8], at place: StampPlace, in taken: [String: [UInt8]]
    ) throws(Failure) -> [(String, [UInt8])] {
        var files = [(place.token, bytes)]
        if place.kind == .closing, taken["timestamped.txt"] == nil {
            files.append(("timestamped.txt", list))
        }
        do throws(Failure) {
            if let beside { try Files.makeDirectory(beside) }
            try DossierFolder(beside ?? archive + "/proof").add(
                files.map { (name: $0.0, bytes: $0.1) })
        } catch { throw error.during("cannot add \"\(place.token)\" to \"\(archive)\"") }
        return files
    }

    /// Asks the authority of a plan once more for a token that the run could not have. An opening
    /// cannot be stamped any more where the end is.
    func fetch(_ place: StampPlace, from client: TimeStampClient) throws(Failure) -> Bool {
        let isClosed = proof.keys.contains { StampPlace(token: $0)?.kind == .closing }
        if place.kind == .opening, isClosed { return false }
        let (bytes, _) = try client.token(over: message(place.kind))
        _ = try store(bytes, at: place, in: proof)
        return true
    }

    private func judge(
        _ bytes: [UInt8], _ trust: TimeStampTrust
    ) throws(Failure) -> (StampPlace.Kind, TimeStamp) {
        let token = try TimeStampToken(parsing: bytes)
        for kind in StampPlace.Kind.allCases {
            let message = message(kind)
            guard try MessageDigest.of(message, token.info.algorithm) == token.info.imprint else {
                continue
            }
            let stamp = try trust.judge(bytes, over: message)
            if case .disagrees(let reason) = try opinion(bytes, message, stamp, trust) {
                throw Failure(
                    .timeStampOpinion, "it holds by exeat, but not by OpenSSL: \(reason)")
            }
            return (kind, stamp)
        }
        throw Failure(
            .timeStampImprint, "it is neither about the opening nor about the seal of this archive",
            hint: "Send the requests of this very archive: proof/*.tsq, or --request-to DIRECTORY.")
    }

    private func opinion(
        _ bytes: [UInt8], _ message: [UInt8], _ stamp: TimeStamp, _ trust: TimeStampTrust
    ) throws(Failure) -> SecondOpinion.Verdict {
        guard stamp.isTrusted else { return .none("") }
        return try SecondOpinion.ask(about: bytes, over: message, stamp, by: trust)
    }

    /// The place of the request that it answers, or else the first that is free.
    private func place(
        for bytes: [UInt8], _ kind: StampPlace.Kind, in taken: [String: [UInt8]]
    ) throws(Failure) -> StampPlace {
        let places = StampPlace.all.filter { $0.kind == kind }
        if let same = places.first(where: { taken[$0.token] == bytes }) {
            throw Failure(
                .exists, "the archive has this token already, as \"proof/\(same.token)\"")
        }
        let nonce = try TimeStampToken(parsing: bytes).info.nonce
        for place in places where taken[place.token] == nil {
            guard let request = taken[place.request] else { continue }
            if try TimeStampRequest(parsing: request).nonce == nonce { return place }
        }
        // Where a request waits for another answer, this one would be judged by its nonce.
        let free = places.first { taken[$0.token] == nil && taken[$0.request] == nil }
        guard let free else {
            throw Failure(.timeStampNonce, "no place is left in proof/ for this token")
        }
        return free
    }

    private func checkOrder(
        _ kind: StampPlace.Kind, _ stamp: TimeStamp, in taken: [String: [UInt8]],
        _ trust: TimeStampTrust
    ) throws(Failure) {
        for place in StampPlace.all where place.kind != kind {
            guard let bytes = taken[place.token],
                let other = try? TimeStampToken(parsing: bytes).info
            else { continue }
            let isOrdered =
                kind == .opening ? stamp.moment <= other.moment : other.moment <= stamp.moment
            guard isOrdered else {
                throw Failure(
                    .timeStampOrder,
                    "the opening would be stamped later than the end (\"proof/\(place.token)\")",
                    hint: "Leave this token out: the other one says more.")
            }
        }
    }
}
