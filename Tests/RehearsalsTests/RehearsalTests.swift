import Basics
import Glibc
import Guests
import Testing

@testable import Rehearsals
@testable import Runs

@Suite struct CriticalPathTests {
    private func phase(
        _ source: Int?, _ phase: RehearsalPhase, _ start: UInt64, _ end: UInt64,
        _ bound: Bound = .target
    ) -> TimedPhase {
        TimedPhase(
            source: source, phase: phase, start: start, end: end, busy: end - start, bound: bound)
    }

    @Test func theLongestChainIsFound() {
        let phases = [
            phase(nil, .verify, 0, 10, .sourceRead),
            phase(0, .load, 10, 20), phase(0, .compare, 20, 30),
            phase(1, .load, 10, 60, .cpu), phase(1, .compare, 60, 70),
            phase(1, .fetch, 10, 65, .sourceRead),
        ]
        let path = CriticalPath.find(phases, after: [:])
        #expect(path.map(\.phase) == [.verify, .load, .compare])
        #expect(path.map(\.source) == [nil, 1, 1])
        #expect(CriticalPath.bound(path) == .cpu)
    }

    @Test func whatASourceWaitedForIsOnThePath() {
        let phases = [
            phase(nil, .verify, 0, 10), phase(0, .load, 10, 50), phase(2, .load, 10, 52),
            phase(1, .load, 50, 90),
        ]
        let path = CriticalPath.find(phases, after: [1: [0]])
        #expect(path.map(\.source) == [nil, 0, 1])
    }

    @Test func nothingHasNoPath() {
        #expect(CriticalPath.find([], after: [:]).isEmpty)
        #expect(CriticalPath.bound([]) == nil)
    }

    @Test func whatBoundsAPhase() {
        let idle = MachineLoad(busy: 10, waiting: 0, idle: 90)
        let full = MachineLoad(busy: 95, waiting: 0, idle: 5)
        #expect(Bound.of(fetch: 9, decode: 1, limit: 0, target: 2, load: idle) == .sourceRead)
        #expect(Bound.of(fetch: 1, decode: 9, limit: 0, target: 2, load: idle) == .cpu)
        #expect(Bound.of(fetch: 1, decode: 1, limit: 0, target: 9, load: idle) == .target)
        #expect(Bound.of(fetch: 1, decode: 1, limit: 0, target: 9, load: full) == .cpu)
        #expect(Bound.of(fetch: 1, decode: 1, limit: 20, target: 9, load: full) == .limit)
    }

    @Test func timesOfProcesses() throws {
        let line = "12 (a) b) S 7 12 12 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 555 6 7"
        let times = try #require(ProcessorTime.Times(line))
        #expect(times.parent == 7)
        #expect(times.ticks == 100)
        #expect(ProcessorTime.Times("nothing") == nil)
        #expect(ProcessorTime.own() > 0)
    }

    @Test func loadsOfProcReadAsTheKernelWritesThem() throws {
        let first = try #require(MachineLoad(parsing: "cpu  100 0 50 800 40 5 5 0 0 0"))
        #expect(first == MachineLoad(busy: 160, waiting: 40, idle: 800))
        #expect(MachineLoad(parsing: "intr 1 2") == nil)
        let later = MachineLoad(busy: 260, waiting: 40, idle: 900)
        #expect(later.since(first).percentBusy == 50)
    }
}

@Suite struct PredictionTests {
    private let rates = RehearsalRates(
        plainBytes: 1 << 30, storedBytes: 1 << 28, examinedBytes: 1 << 28,
        verifyMilliseconds: 1000, restoreMilliseconds: 10_000, fixedMilliseconds: 5000,
        processorMilliseconds: 20_000, fetchMilliseconds: 400, workers: 4, cores: 2)

    @Test func theSameSizeOnTheSameMachineTakesTheSameTime() {
        let prediction = Prediction(of: 1 << 30, from: rates)
        #expect(prediction.seconds == 16)
        #expect(prediction.bound == "cpu")
    }

