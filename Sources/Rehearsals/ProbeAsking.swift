import Basics
import Connectors
import Glibc
import Manifests
import Plans
import Streams

/// A probe as it is asked of what was restored: from the plan, or recorded in the archive.
struct Probe: Sendable {
    let name: String
    let request: JSON
    let expectation: ProbePlan.Expectation
    /// What the source answered at its export.
    let recorded: JSON?
    let patience: Int64

    var kind: ProbePlan.Kind? { request["kind"]?.string.flatMap { ProbePlan.Kind(rawValue: $0) } }
    var guest: Int64? { request["guest"]?.integer }

    /// The plan's probes, and those of the archive that the plan does not replace by others of the same
    /// name. Questions of an archive are asked in throw-away targets alone: on a given one, the plan
    /// decides what is asked.
    static func list(
        _ source: SourceRecord, _ target: RehearsedTarget?, isThrowAway: Bool
    ) -> [Probe] {
        var probes = (target?.probes ?? []).map { plan in
            let asked = plan.request.canonical
            let twin = source.probes.first { $0.request.canonical == asked }
            return Probe(
                name: plan.name, request: plan.request, expectation: plan.expectation,
                recorded: twin?.answer, patience: plan.patience)
        }
        for record in source.probes
        where isThrowAway && !probes.contains(where: { $0.name == record.name }) {
            let expectation: ProbePlan.Expectation =
                record.answer != nil ? .recorded : record.expect.map { .text($0) } ?? .any
            probes.append(
                Probe(
                    name: record.name, request: record.request, expectation: expectation,
                    recorded: record.answer, patience: record.within))
        }
        return probes
    }

    /// The port of a guest that it reaches; nil for other probes and other hosts.
    var guestPort: UInt16? {
        guard let place = Address(request), place.host == "guest" else { return nil }
        return place.port
    }

    /// Whether its answer tells that a machine is up.
    var concernsMachine: Bool { [.serial, .agent].contains(kind) || guestPort != nil }

    /// The host, port and target of an `http` or `tcp` request.
    struct Address: Sendable, Equatable {
        let host: String
        let port: UInt16
        let target: String

        init?(_ request: JSON) {
            if let text = request["tcp"]?.string, let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            {
                self.port = port
                host = Self.bare(text[..<colon])
                target = ""
                return
            }
            guard let text = request["http"]?.string, text.hasPrefix("http://") else { return nil }
            let rest = text.dropFirst(7)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let path = rest.dropFirst(authority.count)
            target = path.isEmpty ? "/" : path.hasPrefix("?") ? "/" + path : String(path)
            guard let colon = authority.lastIndex(of: ":"), authority.last != "]" else {
                host = Self.bare(authority)
                port = 80
                return
            }
            guard let port = UInt16(authority[authority.index(after: colon)...]) else { return nil }
            self.port = port
            host = Self.bare(authority[..<colon])
        }

        private static func bare(_ host: some StringProtocol) -> String {
            host.hasPrefix("[") && host.hasSuffix("]")
                ? String(host.dropFirst().dropLast()) : String(host)
        }
    }
}

/// Asks probes of what was restored of one source.
struct ProbeAsking: Sendable {
    let importer: any Importer
    /// By the number of the guest.
    let machines: [Int64: Machine]
    let containers: [Int64: Container]
    /// Of the source, started or not.
    let machineCount: Int
    let containerCount: Int
    /// Why a guest was not started.
    let obstacles: [Int64: String]
    /// Whether what was restored has no address of its own.
    let isThrowAway: Bool
    let progress: Progress

    init(
        importer: any Importer, starting: GuestStarting, lost: [StartedGuest], isThrowAway: Bool,
        progress: Progress
    ) {
        self.importer = importer
        self.isThrowAway = isThrowAway
        self.progress = progress
        machines = starting.machines
        containers = starting.containers
        machineCount = starting.machineCount + lost.count { !$0.isContainer }
        containerCount = starting.containerCount + lost.count(where: \.isContainer)
        obstacles = Dictionary(
            (starting.guests + lost).compactMap { guest in
                guest.obstacle.map { (guest.id, $0) }
            }
        ) { first, _ in first }
    }

