import Bags
import Basics
import Glibc
import Plans
import Primitives
import Streams
import TimeStamps

/// The time-stamps of one export: over the journal's first line when it begins, over the seal and its
/// signatures when it ends.
///
/// An authority that does not answer never loses a run: it goes on without, and says so, unless the
/// plan requires a token; then it ends, and goes on when it is run again.
struct RunStamps: Sendable {
    let authorities: [TimestampAuthority]
    private let clients: [TimeStampClient?]
    private let ledger: RunLedger
    /// Private to the run; opening tokens wait here for the seal.
    private let directory: String
    private let world: World

    init(
        _ authorities: [TimestampAuthority], ledger: RunLedger, directory: String, world: World,
        progress: Progress
    ) throws(Failure) {
        self.authorities = authorities
        self.ledger = ledger
        self.directory = directory
        self.world = world
        clients = try authorities.map { (authority) throws(Failure) in
            guard let server = authority.server else { return nil }
            return TimeStampClient(
                authority: authority, server: server, trust: try authority.trust(server),
                world: world, progress: progress)
        }
    }

    /// Throws for authorities that no token could lead to.
    static func check(_ authorities: [TimestampAuthority]) throws(Failure) {
        for authority in authorities {
            guard let server = authority.server else { continue }
            _ = try authority.trust(server)
            if let file = server.serverCertificates, !Files.exists(file) {
                throw Failure(.notFound, "the file \"\(file)\" of \"tls-ca\" is not there")
            }
        }
    }

    /// What an export got, and what it did not get.
    struct Found: Sendable {
        var files: [(name: String, bytes: [UInt8])] = []
        var outcome = StampOutcome()
    }

    // MARK: - Opening

    /// Has the first line of the journal stamped, by those authorities that have not done it yet.
    func open() throws(Failure) {
        guard !ledger.isCompleted else { return }
        for (place, client) in places(.opening) {
            guard let client, try stored(place) == nil else { continue }
            do throws(Failure) {
                let (bytes, _) = try client.token(over: ledger.firstLine)
                try Files.write(bytes, to: directory + "/" + place.token)
                try ledger.noteStamped(place.token, SHA256.hash(bytes).hex)
            } catch {
                guard error.code == .timeStampUnavailable, !client.authority.isRequired else {
                    throw error.code == .timeStampUnavailable
                        ? error.during("cannot open the run") : error
                }
                try ledger.noteUnstamped(
                    place.token, (error.cause ?? error).code)
            }
        }
    }

    /// The token that the journal knows, nil where it knows none or it is gone.
    private func stored(_ place: StampPlace) throws(Failure) -> [UInt8]? {
        guard let digest = ledger.stamped[place.token],
            let bytes = try? Files.read(directory + "/" + place.token, limit: 1 << 20),
            SHA256.hash(bytes).hex == digest
        else { return nil }
        return bytes
    }

    private func places(_ kind: StampPlace.Kind) -> [(StampPlace, TimeStampClient?)] {
        clients.enumerated().map { (StampPlace(kind, $0.offset + 1), $0.element) }
    }

    // MARK: - Closing

    /// The opening tokens for the seal to list. A journal that is closed and knows a token which is gone
    /// cannot be sealed.
    func openings() throws(Failure) -> Found {
        var found = Found()
        for (place, client) in places(.opening) {
            guard client != nil else {
                let request = try authorities[place.number - 1].request(
                    over: ledger.firstLine, world: world)
                found.files.append((place.request, request.bytes))
                found.outcome.requests.append(place.request)
                continue
            }
            if let bytes = try stored(place) {
                found.files.append((place.token, bytes))
                found.outcome.tokens.append(place.token)
            } else {
                guard ledger.stamped[place.token] == nil else {
                    throw Failure(
                        .bagFileMissing, "the opening time-stamp \"\(place.token)\" is gone",
                        hint:
                            "The output was changed while the run was interrupted; export to a new one."
                    )
                }
                found.outcome.missing.append(place.token)
            }
        }
        return found
    }

    /// Has the seal and its signatures stamped.
    func close(_ list: [UInt8]) throws(Failure) -> Found {
        var found = Found()
        for (place, client) in places(.closing) {
            guard let client else {
                let request = try authorities[place.number - 1].request(over: list, world: world)
                found.files.append((place.request, request.bytes))
                found.outcome.requests.append(place.request)
                continue
            }
            do throws(Failure) {
                found.files.append((place.token, try client.token(over: list).bytes))
                found.outcome.tokens.append(place.token)
            } catch {
                guard error.code == .timeStampUnavailable else { throw error }
                guard !client.authority.isRequired else {
                    throw error.during(
                        "cannot seal the archive: its time-stamp is missing",
                        hint:
                            "What is stored is kept. Run the same command again when the authority is there."
                    )
                }
                found.outcome.missing.append(place.token)
                found.outcome.reasons.append((error.cause ?? error).what)
            }
        }
        return found
    }
}

/// Which time-stamps an archive has.
public struct StampOutcome: Sendable {
    /// Names in `proof/`.
    public var tokens: [String] = []
    public var requests: [String] = []
    public var missing: [String] = []
    /// Why the closing ones are missing.
    var reasons: [String] = []

    func joined(_ other: StampOutcome) -> StampOutcome {
        var both = self
        both.tokens += other.tokens
        both.requests += other.requests
        both.missing += other.missing
        both.reasons += other.reasons
        return both
    }

    /// True when authorities were asked, and the archive's beginning or its end has no token at all.
    var isIncomplete: Bool {
        StampPlace.Kind.allCases.contains { kind in
            let names = Set(StampPlace.all.filter { $0.kind == kind }.map(\.token))
            return missing.contains(where: names.contains)
                && !tokens.contains(where: names.contains)
        }
    }

    var json: JSON {
        func list(_ names: [String]) -> JSON { .array(names.map { .string($0) }) }
        return ["tokens": list(tokens), "requests": list(requests), "missing": list(missing)]
    }

    var lines: [String] {
        var lines = tokens.map { "time-stamp: proof/\($0)" }
        lines += missing.map { "NO TIME-STAMP: proof/\($0) could not be had" }
        lines += Set(reasons).sorted().map { "because: \($0)" }
        if !missing.isEmpty {
            lines.append(
                "run the same command again, or add a token with \"exeat attest timestamp\"")
        }
        if !requests.isEmpty {
            lines.append(
                "no time-stamp yet: send "
                    + requests.map { "proof/\($0)" }.joined(separator: " and ")
                    + " to an authority, and add the answers with \"exeat attest timestamp\"")
        }
        return lines
    }
}
