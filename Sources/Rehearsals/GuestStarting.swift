import Basics
import Glibc
import Guests
import Plans
import Runs
import Streams

/// Starts the machines and containers that a source was restored as, and looks whether they come up.
struct GuestStarting {
    /// What the importer of kind `directory` has written: a folder for each guest, or bare images.
    let directory: String?
    let place: RunPlace
    let host: Machine.Host
    let clock: PhaseClock
    let world: World
    let progress: Progress
    let plan: RehearsedTarget?
    /// Of the source, for names.
    let number: Int
    /// What kept streams of vzdump from being opened, by the guest's directory.
    let unopened: [String: Failure]
    private(set) var machines: [Int64: Machine] = [:]
    private(set) var containers: [Int64: Container] = [:]
    private(set) var guests: [StartedGuest] = []
    /// What was made beside the images.
    private(set) var directories: [String] = []
    /// Guests that are still to be started, as soon as there is memory for them.
    private var waiting: [Candidate] = []
    /// How many machines and containers the source has, started or not.
    private(set) var machineCount = 0
    private(set) var containerCount = 0

    private struct Candidate {
        var guest: StartedGuest
        let path: String
        /// Of a machine.
        let configuration: GuestConfiguration?
        let images: [(key: String, path: String)]
    }

    init(
        directory: String?, place: RunPlace, host: Machine.Host, clock: PhaseClock, world: World,
        progress: Progress, plan: RehearsedTarget?, number: Int, unopened: [String: Failure]
    ) {
        self.directory = directory
        self.place = place
        self.host = host
        self.clock = clock
        self.world = world
        self.progress = progress
        self.plan = plan
        self.number = number
        self.unopened = unopened
    }

    /// The number that stands for a machine made of bare images.
    static let bareGuest: Int64 = 1
    /// Seconds that a sign of life is waited for where no probe says what to wait for.
    static let patience: Int64 = 120

    var hasStarted: Bool { !machines.isEmpty || !containers.isEmpty }
    var hasMore: Bool { !waiting.isEmpty }

    /// Looks what there is to be started, and what cannot be.
    mutating func look() throws(Failure) {
        guard let directory, plan?.starts ?? true else { return }
        for name in (try? Files.names(in: directory)) ?? [] {
            let path = directory + "/" + name
            guard Files.kind(path) == S_IFDIR, let bytes = try? Files.read(path + "/guest.json"),
                let description = try? JSON(parsing: bytes),
                let id = description["id"]?.integer
            else { continue }
            try look(
                at: StartedGuest(
                    id: id, name: description["name"]?.string ?? "",
                    isContainer: description["type"]?.string == "lxc"
                        || Files.exists(path + "/pct.conf")), path)
        }
        if let machine = plan?.machine { lookAtBare(machine, directory) }
    }

    private mutating func look(at found: StartedGuest, _ path: String) throws(Failure) {
        var guest = found
        var configuration: GuestConfiguration?
        var images: [(key: String, path: String)] = []
        if guest.isContainer {
            containerCount += 1
        } else {
            do throws(Failure) {
                let read = try GuestConfiguration(
                    kind: .qemu, file: Files.read(path + "/qemu-server.conf"))
                configuration = read
                if read.flag("template") {
                    guest.obstacle = "it is a template"
                    return guests.append(guest)
                }
                machineCount += 1
                images = try Self.images(in: path, of: read)
                if let failure = unopened[path] { throw failure }
            } catch {
                try note(error, of: &guest)
                return guests.append(guest)
            }
            guard !images.isEmpty else {
                guest.obstacle = "the archive has no image of a disk to start from"
                guest.isUnproven = true
                return guests.append(guest)
            }
        }
        waiting.append(
            Candidate(guest: guest, path: path, configuration: configuration, images: images))
    }

    /// Starts those that there is memory for, and one at least.
    ///
    /// - Parameter keeps: machines stay, and their memory with them.
    mutating func startSome(_ probes: [Probe], keeps: Bool) throws(Failure) {
        var count = 0
        while let next = waiting.first {
            var guest = next.guest
            var share: MemoryRoom.Share?
            if let configuration = next.configuration {
                let wanted = configuration.memory
                share = host.memory.share(wanted)
                if share == nil, keeps {
                    guest.obstacle =
                        "not started: there is no memory for it beside those that are kept"
                    guest.isUnproven = true
                    waiting.removeFirst()
                    guests.append(guest)
                    continue
                }
                if share == nil, count > 0 { return }
                if share == nil { share = try host.memory.waitedShare(wanted, progress) }
            }
            waiting.removeFirst()
            count += 1
            let own = probes.filter { $0.guest == nil || $0.guest == guest.id }
            do throws(Failure) {
                if let configuration = next.configuration, let share {
                    try startMachine(&guest, configuration, next.images, own, share)
                } else {
                    try startContainer(&guest, next.path, own)
                }
            } catch { try note(error, of: &guest) }
            guests.append(guest)
        }
    }

