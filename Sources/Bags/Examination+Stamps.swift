import Basics
import Primitives

/// Time-stamps, and what follows from them.
extension Examination {
    /// How far apart honest clocks may be, in seconds.
    private static let tolerance: Int64 = 300
    /// How far apart those of two authorities may be.
    private static let drift: Int64 = 60

    private static func seconds(_ time: CertifiedTime) -> Int64 {
        ((time.accuracy ?? 0) + 999_999) / 1_000_000
    }

    /// Judges the tokens over the seal, because they say at which date its signer must have been
    /// valid. What is found is told by `judgeStamps`.
    mutating func readClosings(by verifier: some SealVerifier) {
        guard let seal = record(.seal), let ssh = record(.sealSSH), let mldsa = record(.sealMLDSA)
        else { return }
        let message = Seal.timestamped(
            seal: seal.sha256, sshsig: ssh.sha256, mldsa65: mldsa.sha256)
        for place in StampPlace.all where place.kind == .closing {
            guard let token = record(.stamp(place)) else { continue }
            closings[place] = read(token, at: place, over: message, by: verifier)
        }
        for (place, token) in loose(.closing, verifier.demands.tokens) {
            let result = read(token.bytes, over: message, by: verifier)
            // What is about something else may be about the opening.
            if case .failure(let failure) = result, failure.code == .timeStampImprint { continue }
            closings[place] = result
            looseNames[place] = token.name
        }
        closing = closings.values.compactMap { try? $0.get() }.filter(\.isTrusted).map(\.moment)
            .min()
    }

    /// Tokens from outside of the archive, in the places that are free.
    private func loose(
        _ kind: StampPlace.Kind, _ tokens: [(name: String, bytes: [UInt8])]
    ) -> [(StampPlace, (name: String, bytes: [UInt8]))] {
        Array(zip(StampPlace.all.filter { $0.kind == kind && record(.stamp($0)) == nil }, tokens))
    }

    private func read(
        _ token: [UInt8], over message: [UInt8], by verifier: some SealVerifier
    ) -> Result<CertifiedTime, Failure> {
        do throws(Failure) {
            return .success(try verifier.stamp(token, over: message, request: nil))
        } catch { return .failure(error) }
    }

    private func read(
        _ token: FileRecord, at place: StampPlace, over message: [UInt8],
        by verifier: some SealVerifier
    ) -> Result<CertifiedTime, Failure> {
        do throws(Failure) {
            if let failure = token.failure { throw failure }
            let request = record(.stampRequest(place)).flatMap { $0.failure == nil ? $0 : nil }
            return .success(
                try verifier.stamp(token.content, over: message, request: request?.content))
        } catch { return .failure(error) }
    }

    mutating func judgeStamps(by verifier: some SealVerifier) {
        let line = record(.journal)?.firstJournalLine ?? []
        judgeList()
        judgeListed()
        var found: [StampPlace: Result<CertifiedTime, Failure>] = closings
        for place in StampPlace.all where place.kind == .opening {
            guard let token = record(.stamp(place)) else { continue }
            found[place] = read(token, at: place, over: line, by: verifier)
        }
        let taken = Set(looseNames.values)
        let left = verifier.demands.tokens.filter { !taken.contains($0.name) }
        for (place, token) in loose(.opening, left) {
            found[place] = read(token.bytes, over: line, by: verifier)
            looseNames[place] = token.name
        }
        for place in found.keys.sorted() {
            note(place, found[place])
        }
        opening = stamps.filter { $0.key.kind == .opening && $0.value.isTrusted }
            .map(\.value.moment).min()
        judgeRequests(over: line, by: verifier)
        judgeTimes(verifier.demands.now)
        for kind in StampPlace.Kind.allCases {
            noteAbsence(of: kind, found, verifier.demands)
        }
    }

    private mutating func note(_ place: StampPlace, _ result: Result<CertifiedTime, Failure>?) {
        switch result {
        case .success(let time):
            stamps[place] = time
            let detail = "\(time.moment.text) by \(time.authority)"
            note(
                place.name, time.isTrusted ? .passed : .unchecked,
                time.isTrusted
                    ? detail + (time.note.map { "; \($0)" } ?? "")
                    : detail + "; no authority to check it with was given")
        case .failure(let failure):
            blame(looseNames[place] ?? "proof/" + place.token, failure)
            note(place.name, .failed, nil)
        case nil: break
        }
    }

    /// `timestamped.txt` says what follows from the seal and its signatures, and nothing else.
    private mutating func judgeList() {
        guard let list = record(.timestamped), list.failure == nil, let seal = record(.seal),
            let ssh = record(.sealSSH), let mldsa = record(.sealMLDSA)
        else { return }
        let expected = Seal.timestamped(
            seal: seal.sha256, sshsig: ssh.sha256, mldsa65: mldsa.sha256)
        if list.content != expected {
            blame(list.path.text, .bagFileChanged, "does not list the seal and its signatures")
        }
    }