    func ask(_ probe: Probe) throws(Failure) -> ProbeOutcome {
        let start = monotonicNanoseconds()
        var found: JSON?
        var complaint: String?
        do throws(Failure) { found = try answer(probe) } catch {
            if error.code == .cancelled { throw error }
            complaint = error.rendered.split(separator: "\n").joined(separator: " ")
        }
        let (expected, isRecorded): (JSON?, Bool) =
            switch probe.expectation {
            case .recorded: (probe.recorded, true)
            case .text(let text): (.string(text), false)
            case .any: (nil, false)
            }
        var held = found != nil
        if held, let found {
            switch probe.expectation {
            case .any: break
            case .recorded:
                if let recorded = probe.recorded {
                    held = recorded.canonical == found.canonical
                } else {
                    held = false
                    complaint = "no answer was recorded at the export; say what to expect"
                }
            case .text(let text): held = Self.meets(text, found, probe.kind)
            }
        }
        return ProbeOutcome(
            name: probe.name, kind: probe.kind?.rawValue ?? "unknown", request: probe.request,
            expected: expected, found: found, held: held, isRecorded: isRecorded,
            milliseconds: Int64((monotonicNanoseconds() - start) / 1_000_000),
            complaint: complaint ?? (held ? nil : "another answer than expected"))
    }

    private static func meets(_ text: String, _ found: JSON, _ kind: ProbePlan.Kind?) -> Bool {
        let answer = ProbeAnswer(found).text
        return switch kind {
        // A page has more in it than what matters.
        case .http: (found["body"]?.string ?? answer).contains(text)
        case .agent, .command: answer.trimmed == text.trimmed
        default: answer == text
        }
    }

    private func answer(_ probe: Probe) throws(Failure) -> JSON {
        let end = monotonicNanoseconds() + UInt64(max(1, probe.patience)) * 1_000_000_000
        switch probe.kind {
        case .sql, .file:
            guard let question = ProbeQuestion(request: probe.request, within: probe.patience)
            else { throw unknown(probe) }
            let answer = try importer.answer(question)
            try answer.checkLength()
            return answer.value
        case .tcp: return try reach(probe, until: end)
        case .http: return try page(probe, until: end)
        case .serial: return try marker(probe, until: end)
        case .agent:
            let words = probe.request["agent"]?.array?.compactMap(\.string) ?? []
            let machine = try guest(probe, machines, "machine")
            return try repeated(probe, until: end) { () throws(Failure) in
                let soon = monotonicNanoseconds() + 5_000_000_000
                var agent = try GuestAgent.reached(machine.agent, until: soon, progress: progress)
                if words == ["ping"] { return "pong" }
                let answer = ProbeAnswer(
                    .string(try agent.run(words, until: max(end, soon), progress: progress)))
                try answer.checkLength()
                return answer.value
            }
        case .command:
            let words = probe.request["command"]?.array?.compactMap(\.string) ?? []
            guard !words.isEmpty else { throw unknown(probe) }
            let container = try guest(probe, containers, "container")
            return try repeated(probe, until: end) { () throws(Failure) in
                .string(try container.run(words, until: end))
            }
        case nil: throw unknown(probe)
        }
    }

    private func unknown(_ probe: Probe) -> Failure {
        Failure(
            .unsupported, "this release cannot ask the probe \"\(probe.name)\"",
            hint: "Use a release of exeat that knows it.")
    }

    /// The guest that a probe means: the one it names, or the only one there is.
    private func guest<Guest>(
        _ probe: Probe, _ guests: [Int64: Guest], _ what: String
    ) throws(Failure) -> Guest {
        if let number = probe.guest {
            if let guest = guests[number] { return guest }
            throw notStarted("\(what) \(number) was not started", obstacles[number])
        }
        // The one that happens to run need not be the one that is meant.
        guard (what == "machine" ? machineCount : containerCount) <= 1 else {
            throw Failure(
                .planInvalidValue, "the source has several guests: say which with \"guest\"")
        }
        if let guest = guests.first?.value { return guest }
        throw notStarted(
            "no \(what) of this source was started",
            obstacles.count == 1 ? obstacles.first?.value : nil)
    }

    private func notStarted(_ what: String, _ obstacle: String?) -> Failure {
        Failure(.notFound, what + (obstacle.map { ": " + $0 } ?? ""))
    }

    /// Where an address leads: to a port of this machine for what is behind `guest`.
    private func place(_ probe: Probe) throws(Failure) -> Probe.Address {
        guard let address = Probe.Address(probe.request) else { throw unknown(probe) }
        return address
    }