    /// Whether a probe is about what runs now.
    func isAbout(_ probe: Probe) -> Bool {
        if let id = probe.guest { return machines[id] != nil || containers[id] != nil }
        return probe.concernsMachine && machineCount == 1 && machines.count == 1
            || probe.kind == .command && containerCount == 1 && containers.count == 1
    }

    /// Makes room for those that wait.
    mutating func endStarted() {
        machines.values.forEach { $0.end() }
        containers.values.forEach { $0.process.end() }
        machines = [:]
        containers = [:]
    }

    private func note(_ failure: Failure, of guest: inout StartedGuest) throws(Failure) {
        if failure.code == .cancelled || failure.code == .noSpace { throw failure }
        guest.obstacle = failure.rendered.split(separator: "\n").joined(separator: " ")
        // What cannot be started here for want of a program has not failed to start.
        let isMissing = failure.code == .unsupported || failure.hint?.contains("Install") == true
        guest.isUnproven = isMissing
        guest.didFail = !isMissing
    }

    private static func images(
        in path: String, of configuration: GuestConfiguration
    ) throws(Failure) -> [(key: String, path: String)] {
        let opened = path + "/" + NativeImages.folder
        let folders = [path] + (Files.exists(opened) ? [opened] : [])
        var found: [(key: String, path: String)] = []
        for folder in folders {
            for name in try Files.names(in: folder) where name.hasSuffix(".raw") {
                let key = NativeImages.key(of: String(name.dropLast(4)))
                if configuration[key] != nil { found.append((key, folder + "/" + name)) }
            }
        }
        return found
    }

    private mutating func startMachine(
        _ guest: inout StartedGuest, _ configuration: GuestConfiguration,
        _ images: [(key: String, path: String)], _ probes: [Probe], _ share: MemoryRoom.Share
    ) throws(Failure) {
        let began = clock.now()
        let name = "guest-\(number + 1)-\(guest.id)"
        directories.append(place.directory + "/" + name)
        let machine = try Machine(
            MachineLaunch(
                configuration, images: images, in: place.directory + "/" + name,
                sockets: MachineSockets(place.short + "/" + name),
                record: place.record(of: name), wanted: probes.compactMap(\.guestPort), host: host,
                progress: progress), memory: share)
        machines[guest.id] = machine
        guest.acceleration = machine.acceleration
        guest.notes = machine.notes
        clock.add(.boot, from: began, to: clock.now())
    }

    private mutating func lookAtBare(_ plan: RehearsedTarget.Machine, _ directory: String) {
        machineCount += 1
        var guest = StartedGuest(id: Self.bareGuest, name: "", isContainer: false)
        let names = ((try? Files.names(in: directory)) ?? []).filter { $0.hasSuffix(".raw") }
            .map { String($0.dropLast(4)) }
        let wanted = plan.disks.isEmpty ? names : plan.disks
        if let missing = wanted.first(where: { !names.contains($0) }) {
            guest.obstacle = "the source has no image \"\(missing)\""
            guest.didFail = true
            return guests.append(guest)
        }
        var configuration = GuestConfiguration(kind: .qemu)
        configuration.set("memory", String(plan.memory))
        configuration.set("cores", String(plan.cores))
        configuration.set("scsihw", "virtio-scsi-pci")
        configuration.set("boot", "order=scsi0")
        if plan.isUEFI {
            configuration.set("bios", "ovmf")
            configuration.set("machine", "q35")
        }
        let images = wanted.enumerated().map { ("scsi\($0)", "\(directory)/\($1).raw") }
        waiting.append(
            Candidate(guest: guest, path: directory, configuration: configuration, images: images))
    }

