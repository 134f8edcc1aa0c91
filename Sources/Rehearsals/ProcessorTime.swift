import Basics
import Glibc

/// Processor time that was spent for a rehearsal, so that nobody else's work on this machine counts.
enum ProcessorTime {
    /// Milliseconds of this process so far (clock_gettime(2)).
    static func own() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Milliseconds of a process, of all below it, and of those that have ended there (proc(5)).
    static func of(tree root: Int32) -> Int64 {
        let all = times()
        let second = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        return tree(of: root, all).reduce(0) { $0 + (all[$1]?.ticks ?? 0) } * 1000 / second
    }

    /// A process and all below it.
    static func tree(of root: Int32) -> [Int32] { tree(of: root, times()) }

    private static func times() -> [Int32: Times] {
        var found: [Int32: Times] = [:]
        for name in (try? Files.names(in: "/proc")) ?? [] {
            guard let number = Int32(name), let text = try? Files.readText("/proc/\(name)/stat")
            else { continue }
            found[number] = Times(text)
        }
        return found
    }

    private static func tree(of root: Int32, _ all: [Int32: Times]) -> [Int32] {
        all.keys.filter { number in
            var current: Int32? = number
            for _ in 0..<64 {
                if current == root { return true }
                current = current.flatMap { all[$0]?.parent }
            }
            return false
        }.sorted()
    }

    struct Times: Equatable {
        let parent: Int32
        let ticks: Int64

        /// `PID (NAME) STATE PPID … UTIME STIME CUTIME CSTIME …`; names may hold anything.
        init?(_ stat: String) {
            guard let end = stat.lastIndex(of: ")") else { return nil }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
            self.parent = parent
            ticks = fields[11...14].compactMap { Int64($0) }.reduce(0, +)
        }
    }
}