    /// The opening tokens that the seal and the journal list are there, and are those.
    private mutating func judgeListed() {
        guard let seal else { return }
        for listed in seal.openings {
            let path = "proof/" + listed.name
            guard let place = StampPlace(token: listed.name), let record = record(.stamp(place))
            else {
                blame(path, .bagFileMissing, "is listed in the seal but not there")
                continue
            }
            if record.sha256 != listed.sha256 {
                blame(path, .bagFileChanged, "is not the one that was sealed")
            }
        }
        guard let noted = record(.journal)?.journalFacts?.stamped else { return }
        let inJournal = noted.mapValues(\.sha256)
        let inSeal = Dictionary(
            uniqueKeysWithValues: seal.openings.map { ($0.name, $0.sha256.hex) })
        if inJournal != inSeal {
            blame(
                "exeat/journal.jsonl", .journalMismatch,
                "knows other opening time-stamps than the seal")
        }
    }

    private mutating func judgeRequests(over line: [UInt8], by verifier: some SealVerifier) {
        let list = record(.timestamped)?.content ?? []
        for place in StampPlace.all {
            guard let request = record(.stampRequest(place)), request.failure == nil else {
                continue
            }
            do throws(Failure) {
                try verifier.check(
                    request: request.content, over: place.kind == .opening ? line : list)
            } catch { blame(request.path.text, error) }
        }
    }

    /// Holds the certified times against what seal and journal claim, and against each other.
    private mutating func judgeTimes(_ now: Timestamp?) {
        let facts = record(.journal)?.journalFacts
        let opened = facts?.opening["t"]?.string.flatMap { Timestamp($0) }
        for (place, time) in stamps.sorted(by: { $0.key < $1.key }) {
            let path = "proof/" + place.token
            let slack = Self.tolerance + Self.seconds(time)
            let claimed = place.kind == .opening ? opened : seal?.createdAt
            if let claimed, time.moment.seconds + slack < claimed.seconds {
                blame(
                    path, .timeStampBackdated,
                    "is of \(time.moment.text), older than what it is about (\(claimed.text))")
            }
            // What was written after the token came cannot be older than it.
            let after =
                place.kind == .opening ? facts?.stamped[place.token]?.moment : nil
            if let after, after.seconds + slack < time.moment.seconds {
                blame(
                    path, .timeStampBackdated,
                    "is of \(time.moment.text), and the journal claims to have it since \(after.text)"
                )
            }
            if place.kind == .opening, after != nil, let sealed = seal?.createdAt,
                sealed.seconds + slack < time.moment.seconds
            {
                blame(
                    path, .timeStampBackdated,
                    "is of \(time.moment.text), and the seal that names it claims \(sealed.text)")
            }
            if let now, now.seconds + slack < time.moment.seconds {
                blame(
                    path, .timeStampBackdated,
                    "is of \(time.moment.text), which lies in the future (it is \(now.text))")
            }
        }
        for (first, opening) in stamps where first.kind == .opening {
            for (last, closing) in stamps where last.kind == .closing {
                let slack =
                    Self.seconds(opening) + Self.seconds(closing)
                    + (opening.authority == closing.authority ? 1 : Self.drift)
                if closing.moment.seconds + slack < opening.moment.seconds {
                    blame(
                        "proof/" + first.token, .timeStampOrder,
                        "is of \(opening.moment.text), later than \"\(last.token)\" "
                            + "(\(closing.moment.text))")
                }
            }
        }
    }

    private mutating func noteAbsence(
        of kind: StampPlace.Kind, _ found: [StampPlace: Result<CertifiedTime, Failure>],
        _ demands: SealDemands
    ) {
        let first = StampPlace(kind, 1)
        if !found.keys.contains(where: { $0.kind == kind }) {
            let request = StampPlace.all.first {
                $0.kind == kind && record(.stampRequest($0)) != nil
            }
            var detail: String?
            if let request {
                detail = "the request for one is there: proof/\(request.request)"
            } else if let count = seal?.timestamps, count > 0 {
                detail = "the plan asked \(count == 1 ? "one authority" : "\(count) authorities")"
            }
            note(first.name, .absent, detail)
        }
        guard demands.timeStamps,
            !stamps.contains(where: { $0.key.kind == kind && $0.value.isTrusted }),
            !found.contains(where: {
                if case .failure = $0.value { $0.key.kind == kind } else { false }
            })
        else { return }
        blame(
            "proof/" + first.token,
            Failure(
                .timeStampMissing, "there is no \(kind.rawValue) time-stamp that can be trusted",
                hint: "Fetch it, or give the authority's root with --tsa-ca."))
    }

    /// An archive that its exporter wanted to be restored before now.
    mutating func judgeFreshness(by demands: SealDemands) {
        guard let until = seal?.restoreBefore else { return }
        let name = "date of expiry"
        guard let now = demands.now, now >= until else { return note(name, .passed, until.text) }
        guard !demands.acceptsExpired else {
            return note(name, .unchecked, "\(until.text) has passed, and is accepted")
        }
        note(name, .failed, nil)
        blame(
            "proof/seal.json",
            Failure(
                .sealExpired, "the archive was to be restored before \(until.text)",
                hint: "Ask the exporter for a newer one."))
    }
}
