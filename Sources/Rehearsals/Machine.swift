import Basics
import Glibc
import Streams
import Synchronization

/// A virtual machine that was restored as images, started under QEMU to see whether it comes up.
final class Machine: Sendable {
    private struct State {
        var running: MachineLaunch.Running
        var acceleration: String
        var notes: [String]
    }

    let launch: MachineLaunch
    private let memory: MemoryRoom.Share
    private let state: Mutex<State>

    var isRunning: Bool { state.withLock { $0.running }.process.isRunning }
    var acceleration: String { state.withLock { $0.acceleration } }
    var notes: [String] { state.withLock { $0.notes } }
    var agent: String { launch.sockets.agent }
    var monitor: String { launch.sockets.monitor }
    var ports: [(here: UInt16, there: UInt16)] { launch.ports }

    /// Starts it, with KVM where that works.
    init(_ launch: MachineLaunch, memory: MemoryRoom.Share) throws(Failure) {
        self.launch = launch
        self.memory = memory
        let usesKVM = launch.host.hasKVM
        let running = try launch.run(usesKVM: usesKVM)
        state = Mutex(
            State(
                running: running, acceleration: usesKVM ? "kvm" : "tcg", notes: running.notes))
    }

    func end() {
        state.withLock { $0.running }.end()
        memory.giveBack()
    }

    /// Leaves it running.
    func keep() {
        let running = state.withLock { $0.running }
        running.process.keep()
        running.tpm?.keep()
    }

    /// Looks whether KVM has given up in the middle, as where it is emulated badly itself, and then
    /// starts the machine anew without it. True where that was so: whoever waits for it waits anew.
    func tend() throws(Failure) -> Bool {
        guard acceleration == "kvm", launch.hasLostKVM else { return false }
        state.withLock { $0.running }.end()
        let running = try launch.run(usesKVM: false)
        state.withLock {
            $0 = State(
                running: running, acceleration: "tcg",
                notes: running.notes + ["KVM failed while it ran: it was started anew without"])
        }
        return true
    }

    /// What this machine can run guests with.
    struct Host: Sendable {
        let hasQEMU: Bool
        let hasKVM: Bool
        let memory: MemoryRoom
        let cores: Int
        let rights: Cage.Rights

        static let program = "qemu-system-x86_64"

        /// KVM is tried, since its device may be there and not work.
        static func found(_ rights: Cage.Rights, in directory: String) -> Host {
            let version = try? Command(program, ["--version"]).run(
                output: "/dev/null", errors: "/dev/null")
            let has = version?.status == 0
            return Host(
                hasQEMU: has, hasKVM: has && Files.exists("/dev/kvm") && runsKVM(directory),
                memory: MemoryRoom(availableMemory()),
                cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
                rights: rights)
        }

        /// Whether a processor of KVM gets as far as the first words of the firmware: there are machines
        /// on which it starts, and never runs.
        private static func runsKVM(_ directory: String) -> Bool {
            let words = directory + "/kvm-trial"
            guard
                var trial = try? Command(
                    program,
                    [
                        "-nodefaults", "-no-user-config", "-display", "none", "-machine",
                        "pc,accel=kvm", "-cpu", "host", "-m", "32", "-chardev",
                        "file,id=words,path=\(words)", "-device",
                        "isa-debugcon,iobase=0x402,chardev=words",
                    ]
                ).start()
            else { return false }
            for _ in 0..<50 {
                usleep(100_000)
                if let size = try? Files.read(words).count, size > 0 { return true }
                if (try? trial.poll()) != nil { return false }
            }
            return false
        }

        /// MiB, of which a quarter is left alone.
        private static func availableMemory() -> Int {
            let text = (try? Files.readText("/proc/meminfo")) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
            let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return max(64, (kilobytes ?? 2 << 20) / 1024 * 3 / 4)
        }
    }

    // MARK: - What it shows

    /// What came over the serial port so far.
    var console: String {
        String(decoding: (try? Files.read(launch.serial)) ?? [], as: UTF8.self)
    }
}