    private mutating func startContainer(
        _ guest: inout StartedGuest, _ path: String, _ probes: [Probe]
    ) throws(Failure) {
        let archive = try Files.names(in: path).first { $0.hasSuffix(".tar") }
        guard let archive else {
            guest.obstacle = "the archive has no files of it"
            guest.isUnproven = true
            return
        }
        let name = "guest-\(number + 1)-\(guest.id)"
        let (progress, rights) = (progress, host.rights)
        let directory = try place.makeDirectory(name)
        directories.append(directory)
        let root = directory + "/root"
        try clock.measure(.load) { () throws(Failure) in
            try Container.unpack(
                path + "/" + archive, to: root, errors: directory + "/tar.log",
                asRoot: rights.isRoot, progress: progress)
        }
        let unique = try place.containerName(name)
        if let obstacle = Container.obstacle(rights, in: directory, named: unique) {
            guest.obstacle = "unpacked, not started: " + obstacle
            guest.isUnproven = true
            return
        }
        let record = place.record(of: name)
        containers[guest.id] = try clock.measure(.boot) { () throws(Failure) in
            try Container(
                root, named: unique, log: directory + "/console", record: record,
                cage: Cage(rights), progress: progress)
        }
        guest.acceleration = "nspawn"
    }

    // MARK: - Looking

    /// Judges guests by their probes; one without any is watched for a sign of life.
    mutating func watch(after asked: [(probe: Probe, outcome: ProbeOutcome)]) throws(Failure) {
        for place in guests.indices {
            let id = guests[place].id
            let (machine, container) = (machines[id], containers[id])
            guard machine != nil || container != nil else { continue }
            defer {
                if let machine {
                    guests[place].acceleration = machine.acceleration
                    guests[place].notes = machine.notes
                }
            }
            let own = asked.filter { probe, _ in
                (probe.guest == nil || probe.guest == id)
                    && (container != nil ? probe.kind == .command : probe.concernsMachine)
            }
            if !own.isEmpty {
                guests[place].milliseconds = own.reduce(0) { max($0, $1.outcome.milliseconds) }
                if own.contains(where: { $0.outcome.held }) {
                    guests[place].evidence = "a probe held"
                } else {
                    guests[place].didFail = true
                    guests[place].obstacle = own[0].outcome.complaint
                }
                continue
            }
            if let machine { try watch(&guests[place], machine) }
            if let container { try watch(&guests[place], container) }
        }
    }

    private func watch(_ guest: inout StartedGuest, _ machine: Machine) throws(Failure) {
        try watch(
            &guest,
            { () throws(Failure) in (machine.isRunning, machine.console) },
            startsAnew: { () throws(Failure) in try machine.tend() },
            other: {
                (try? GuestAgent.reached(
                    machine.agent, until: monotonicNanoseconds() + 1_000_000_000,
                    progress: progress)) == nil ? nil : "its guest agent answers"
            })
    }

    private func watch(_ guest: inout StartedGuest, _ container: Container) throws(Failure) {
        try watch(
            &guest,
            { () throws(Failure) in (container.isRunning, container.console) },
            startsAnew: { () throws(Failure) in false }, other: { nil })
    }

    /// - Parameters:
    ///   - look: whether it runs, and then its console: what was said before the end is seen.
    ///   - other: a sign beside the console.
    private func watch(
        _ guest: inout StartedGuest,
        _ look: () throws(Failure) -> (isRunning: Bool, console: String),
        startsAnew: () throws(Failure) -> Bool, other: () -> String?
    ) throws(Failure) {
        var start = clock.now()
        let began = start
        defer {
            clock.add(.boot, from: began, to: clock.now())
            guest.milliseconds = Int64((clock.now() - began) / 1_000_000)
        }
        while clock.now() - start < UInt64(Self.patience) * 1_000_000_000 {
            try progress.checkCancelled()
            if try startsAnew() { start = clock.now() }
            let (isRunning, console) = try look()
            if let obstacle = Console.obstacle(in: console) {
                guest.didFail = true
                guest.obstacle = "the console says \"\(obstacle)\""
                return
            }
            if let sign = Console.sign(in: console) {
                guest.evidence = "the console says \"\(sign)\""
                return
            }
            if let sign = other() {
                guest.evidence = sign
                return
            }
            guard isRunning else {
                guest.isUnproven = true
                guest.obstacle = "it has ended, and nothing shows whether its system had come up"
                return
            }
            usleep(300_000)
        }
        guest.isUnproven = true
        guest.obstacle =
            "it runs, and nothing shows whether its system has come up: declare a probe"
    }
}
