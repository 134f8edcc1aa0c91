public import Basics

/// What was measured of a rehearsal, as far as the time of another restore follows from it.
public struct RehearsalRates: Sendable, Equatable {
    /// Of what was restored.
    public var plainBytes: Int64
    public var storedBytes: Int64
    /// Bytes of the whole archive that were examined, and the milliseconds that took.
    public var examinedBytes: Int64
    public var verifyMilliseconds: Int64
    /// While anything was replayed or compared.
    public var restoreMilliseconds: Int64
    /// The rest, which does not grow with the data: making targets, starts and probes.
    public var fixedMilliseconds: Int64
    /// Of all processors together, while it was restored.
    public var processorMilliseconds: Int64
    /// Waiting for stored bytes, all lanes together.
    public var fetchMilliseconds: Int64
    public var workers: Int64
    public var cores: Int64
    /// How many guests there were, whose start is what takes long of the rest.
    public var guests: Int64 = 0

    public init(
        plainBytes: Int64, storedBytes: Int64, examinedBytes: Int64, verifyMilliseconds: Int64,
        restoreMilliseconds: Int64, fixedMilliseconds: Int64, processorMilliseconds: Int64,
        fetchMilliseconds: Int64, workers: Int64, cores: Int64
    ) {
        self.plainBytes = plainBytes
        self.storedBytes = storedBytes
        self.examinedBytes = examinedBytes
        self.verifyMilliseconds = verifyMilliseconds
        self.restoreMilliseconds = restoreMilliseconds
        self.fixedMilliseconds = fixedMilliseconds
        self.processorMilliseconds = processorMilliseconds
        self.fetchMilliseconds = fetchMilliseconds
        self.workers = workers
        self.cores = cores
    }

    public var json: JSON {
        [
            "plainBytes": .integer(plainBytes), "storedBytes": .integer(storedBytes),
            "examinedBytes": .integer(examinedBytes),
            "verifyMilliseconds": .integer(verifyMilliseconds),
            "restoreMilliseconds": .integer(restoreMilliseconds),
            "fixedMilliseconds": .integer(fixedMilliseconds),
            "processorMilliseconds": .integer(processorMilliseconds),
            "fetchMilliseconds": .integer(fetchMilliseconds),
            "workers": .integer(workers), "cores": .integer(cores), "guests": .integer(guests),
        ]
    }

    public init?(_ json: JSON) {
        func number(_ key: String) -> Int64? {
            json[key]?.integer.flatMap { (0...JSON.largestInteger).contains($0) ? $0 : nil }
        }
        guard let plain = number("plainBytes"), let stored = number("storedBytes"),
            let examined = number("examinedBytes"), let verify = number("verifyMilliseconds"),
            let restore = number("restoreMilliseconds"), let fixed = number("fixedMilliseconds"),
            let processor = number("processorMilliseconds"),
            let fetch = number("fetchMilliseconds"), let workers = number("workers"),
            let cores = number("cores"), plain > 0, cores > 0, workers > 0
        else { return nil }
        self.init(
            plainBytes: plain, storedBytes: stored, examinedBytes: examined,
            verifyMilliseconds: verify, restoreMilliseconds: restore, fixedMilliseconds: fixed,
            processorMilliseconds: processor, fetchMilliseconds: fetch, workers: workers,
            cores: cores)
        guests = number("guests") ?? 0
    }
}

/// How long a restore of another size, or on another machine, would take.
public struct Prediction: Sendable, Equatable {
    /// How far it can be trusted.
    public enum Trust: String, Sendable {
        /// About as much was restored, on such a machine.
        case measured
        /// Within a factor of two, as a rule.
        case fair
        /// The order of magnitude.
        case weak
        /// Too little was restored to say anything.
        case none
    }

    public let bytes: Int64
    public let seconds: Int64
    public let cores: Int64
    /// Bytes per second between archive and targets; nil where it was as measured.
    public let bandwidth: Int64?
    /// `cpu`, `source-read`, `target` or `guest`.
    public let bound: String
    public let trust: Trust
    /// Plaintext that the rates were measured with.
    public let measuredBytes: Int64
    /// What the line alone would take, with a bandwidth.
    public let lineSeconds: Int64?

    /// What takes its time whatever the size, and what each byte takes; milliseconds.
    private struct Line {
        let fixed: Double
        let slope: Double
        let isSeparated: Bool