    private func here(_ address: Probe.Address, _ probe: Probe) throws(Failure) -> (String, UInt16)
    {
        guard address.host == "guest" else {
            // Whoever answers there is another system, such as the one that was exported.
            guard !isThrowAway else {
                throw Failure(
                    .notFound,
                    "nothing that was restored here is reached at \"\(address.host)\"; a machine is by the host \"guest\""
                )
            }
            return (address.host, address.port)
        }
        let machine = try guest(probe, machines, "machine")
        guard let port = machine.ports.first(where: { $0.there == address.port }) else {
            throw Failure(.notFound, "port \(address.port) of the machine is not reached")
        }
        return ("127.0.0.1", port.here)
    }

    /// Asks again until there is an answer; a machine that had to be started anew gets all of its time.
    private func repeated<Value>(
        _ probe: Probe, until given: UInt64, _ body: () throws(Failure) -> Value?
    ) throws(Failure) -> Value {
        var last = Failure(.serverUnreachable, "there was no answer in time")
        var end = given
        repeat {
            try progress.checkCancelled()
            if probe.concernsMachine {
                let machine = try guest(probe, machines, "machine")
                if try machine.tend() {
                    end = monotonicNanoseconds() + UInt64(max(1, probe.patience)) * 1_000_000_000
                }
                guard machine.isRunning else {
                    throw Failure(.guestContent, "the machine has ended")
                }
                if let obstacle = Console.obstacle(in: machine.console) {
                    throw Failure(.guestContent, "the console says \"\(obstacle)\"")
                }
            }
            do throws(Failure) { if let value = try body() { return value } } catch {
                if error.code == .cancelled || error.code == .notFound { throw error }
                last = error
            }
            usleep(300_000)
        } while monotonicNanoseconds() < end
        throw last
    }

    private func reach(_ probe: Probe, until end: UInt64) throws(Failure) -> JSON {
        let address = try place(probe)
        return try repeated(probe, until: end) { () throws(Failure) in
            let (host, port) = try here(address, probe)
            let connection = try Port.connect(host: host, port: port)
            guard address.host == "guest" else { return "connected" }
            let machine = try guest(probe, machines, "machine")
            let soon = monotonicNanoseconds() + 3_000_000_000
            while monotonicNanoseconds() < soon {
                // QEMU takes the connection first, and ends it where the guest refuses it.
                if let piece = Port.read(connection.raw, milliseconds: 200) {
                    if !piece.isEmpty { return "connected" }
                    throw Failure(
                        .serverUnreachable, "the guest refuses port \(address.port)")
                }
                if try MachineMonitor.hasTaken(
                    port: port, at: machine.monitor, progress: progress)
                {
                    return "connected"
                }
            }
            throw Failure(
                .serverUnreachable, "the guest does not answer at port \(address.port)")
        }
    }

    private func page(_ probe: Probe, until end: UInt64) throws(Failure) -> JSON {
        let address = try place(probe)
        let wanted = probe.request["status"]?.integer ?? 200
        return try repeated(probe, until: end) { () throws(Failure) in
            let (host, port) = try here(address, probe)
            let answer = try WebAnswer.get(
                host: host, port: port, target: address.target, named: address.host, seconds: 10)
            guard answer.status == wanted else {
                throw Failure(.serverAnswer, "the answer has the status \(answer.status)")
            }
            return [
                "status": .integer(answer.status),
                "body": .string(String(decoding: answer.body.prefix(1 << 20), as: UTF8.self)),
            ]
        }
    }

    private func marker(_ probe: Probe, until given: UInt64) throws(Failure) -> JSON {
        var end = given
        guard let text = probe.request["serial"]?.string else { throw unknown(probe) }
        let machine = try guest(probe, machines, "machine")
        while true {
            if try machine.tend() {
                end = monotonicNanoseconds() + UInt64(max(1, probe.patience)) * 1_000_000_000
            }
            let isRunning = machine.isRunning
            let console = machine.console
            if console.contains(text) { return .string(text) }
            if let obstacle = Console.obstacle(in: console) {
                throw Failure(.guestContent, "the console says \"\(obstacle)\"")
            }
            guard isRunning else {
                throw Failure(.guestContent, "the machine has ended without it")
            }
            try progress.checkCancelled()
            guard monotonicNanoseconds() < end else {
                throw Failure(
                    .guestContent, "it was not on the console within \(probe.patience) s")
            }
            usleep(200_000)
        }
    }
}
