import Basics
import Primitives
import Streams
import Synchronization

/// Reads many files at once: each lane takes the next one as soon as it is done with the last.
enum FileRecords {
    /// The records in the order of the entries. Only `.cancelled` throws.
    static func read(
        _ entries: [(entry: BagEntry, part: BagPart)], in storage: some BagStorage,
        sha512: Bool, workers: Int, progress: Progress
    ) async throws(Failure) -> [FileRecord] {
        guard !entries.isEmpty else { return [] }
        let lanes = (0..<max(1, min(workers, entries.count))).map { _ in Lane() }
        defer { for lane in lanes { lane.close() } }
        let queue = Queue()
        let results = await withTaskGroup(of: Result<[(Int, FileRecord)], Failure>.self) { group in
            for lane in lanes {
                group.addTask(executorPreference: lane) {
                    do throws(Failure) {
                        var chunk = Chunk()
                        var records: [(Int, FileRecord)] = []
                        while let index = queue.next(below: entries.count) {
                            let record = try FileReading.record(
                                of: entries[index].entry, entries[index].part, in: storage,
                                sha512: sha512, chunk: &chunk, progress: progress)
                            records.append((index, record))
                        }
                        return .success(records)
                    } catch { return .failure(error) }
                }
            }
            var results: [Result<[(Int, FileRecord)], Failure>] = []
            for await result in group { results.append(result) }
            return results
        }
        var records = [FileRecord?](repeating: nil, count: entries.count)
        for result in results {
            for (index, record) in try result.get() { records[index] = record }
        }
        return records.compactMap(\.self)
    }

    private final class Queue: Sendable {
        private let taken = Atomic<Int>(0)

        func next(below count: Int) -> Int? {
            let index = taken.add(1, ordering: .relaxed).oldValue
            return index < count ? index : nil
        }
    }
}
