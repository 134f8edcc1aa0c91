import Basics

/// How busy the processors of this machine were, from /proc/stat (proc(5)); in clock ticks.
struct MachineLoad: Sendable, Equatable {
    var busy: Int64
    var waiting: Int64
    var idle: Int64

    static func now() -> MachineLoad {
        let text = (try? Files.readText("/proc/stat")) ?? ""
        let line = text.split(separator: "\n").first ?? ""
        return MachineLoad(parsing: line) ?? MachineLoad(busy: 0, waiting: 0, idle: 0)
    }

    init(busy: Int64, waiting: Int64, idle: Int64) {
        self.busy = busy
        self.waiting = waiting
        self.idle = idle
    }

    /// `cpu  user nice system idle iowait irq softirq steal …`
    init?(parsing line: some StringProtocol) {
        let fields = line.split(separator: " ").dropFirst().compactMap { Int64($0) }
        guard fields.count >= 7 else { return nil }
        busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6]
        if fields.count > 7 { busy += fields[7] }
        idle = fields[3]
        waiting = fields[4]
    }

    func since(_ other: MachineLoad) -> MachineLoad {
        MachineLoad(
            busy: busy - other.busy, waiting: waiting - other.waiting, idle: idle - other.idle)
    }

    /// Per cent of the time that processors worked; 0 where too little time has passed.
    var percentBusy: Int64 {
        let all = busy + waiting + idle
        return all < 5 ? 0 : busy * 100 / all
    }

    var percentWaiting: Int64 {
        let all = busy + waiting + idle
        return all < 5 ? 0 : waiting * 100 / all
    }
}

/// What a phase waited for most.
enum Bound: String, Sendable {
    case sourceRead = "source-read"
    case cpu
    case target
    /// The bandwidth that the plan allows.
    case limit
    /// A guest that takes its time.
    case guest

    /// - Parameters:
    ///   - fetch: nanoseconds that stored bytes were waited for, all lanes together; and so on.
    static func of(
        fetch: UInt64, decode: UInt64, limit: UInt64, target: UInt64, load: MachineLoad
    ) -> Bound {
        let parts: [(Bound, UInt64)] = [
            (.sourceRead, fetch), (.cpu, decode), (.limit, limit), (.target, target),
        ]
        let most = parts.max { $0.1 < $1.1 }?.0 ?? .target
        // A target on this machine that has no processor left is no slow target.
        if most != .limit, load.percentBusy >= 85 { return .cpu }
        return most
    }
}
