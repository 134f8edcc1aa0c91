import Basics
import Logs

/// Puts the entries of several journal files into one order, as journalctl does, and leaves out those
/// that are there twice.
///
/// Entries of one sequence follow their numbers; those of several sequences the time since the boot,
/// which they share. Each file's own order is kept.
struct JournalMerge {
    /// Stretches of one file that belong to what is merged.
    struct Source {
        var file: Int
        var records: String
        var sequenceID: JournalID
        var boots: [JournalID]
        var runs: [(first: Int64, count: Int64)]
    }

    struct Item {
        var record: JournalRecord
        var file: Int
    }

    private struct Cursor {
        var source: Source
        var reader: RecordFileReader
        var run = 0
        var head: JournalRecord?

        init(_ source: Source) throws(Failure) {
            self.source = source
            reader = Cursor.open(source, 0)
            try advance()
        }

        private static func open(_ source: Source, _ run: Int) -> RecordFileReader {
            let range = run < source.runs.count ? source.runs[run] : (first: 0, count: 0)
            return RecordFileReader(
                source.records, recordSize: JournalRecord.size, from: range.first,
                count: range.count)
        }

        mutating func advance() throws(Failure) {
            let boots = source.boots
            while true {
                head = try unsafe reader.next { unsafe JournalRecord($0, boots: boots) }
                if head != nil || run + 1 >= source.runs.count { return }
                run += 1
                reader = Self.open(source, run)
            }
        }
    }

    private var cursors: [Cursor]
    /// Places of `cursors`, the earliest head on top.
    private var heap: [Int] = []
    private let bySequence: Bool
    private var last: Item?
    /// Entries that were left out as they had come already.
    private(set) var duplicates: Int64 = 0

    init(_ sources: [Source]) throws(Failure) {
        bySequence = Set(sources.map(\.sequenceID)).count <= 1
        cursors = []
        for source in sources {
            let cursor = try Cursor(source)
            if cursor.head != nil { cursors.append(cursor) }
        }
        heap = Array(cursors.indices)
        for place in heap.indices.reversed() { sink(place) }
    }

    mutating func next() throws(Failure) -> Item? {
        while let top = heap.first {
            guard let record = cursors[top].head else { return nil }
            let item = Item(record: record, file: cursors[top].source.file)
            try cursors[top].advance()
            if cursors[top].head == nil {
                heap[0] = heap[heap.count - 1]
                heap.removeLast()
            }
            if !heap.isEmpty { sink(0) }
            if let last, isSame(last, item, top) {
                duplicates += 1
                continue
            }
            last = item
            lastSequenceID = cursors[top].source.sequenceID
            return item
        }
        return nil
    }

    private var lastSequenceID = JournalID.zero

    private func isSame(_ one: Item, _ other: Item, _ cursor: Int) -> Bool {
        let (one, other) = (one.record.entry, other.record.entry)
        return one.sequence == other.sequence && one.realtime == other.realtime
            && one.monotonic == other.monotonic && one.hash == other.hash
            && one.boot == other.boot && lastSequenceID == cursors[cursor].source.sequenceID
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && isBefore(heap[child], heap[least]) {
                least = child
            }
            if least == place { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        guard let one = cursors[left].head?.entry, let other = cursors[right].head?.entry else {
            return cursors[left].head != nil
        }
        let first = bySequence ? one.sequence : one.monotonic
        let second = bySequence ? other.sequence : other.monotonic
        if first != second { return first < second }
        if one.realtime != other.realtime { return one.realtime < other.realtime }
        if one.sequence != other.sequence { return one.sequence < other.sequence }
        if one.hash != other.hash { return one.hash < other.hash }
        return left < right
    }
}
