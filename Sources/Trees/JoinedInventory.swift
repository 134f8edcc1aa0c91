import Archives
import Basics
import Glibc
import Streams
import Synchronization

/// Takes an inventory in ranges of paths, several at a time, and joins them to one layout file: the
/// same, byte for byte, as one walk makes.
struct JoinedInventory {
    private let empty: TreeInventory
    private let layout: TreeLayout
    private let threads: Int

    init(of inventory: TreeInventory, layout: TreeLayout, threads: Int) {
        empty = inventory
        self.layout = layout
        self.threads = threads
    }

    /// Writes `layout.recordsPath`, durably.
    func take() throws(Failure) -> TreeInventory.Totals {
        do throws(Failure) { return try take(try empty.ranges()) } catch {
            // A tree that changes near its top is walked in one go, which takes it as it comes.
            guard error.code == .sourceChanged else { throw error }
            return try take([.all])
        }
    }

    private func take(_ ranges: [WalkRange]) throws(Failure) -> TreeInventory.Totals {
        defer { for number in ranges.indices { unsafe unlink(layout.rangePath(number)) } }
        let (empty, layout) = (empty, layout)
        let walked = Mutex([TreeInventory](repeating: empty, count: ranges.count))
        try Team.run(ranges.count, threads: threads) { (number) throws(Failure) in
            var inventory = empty
            var writer = try RecordWriter(layout.rangePath(number))
            try inventory.walk(ranges[number]) { (record) throws(Failure) in
                try writer.append(record)
            }
            try writer.finish(durably: false)
            walked.withLock { $0[number] = inventory }
        }
        return try join(walked.withLock { $0 })
    }

    private func join(_ ranges: [TreeInventory]) throws(Failure) -> TreeInventory.Totals {
        var joined = empty
        var writer = try RecordWriter(layout.recordsPath)
        for (number, range) in ranges.enumerated() {
            joined.append(totals: range)
            var records = try RecordReader(layout.rangePath(number))
            for _ in 0..<range.totals.records {
                try writer.append(joined.append(try records.record(), of: range))
            }
        }
        try writer.finish()
        return joined.totals
    }
}
