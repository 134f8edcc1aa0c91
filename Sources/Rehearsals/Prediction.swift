public import Basics

/// What was measured of a rehearsal, as far as the time of another restore follows from it.
public struct RehearsalRates: Sendable, Equatable {
    /// Of what was restored.
    public var plainBytes: Int64
    public var storedBytes: Int64
    /// Bytes of the whole archive that were examined, and the milliseconds that took.
    public var examinedBytes: Int64
    public var verifyMilliseconds: Int64
    /// From the first replay to the last comparison; without making targets, starts and probes.
    public var restoreMilliseconds: Int64
    /// What does not grow with the data: starts and probes.
    public var fixedMilliseconds: Int64
    /// Of all processors together, while it was restored.
    public var processorMilliseconds: Int64
    /// Waiting for stored bytes, all lanes together.
    public var fetchMilliseconds: Int64
    public var workers: Int64
    public var cores: Int64

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
            "workers": .integer(workers), "cores": .integer(cores),
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
    }
}

/// How long a restore of another size, or on another machine, would take.
public struct Prediction: Sendable, Equatable {
    public let bytes: Int64
    public let seconds: Int64
    public let cores: Int64
    /// Bytes per second between archive and targets; nil where it was as measured.
    public let bandwidth: Int64?
    /// `cpu`, `source-read` or `target`.
    public let bound: String

    /// - Parameters:
    ///   - bytes: plaintext.
    ///   - cores: processors there; nil for as many as here.
    public init(
        of bytes: Int64, from rates: RehearsalRates, cores: Int64? = nil, bandwidth: Int64? = nil
    ) {
        let times = Double(bytes) / Double(max(1, rates.plainBytes))
        let there = cores ?? rates.cores
        let stored = Double(rates.storedBytes) * times
        // Processors share the work; what a target takes for itself does not get shorter with them.
        let processor = Double(rates.processorMilliseconds) * times / Double(there)
        let waiting =
            Double(rates.restoreMilliseconds)
            - Double(rates.processorMilliseconds) / Double(rates.cores)
        let target = max(0, waiting) * times + processor
        let fetch =
            bandwidth.map { stored * 1000 / Double($0) }
            ?? Double(rates.fetchMilliseconds) * times / Double(rates.workers)
        let most = max(processor, target, fetch)
        // The archive is examined as a whole before anything of it is restored.
        let examine =
            bandwidth.map {
                max(stored * 1000 / Double($0), Double(rates.verifyMilliseconds) * times)
            } ?? Double(rates.verifyMilliseconds) * times
        let milliseconds = Double(rates.fixedMilliseconds) + examine + most
        self.bytes = bytes
        self.cores = there
        self.bandwidth = bandwidth
        seconds = Int64(min(milliseconds / 1000, 1e12).rounded(.up))
        bound =
            most == fetch && fetch > processor
            ? "source-read" : waiting * times > processor ? "target" : "cpu"
    }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("bytes", .integer(bytes)), .init("seconds", .integer(seconds)),
            .init("cores", .integer(cores)), .init("boundBy", .string(bound)),
        ]
        if let bandwidth { members.append(.init("bandwidth", .integer(bandwidth))) }
        return .object(members)
    }
}