    @Test func startsDoNotGrowWithTheData() {
        #expect(Prediction(of: 10 << 30, from: rates).seconds == 115)
    }

    @Test func moreProcessorsShareTheWork() {
        #expect(Prediction(of: 1 << 30, from: rates, cores: 8).seconds == 9)
    }

    @Test func aSlowLineBoundsIt() {
        let slow = Prediction(of: 1 << 30, from: rates, bandwidth: 1 << 20)
        // 256 MiB are read twice, once to be examined.
        #expect(slow.seconds == 5 + 256 + 256)
        #expect(slow.bound == "source-read")
    }

    /// Of an archive of 25 GiB a hundredth was restored, and all was examined: once, not a hundred times.
    @Test func aPartThatWasRehearsedDoesNotMultiplyTheExaminationOfAll() {
        var part = rates
        part.examinedBytes = 100 << 28
        part.verifyMilliseconds = 100_000
        #expect(Prediction(of: 1 << 30, from: part).seconds == 5 + 1 + 10)
        #expect(Prediction(of: 100 << 30, from: part).seconds == 5 + 100 + 1000)
    }

    @Test func withoutGuestsTheirStartBoundsNothing() {
        var short = rates
        short.fixedMilliseconds = 60_000
        #expect(Prediction(of: 1 << 30, from: short).bound == "target")
        short.guests = 1
        #expect(Prediction(of: 1 << 30, from: short).bound == "guest")
    }

    /// A restore of 64 MiB took 4 s and one of 1 GiB 10 s: 3.6 s are there whatever the size.
    @Test func twoSizesTellFixedCostsApart() {
        let small = RehearsalRates(
            plainBytes: 1 << 26, storedBytes: 1 << 24, examinedBytes: 1 << 24,
            verifyMilliseconds: 100, restoreMilliseconds: 4000, fixedMilliseconds: 5000,
            processorMilliseconds: 8000, fetchMilliseconds: 30, workers: 4, cores: 2)
        let prediction = Prediction(of: 10 << 30, from: rates, smaller: small)
        #expect(prediction.seconds == 5 + 10 + 68)
        #expect(prediction.trust == .fair)
        // Two of about the same size say nothing about that.
        #expect(Prediction(of: 10 << 30, from: rates, smaller: rates).seconds == 115)
    }

    @Test func whatIsForetoldSaysHowFarItGoes() {
        func trust(_ bytes: Int64, milliseconds: Int64 = 10_000) -> Prediction.Trust {
            var rates = rates
            rates.restoreMilliseconds = milliseconds
            return Prediction(of: bytes, from: rates).trust
        }
        #expect(trust(1 << 30) == .measured)
        #expect(trust(8 << 30) == .fair)
        #expect(trust(100 << 30) == .weak)
        #expect(trust(2 << 40) == .none)
        // A second is about what programs take to start.
        #expect(trust(8 << 30, milliseconds: 900) == .none)
        // Other machines are another matter.
        #expect(Prediction(of: 1 << 30, from: rates, cores: 16).trust == .fair)
    }

    @Test func ratesComeBackFromTheHistory() throws {
        #expect(RehearsalRates(rates.json) == rates)
        #expect(RehearsalRates(["plainBytes": 1]) == nil)
    }
}

@Suite struct ProbeTests {
    @Test(arguments: [
        ("http://guest:8080/health", "guest", 8080, "/health"),
        ("http://10.0.0.1", "10.0.0.1", 80, "/"),
        ("http://[::1]:81/?a=b", "::1", 81, "/?a=b"),
        ("http://lab?x", "lab", 80, "/?x"),
    ])
    func addressesAreTakenApart(text: String, host: String, port: Int, target: String) throws {
        let address = try #require(Probe.Address(["http": .string(text)]))
        #expect(address.host == host)
        #expect(Int(address.port) == port)
        #expect(address.target == target)
    }