        /// Through two measures where they tell fixed costs from others, else proportional to one.
        init(_ bytes: Int64, _ time: Int64, _ other: (bytes: Int64, time: Int64)?) {
            if let other, other.bytes * 2 <= bytes, time > other.time {
                let slope = Double(time - other.time) / Double(bytes - other.bytes)
                let fixed = Double(time) - slope * Double(bytes)
                if fixed >= 0 {
                    (self.slope, self.fixed, isSeparated) = (slope, fixed, true)
                    return
                }
            }
            (slope, fixed, isSeparated) = (Double(time) / Double(max(1, bytes)), 0, false)
        }

        func at(_ bytes: Int64) -> Double { fixed + slope * Double(bytes) }
    }

    /// - Parameters:
    ///   - bytes: plaintext.
    ///   - smaller: of a rehearsal of the same sources when they were smaller, so that what a restore
    ///     costs by itself is not taken to grow with the data.
    ///   - cores: processors there; nil for as many as here.
    public init(
        of bytes: Int64, from rates: RehearsalRates, smaller: RehearsalRates? = nil,
        cores: Int64? = nil, bandwidth: Int64? = nil
    ) {
        let other = smaller.flatMap { $0.cores == rates.cores ? $0 : nil }
        func line(_ measure: (RehearsalRates) -> Int64) -> Line {
            Line(rates.plainBytes, measure(rates), other.map { ($0.plainBytes, measure($0)) })
        }
        let times = Double(bytes) / Double(max(1, rates.plainBytes))
        let there = cores ?? rates.cores
        let stored = Double(rates.storedBytes) * times
        let (work, restore) = (line(\.processorMilliseconds), line(\.restoreMilliseconds))
        // Processors share the work; what a target takes for itself does not get shorter with them.
        let processor = work.at(bytes) / Double(there)
        let waiting = max(0, restore.at(bytes) - work.at(bytes) / Double(rates.cores))
        let target = waiting + processor
        let fetch =
            bandwidth.map { stored * 1000 / Double($0) }
            ?? Double(rates.fetchMilliseconds) * times / Double(rates.workers)
        let most = max(processor, target, fetch)
        // The archive is examined as a whole before anything of it is restored, also where only a part was
        // restored here: what that took belongs to the bytes that were examined.
        let verify =
            Double(rates.verifyMilliseconds) * stored
            / Double(max(1, rates.examinedBytes, rates.storedBytes))
        let examine = bandwidth.map { max(stored * 1000 / Double($0), verify) } ?? verify
        let fixed = Double(rates.fixedMilliseconds)
        let milliseconds = fixed + examine + most
        self.bytes = bytes
        self.cores = there
        self.bandwidth = bandwidth
        seconds = Int64(min(milliseconds / 1000, 1e12).rounded(.up))
        lineSeconds = bandwidth.map { Int64(min(stored / Double($0), 1e12).rounded(.up)) }
        bound =
            fixed > examine + most
            ? rates.guests > 0 ? "guest" : "target"
            : most == fetch && fetch > processor
                ? "source-read" : waiting > processor ? "target" : "cpu"
        measuredBytes = rates.plainBytes
        trust = Self.trust(
            times, milliseconds: rates.restoreMilliseconds, isSeparated: restore.isSeparated,
            isHere: there == rates.cores && bandwidth == nil)
    }

    private static func trust(
        _ times: Double, milliseconds: Int64, isSeparated: Bool, isHere: Bool
    ) -> Trust {
        // Below a second, what was measured is how long programs take to start.
        if times > 1000 || times > 2 && milliseconds < 1000 { return .none }
        if times <= 2, isHere { return .measured }
        return times <= 10 && milliseconds >= 10_000 || times <= 50 && isSeparated ? .fair : .weak
    }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("bytes", .integer(bytes)), .init("seconds", .integer(seconds)),
            .init("cores", .integer(cores)), .init("boundBy", .string(bound)),
            .init("trust", .string(trust.rawValue)),
            .init("measuredBytes", .integer(measuredBytes)),
        ]
        if let bandwidth { members.append(.init("bandwidth", .integer(bandwidth))) }
        return .object(members)
    }

    /// What can be said, in a sentence without its subject.
    var text: String {
        let times = max(1, bytes / max(1, measuredBytes))
        let measured =
            "\(RehearsalReport.size(measuredBytes)) restored, and the whole is \(times) times that"
        guard trust != .none else {
            let line = lineSeconds.map {
                "; the line alone takes \(RehearsalReport.time($0 * 1000))"
            }
            return "cannot be foretold from \(measured)" + (line ?? "")
        }
        let time = "about \(RehearsalReport.time(seconds * 1000)), bound by \(bound)"
        return switch trust {
        case .measured: time
        case .fair: time + "; in proportion to \(measured)"
        case .weak, .none: time + "; an order of magnitude only, from \(measured)"
        }
    }
}
