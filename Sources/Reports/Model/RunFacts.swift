import Basics

/// The course of the export: when each source was stored, and how fast.
struct RunFacts: Sendable, Equatable {
    /// Of one source; times in milliseconds since the run was opened.
    struct Row: Sendable, Equatable {
        let source: Int
        /// Its inventory, where the expected list was fixed.
        let inventoried: Int64
        let first: Int64
        let last: Int64
        /// The share of its bytes in each of `bins` equal parts of the run; they sum up to 1.
        let load: [Double]
        let bytes: Int64
        let segments: Int
    }

    struct Pause: Sendable, Equatable {
        let from: Int64
        let to: Int64
        let code: Int64?
    }

    static let bins = 96

    let opened: Timestamp
    /// Of the whole run, pauses included.
    let milliseconds: Int64
    let rows: [Row]
    /// Plaintext bytes for each second in each of `bins` equal parts of the run.
    let throughput: [Double]
    let pauses: [Pause]
    let plainBytes: Int64
    let segments: Int
    let voided: Int
    let lines: Int

    /// Milliseconds in which the run was at work.
    var working: Int64 { max(0, milliseconds - pauses.reduce(0) { $0 + $1.to - $1.from }) }

    /// Bytes a second while it was at work; nil for a run too short to tell.
    var meanRate: Int64? {
        guard working >= 100 else { return nil }
        return Int64(Double(plainBytes) * 1000 / Double(working))
    }

    init?(_ history: RunHistory) {
        guard let opened = history.opened, let end = history.last else { return nil }
        self.opened = opened
        func offset(_ at: Timestamp) -> Int64 { max(0, at.milliseconds - opened.milliseconds) }
        let commits = history.commits
        // Clocks are set: the last line need not be the latest.
        milliseconds = commits.reduce(offset(end)) { max($0, offset($1.at)) }
        pauses = history.pauses.map {
            Pause(from: offset($0.from), to: max(offset($0.from), offset($0.to)), code: $0.code)
        }
        lines = history.lines
        voided = history.voided
        segments = commits.count
        plainBytes = commits.reduce(0) { $0 &+ $1.plainBytes }
        let width = max(1, Double(milliseconds) / Double(Self.bins))
        var total = [Double](repeating: 0, count: Self.bins)
        var rows: [Int: (commits: Int, bytes: Int64, first: Int64, last: Int64, load: [Double])] =
            [:]
        for commit in commits {
            let at = offset(commit.at)
            let inventoried = history.inventories[commit.source].map { offset($0.at) } ?? 0
            var row =
                rows[commit.source]
                ?? (
                    0, 0, min(at, inventoried), inventoried,
                    [Double](repeating: 0, count: Self.bins)
                )
            // A journal says when a segment was whole. It was under way since the one before it of the
            // same source, or since the run went on.
            let resumed = pauses.last { $0.to <= at }?.to ?? 0
            let from = min(at, max(row.last, resumed))
            row.commits += 1
            row.bytes &+= commit.plainBytes
            row.last = max(row.last, at)
            Self.spread(Double(commit.plainBytes), from: from, to: at, width, into: &row.load)
            Self.spread(Double(commit.plainBytes), from: from, to: at, width, into: &total)
            rows[commit.source] = row
        }
        self.rows = rows.sorted { $0.key < $1.key }.map { source, row in
            let sum = row.load.reduce(0, +)
            return Row(
                source: source,
                inventoried: history.inventories[source].map { offset($0.at) } ?? row.first,
                first: row.first, last: row.last,
                load: sum > 0 ? row.load.map { $0 / sum } : row.load, bytes: row.bytes,
                segments: row.commits)
        }
        throughput = total.map { $0 * 1000 / width }
    }

    /// Distributes an amount evenly over a time.
    private static func spread(
        _ amount: Double, from: Int64, to: Int64, _ width: Double, into bins: inout [Double]
    ) {
        let last = bins.count - 1
        let start = Double(from) / width
        let end = Double(to) / width
        let first = min(last, max(0, Int(start)))
        let final = min(last, max(first, Int(end)))
        guard final > first, end > start else {
            bins[final] += amount
            return
        }
        for bin in first...final {
            let overlap = min(end, Double(bin + 1)) - max(start, Double(bin))
            bins[bin] += amount * max(0, overlap) / (end - start)
        }
    }
}
