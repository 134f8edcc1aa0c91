public import Basics
import Primitives

/// Finds the rows in which a table on the target differs from the archive, in bounded memory.
///
/// The rows of either side are sorted into buckets by their digests, and only rows of buckets whose
/// sums differ are looked at one by one. Both sides are read twice.
public struct RowDifference {
    /// A row that one side has more often than the other.
    public struct Row {
        let digest: Digest256
        /// The values of the key, as COPY prints them; the row's own digest where there is no key.
        public let name: String
        /// How often the archive has it beyond the target; negative the other way round.
        public let excess: Int
    }

    private static let buckets = 4096
    /// More rows than these are counted only.
    private static let most = 50_000

    private let columns: [String]
    private let key: [String]
    private let salt: [UInt8]
    private var sums: [[MultisetDigest]]
    private var differing: Set<Int> = []
    private var rows: [Digest256: (name: String, excess: Int)] = [:]
    /// More rows differ than are kept.
    public private(set) var isCut = false

    /// - Parameter columns: in the order of a row's fields, which tabs separate.
    /// - Parameter key: the columns whose values name a row; may be empty.
    public init(columns: [String], key: [String], salt: [UInt8]) {
        self.columns = columns
        self.key = key
        self.salt = salt
        let none = [MultisetDigest](repeating: MultisetDigest(), count: Self.buckets)
        sums = [none, none]
    }

    /// Reads both sides twice: `read` gives every row of a side to what it is handed.
    public static func between(
        columns: [String], key: [String], salt: [UInt8],
        read: (Side, (([UInt8]) -> Void)) throws(Failure) -> Void
    ) throws(Failure) -> RowDifference {
        var difference = RowDifference(columns: columns, key: key, salt: salt)
        for side in [Side.archive, .target] { try read(side) { difference.count($0, side) } }
        difference.chooseBuckets()
        for side in [Side.archive, .target] { try read(side) { difference.look(at: $0, side) } }
        return difference
    }

    public enum Side: Int, Sendable {
        case archive, target
    }

    private static func bucket(_ digest: Digest256) -> Int {
        Int(truncatingIfNeeded: digest.words.3) & (buckets - 1)
    }

    /// First pass: a row of one side.
    public mutating func count(_ row: [UInt8], _ side: Side) {
        let digest = hash(row)
        sums[side.rawValue][Self.bucket(digest)].add(
            MultisetDigest(sum: digest, count: 1))
    }

    /// Between the passes.
    public mutating func chooseBuckets() {
        differing = Set((0..<Self.buckets).filter { sums[0][$0] != sums[1][$0] })
    }

    /// Second pass: a row of one side.
    public mutating func look(at row: [UInt8], _ side: Side) {
        let digest = hash(row)
        guard differing.contains(Self.bucket(digest)) else { return }
        let step = side == .archive ? 1 : -1
        if let known = rows[digest] {
            rows[digest] = known.excess + step == 0 ? nil : (known.name, known.excess + step)
        } else if rows.count < Self.most {
            rows[digest] = (name(of: row, digest), step)
        } else {
            isCut = true
        }
    }

    /// What is left once both sides were looked at, by name.
    public var found: [Row] {
        rows.map { Row(digest: $0.key, name: $0.value.name, excess: $0.value.excess) }
            .sorted { ($0.name, $0.excess) < ($1.name, $1.excess) }
    }

    /// What a person reads of the rows that differ: a hundred of them at most, by name; the last line
    /// has no name where there are more.
    public func lines(hasKey: Bool) -> [(row: String, expected: String, found: String)] {
        let byName = Dictionary(grouping: found, by: \.name)
        var lines: [(row: String, expected: String, found: String)] = []
        for name in byName.keys.sorted().prefix(Self.mostNamed) {
            let rows = byName[name] ?? []
            let (lacking, beyond) = (rows.filter { $0.excess > 0 }, rows.filter { $0.excess < 0 })
            let isChanged = hasKey && !lacking.isEmpty && !beyond.isEmpty
            let times = abs(rows.reduce(0) { $0 + $1.excess })
            lines.append(
                (
                    name, lacking.isEmpty ? "not there" : "as exported",
                    isChanged
                        ? "changed"
                        : lacking.isEmpty
                            ? "there\(times > 1 ? " \(times) times" : ", once too often")"
                            : "missing"
                ))
        }
        if isCut || byName.count > Self.mostNamed {
            lines.append(
                (
                    "", "no further differences",
                    isCut ? "more than can be named" : "\(byName.count) rows differ in all"
                ))
        }
        return lines
    }

    private static let mostNamed = 100

    private func hash(_ row: [UInt8]) -> Digest256 {
        var hasher = SHA256()
        hasher.update(salt)
        hasher.update(row)
        return hasher.finish()
    }

    private func name(of row: [UInt8], _ digest: Digest256) -> String {
        let places = key.compactMap { columns.firstIndex(of: $0) }
        guard !places.isEmpty, places.count == key.count else {
            return "digest \(digest.hex.prefix(16))"
        }
        let values = row.split(separator: 0x09, omittingEmptySubsequences: false)
        return zip(key, places).map { column, place in
            let value = values.indices.contains(place) ? values[place] : []
            return "\(column)=\(String(decoding: value.prefix(100), as: UTF8.self))"
        }.joined(separator: ", ")
    }
}

/// Cuts pieces of lines into rows.
public struct RowSplitter {
    private var row: [UInt8] = []

    public init() {}

    public mutating func split(_ bytes: UnsafeRawBufferPointer, _ body: ([UInt8]) -> Void) {
        var start = 0
        while start < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let end = unsafe rest.firstIndex(of: 0x0a) else {
                unsafe row.append(contentsOf: rest)
                return
            }
            unsafe row.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<end]))
            body(row)
            row.removeAll(keepingCapacity: true)
            start += end + 1
        }
    }
}
