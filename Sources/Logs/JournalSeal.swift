public import Basics
public import Primitives

/// The key that verifies sealed journal files: what `journalctl --setup-keys` has shown.
public struct JournalVerificationKey: Sendable {
    let seed: [UInt8]
    /// Microseconds since 1970 at which the first interval began, and how long one lasts.
    public let start: UInt64
    public let interval: UInt64

    /// Reads twelve bytes in hexadecimal, with dashes anywhere, then `/START-INTERVAL` in hexadecimal,
    /// the start counted in intervals; nil for anything else.
    public init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2,
            let seed = Hex.decode(halves[0].filter { $0 != "-" }.lowercased()), seed.count == 12
        else { return nil }
        let numbers = halves[1].split(separator: "-", omittingEmptySubsequences: false)
        guard numbers.count == 2, let start = UInt64(numbers[0], radix: 16),
            let interval = UInt64(numbers[1], radix: 16), interval > 0
        else { return nil }
        let product = start.multipliedReportingOverflow(by: interval)
        guard !product.overflow else { return nil }
        self.seed = seed
        self.start = product.partialValue
        self.interval = interval
    }

    public func keys() throws(Failure) -> SealingKeys { try SealingKeys(seed: seed) }
}

/// Holds the tags of a sealed journal file against its content (systemd: `journal-authenticate.c`).
///
/// A tag is the HMAC of everything between it and the tag before that never changes, with the key of
/// its interval.
public struct JournalSeal {
    public struct Outcome: Sendable, Equatable {
        /// Tags that are right.
        public var tags: UInt64 = 0
        /// Entries before the last right tag.
        public var sealed: UInt64 = 0
        /// Entries behind it: not sealed yet, or no longer.
        public var unsealed: UInt64 = 0
        /// Microseconds: the intervals of the first and of the last right tag.
        public var from: UInt64?
        public var to: UInt64?
        /// Why the file does not verify; nil where it does.
        public var failure: String?

        public init() {}
    }

    private let file: JournalFile
    private let key: JournalVerificationKey
    private let keys: SealingKeys

    public init(_ file: JournalFile, _ key: JournalVerificationKey, _ keys: SealingKeys) {
        self.file = file
        self.key = key
        self.keys = keys
    }

    /// Reads the file through; a failure to verify is an outcome.
    public func verify(_ isCancelled: () throws(Failure) -> Void) throws(Failure) -> Outcome {
        var outcome = Outcome()
        var covered = file.header.size
        var position = covered
        var lastEpoch: UInt64 = 0
        var end = file.size
        if let tail = try file.object(file.header.tailObject) { end = min(end, tail.end) }
        while position < end {
            guard let object = try file.object(position) else {
                outcome.failure = "no object at byte \(position)"
                return outcome
            }
            if object.kind == .entry {
                outcome.unsealed += 1
                if outcome.unsealed & 0xfff == 0 { try isCancelled() }
            }
            if object.kind == .tag {
                guard let tag = try file.bytes(position, 64) else { break }
                let epoch = tag.number(24, UInt64.self)
                guard tag.number(16, UInt64.self) == outcome.tags + 1, epoch >= lastEpoch else {
                    outcome.failure = "the tag at byte \(position) is out of order"
                    return outcome
                }
                var expected: [UInt8] = []
                for place in 0..<32 { expected.append(tag.number(32 + place, UInt8.self)) }
                let found = try code(
                    covered..<object.end, epoch: epoch, withHeader: outcome.tags == 0)
                guard found.bytes == expected else {
                    outcome.failure =
                        "the tag at byte \(position) does not fit what it seals: bytes "
                        + "\(covered) to \(position)"
                    return outcome
                }
                lastEpoch = epoch
                outcome.tags += 1
                outcome.sealed += outcome.unsealed
                outcome.unsealed = 0
                let begin = key.start &+ epoch &* key.interval
                outcome.from = outcome.from ?? begin
                outcome.to = begin &+ key.interval
                covered = object.end
            }
            position = object.end
        }
        if file.header.tags > outcome.tags {
            outcome.failure =
                "\(outcome.tags) tags are there, and the head counts \(file.header.tags)"
        } else if outcome.tags == 0 {
            outcome.failure = "there is no tag"
        }
        return outcome
    }

    /// The code over the objects of a range.
    private func code(
        _ range: Range<Int64>, epoch: UInt64, withHeader: Bool
    ) throws(Failure) -> Digest256 {
        var hasher = KeyedSHA256(key: keys.key(of: epoch))
        if withHeader {
            // What never changes of the head: flags; ids of file and machine; id of the sequence and
            // size of the head; the hash tables.
            for part in [0..<16, 24..<56, 72..<96, 104..<136] as [Range<Int64>] {
                try add(part, to: &hasher)
            }
        }
        var position = range.lowerBound
        while position < range.upperBound, let object = try file.object(position) {
            try add(position..<position + 16, to: &hasher)
            let end = position + object.size
            switch object.kind {
            case .data:
                try add(position + 16..<position + 24, to: &hasher)
                try add(position + (file.header.isCompact ? 72 : 64)..<end, to: &hasher)
            case .field:
                try add(position + 16..<position + 24, to: &hasher)
                try add(position + 40..<end, to: &hasher)
            case .entry: try add(position + 16..<end, to: &hasher)
            case .tag: try add(position + 16..<position + 32, to: &hasher)
            case .dataTable, .fieldTable, .entryArray: break
            }
            position = object.end
        }
        return hasher.finish()
    }

    private func add(_ range: Range<Int64>, to hasher: inout KeyedSHA256) throws(Failure) {
        var place = range.lowerBound
        while place < range.upperBound {
            let count = Int(min(range.upperBound - place, 1 << 16))
            guard let bytes = try file.bytes(place, count) else {
                throw Failure(.sourceUnreadable, "\"\(file.path)\" ends inside an object")
            }
            unsafe hasher.update(bytes.buffer)
            place += Int64(count)
        }
    }
}