    @Test func portsAreTakenApart() throws {
        let address = try #require(Probe.Address(["tcp": "[fe80::1]:22"]))
        #expect(address.host == "fe80::1")
        #expect(address.port == 22)
        #expect(Probe.Address(["tcp": "nothing"]) == nil)
        #expect(Probe.Address(["http": "http://a:99999/"]) == nil)
    }

    @Test func answersOfHTTPAreRead() throws {
        let plain = try #require(
            WebAnswer(Array("HTTP/1.1 204 No Content\r\nX: y\r\n\r\nbody".utf8)))
        #expect(plain.status == 204)
        #expect(plain.body == Array("body".utf8))
        let chunked = try #require(
            WebAnswer(
                Array(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"
                        .utf8)))
        #expect(chunked.body == Array("abcde".utf8))
        #expect(WebAnswer(Array("SSH-2.0-OpenSSH\r\n\r\n".utf8)) == nil)
        #expect(WebAnswer(Array("HTTP/1.1 200".utf8)) == nil)
    }
}

@Suite struct ConsoleTests {
    @Test(arguments: [
        "Booting from Hard Disk...\nNo bootable device.\n", "Kernel panic - not syncing: x",
        "error: no such partition.\ngrub rescue> ",
        "ALERT!  UUID=1 does not exist.  Dropping to a shell!",
        "Welcome to \u{1b}[1mDebian\u{1b}[0m!\r\nYou are in emergency mode. After logging in",
    ])
    func whatWillNeverComeUp(console: String) {
        #expect(Console.obstacle(in: console) != nil)
        #expect(Console.sign(in: console) == nil)
    }

    @Test(arguments: [
        "debian login: ", "\r\nWelcome to Alpine Linux 3.18\r\nproxy login: ",
        "[\u{1b}[0;32m  OK  \u{1b}[0m] Reached target \u{1b}[0;1;39mMulti-User System\u{1b}[0m.\r\n",
        "[  OK  ] Reached target graphical.target - Graphical Interface.\r\n",
    ])
    func whatShowsPrograms(console: String) {
        #expect(Console.sign(in: console) != nil)
        #expect(Console.obstacle(in: console) == nil)
    }

    /// Boot loaders and initial RAM disks greet, too.
    @Test(arguments: [
        "SeaBIOS (version 1.16)", "GRUB loading.\r\nWelcome to GRUB!\r\n",
        "Welcome to Rocky Linux 9 dracut-057 (Initramfs)!",
        "[  OK  ] Reached target Basic System.\r\n",
        "[  OK  ] Reached target initrd-root-device.target - Initrd Root Device.\r\n",
        "systemd-logind[1]: New seat seat0",
    ])
    func whatShowsNothing(console: String) {
        #expect(Console.sign(in: console) == nil)
        #expect(Console.obstacle(in: console) == nil)
    }

    /// As QEMU 7.2 prints it: the first line is a connection that the guest has not answered.
    @Test func aConnectionIsTakenByTheGuestAlone() {
        let table = """
            Hub -1 (net0):
              Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
              TCP[SYN_SENT]      22       127.0.0.1 40001       10.0.2.15    81     0     0
              TCP[ESTABLISHED]   23       127.0.0.1 40002       10.0.2.15    80     0     0
              TCP[HOST_FORWARD]  13       127.0.0.1 40003       10.0.2.15    22     0     0
            """
        #expect(!MachineMonitor.hasTaken(port: 40001, in: table))
        #expect(MachineMonitor.hasTaken(port: 40002, in: table))
        #expect(!MachineMonitor.hasTaken(port: 40003, in: table))
    }
}

@Suite struct MachineArgumentsTests {
    private func arguments(
        _ text: String, disks: [String], kvm: Bool = false,
        firmware: MachineArguments.Firmware? = nil,
        ports: [(here: UInt16, there: UInt16)] = []
    ) throws -> String {
        let configuration = try GuestConfiguration(kind: .qemu, file: Array(text.utf8))
        return MachineArguments(
            configuration, disks: disks.map { .init(key: $0, path: "/w/\($0).qcow2") },
            firmware: firmware, usesKVM: kvm, mostMemory: 4096, mostCores: 2, directory: "/w,x",
            sockets: MachineSockets("/s/1"), ports: ports
        ).words.joined(separator: " ")
    }

