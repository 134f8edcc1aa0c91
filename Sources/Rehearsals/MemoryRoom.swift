import Basics
import Glibc
import Streams
import Synchronization

/// The memory that machines of a rehearsal share: promised before one starts, so that the kernel need not end any.
final class MemoryRoom: Sendable {
    /// MiB.
    let all: Int
    private let promised = Mutex(0)

    init(_ all: Int) { self.all = all }

    /// What one machine has been promised, given back once.
    final class Share: Sendable {
        private let room: MemoryRoom
        private let size: Mutex<Int>

        fileprivate init(_ room: MemoryRoom, _ size: Int) {
            self.room = room
            self.size = Mutex(size)
        }

        func giveBack() {
            let had = size.withLock { size in
                let had = size
                size = 0
                return had
            }
            room.promised.withLock { $0 -= had }
        }

        deinit { giveBack() }
    }

    /// nil where others have what is wanted. A machine that wants more than there is gets all of it.
    func share(_ wanted: Int) -> Share? {
        let size = max(0, min(wanted, all))
        let fits = promised.withLock { promised -> Bool in
            guard promised + size <= all else { return false }
            promised += size
            return true
        }
        return fits ? Share(self, size) : nil
    }

    /// Waits until there is enough.
    func waitedShare(_ wanted: Int, _ progress: Progress) throws(Failure) -> Share {
        while true {
            if let share = share(wanted) { return share }
            try progress.checkCancelled()
            usleep(100_000)
        }
    }
}