    @Test func theDiskItBootsFromIsNamed() throws {
        let words = try arguments(
            "boot: order=scsi0;net0\nscsihw: virtio-scsi-pci\nscsi0: a:b,serial=X%2DY\nscsi2: a:c\n",
            disks: ["scsi0", "scsi2"])
        #expect(words.contains("virtio-scsi-pci,id=scsi0"))
        #expect(
            words.contains("scsi-hd,bus=scsi0.0,scsi-id=0,lun=0,drive=scsi0,bootindex=1,serial=X-Y")
        )
        #expect(words.contains("scsi-hd,bus=scsi0.0,scsi-id=0,lun=2,drive=scsi2"))
        #expect(words.contains("-machine pc,accel=tcg"))
        // A comma in a path would begin another option.
        #expect(words.contains("path=/w,,x/serial"))
    }

    @Test func cardsLeadNowhere() throws {
        let words = try arguments(
            "net0: virtio=BC:24:11:00:11:22,bridge=vmbr0\nnet1: e1000,bridge=vmbr1\nvirtio0: a:b\n",
            disks: ["virtio0"], ports: [(4000, 80)])
        #expect(
            words.contains("-netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:4000-:80"))
        #expect(words.contains("virtio-net-pci,netdev=net0,romfile=,mac=bc:24:11:00:11:22"))
        #expect(words.contains("-netdev user,id=net1,restrict=on -device e1000,netdev=net1"))
        #expect(words.components("-netdev") == words.components("restrict=on"))
    }

    @Test func withoutCardsThereIsNoNetwork() throws {
        let words = try arguments("sata0: a:b\n", disks: ["sata0"])
        #expect(!words.contains("-netdev"))
        #expect(words.contains("-nodefaults"))
        #expect(words.contains("ide-hd,bus=ahci0.0,drive=sata0"))
    }

    @Test func firmwareOfUEFI() throws {
        let words = try arguments(
            "bios: ovmf\nmachine: pc-q35-8.1+pve0\nide0: a:b\n", disks: ["ide0"], kvm: true,
            firmware: .init(code: "/c.fd", variables: "/v.fd"))
        #expect(words.contains("-machine q35,accel=kvm"))
        #expect(words.contains("if=pflash,format=raw,readonly=on,file=/c.fd"))
        #expect(words.contains("if=pflash,format=raw,file=/v.fd"))
        // q35 has no IDE.
        #expect(words.contains("ide-hd,bus=ahci1.0,drive=ide0"))
    }

    @Test func aMachineGetsNoMoreThanThereIs() throws {
        let configuration = try GuestConfiguration(
            kind: .qemu, file: Array("memory: 65536\ncores: 16\nsockets: 2\n".utf8))
        let arguments = MachineArguments(
            configuration, disks: [], firmware: nil, usesKVM: false, mostMemory: 2048,
            mostCores: 2, directory: "/w", sockets: MachineSockets("/a"),
            ports: [])
        #expect(arguments.memory == 2048)
        #expect(arguments.cores == 2)
        #expect(arguments.notes.count == 1)
    }
}

extension String {
    fileprivate func components(_ part: String) -> Int { split(separator: part).count - 1 }
}

@Suite struct PortTests {
    @Test func aSocketThatNobodyListensAtYetIsToldFromOneThatIsReady() throws {
        let path = "/tmp/exeat-port-\(getpid())"
        try Files.remove(path)
        #expect(!Port.isListening(at: path, for: getpid()))
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            close(raw)
            try? Files.remove(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(
                    raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0),
                    socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        #expect(!Port.isListening(at: path, for: getpid()))
        #expect(listen(raw, 1) == 0)
        #expect(Port.isListening(at: path, for: getpid()))
        #expect(!Port.isListening(at: path + "2", for: getpid()))
    }
}
