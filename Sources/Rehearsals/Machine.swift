import Basics
import Glibc
import Guests
import Streams

/// A virtual machine that was restored as images, started under QEMU to see whether it comes up.
final class Machine: Sendable {
    let process: OwnedProcess
    let serial: String
    let agent: String
    let ports: [(here: UInt16, there: UInt16)]
    let acceleration: String
    let notes: [String]

    init(
        process: OwnedProcess, serial: String, agent: String,
        ports: [(here: UInt16, there: UInt16)], acceleration: String, notes: [String]
    ) {
        self.process = process
        self.serial = serial
        self.agent = agent
        self.ports = ports
        self.acceleration = acceleration
        self.notes = notes
    }

    /// What this machine can run guests with.
    struct Host: Sendable {
        let hasQEMU: Bool
        let hasKVM: Bool
        let memory: Int
        let cores: Int
        let rights: Cage.Rights

        static let program = "qemu-system-x86_64"

        /// KVM is tried, since its device may be there and not work.
        static func found(_ rights: Cage.Rights, workers: Int) -> Host {
            func starts(_ acceleration: String) -> Bool {
                guard
                    var trial = try? Command(
                        program,
                        [
                            "-nodefaults", "-no-user-config", "-display", "none", "-S", "-machine",
                            "pc,accel=\(acceleration)", "-m", "32",
                        ]
                    ).start()
                else { return false }
                for _ in 0..<15 {
                    usleep(100_000)
                    if let outcome = try? trial.poll() { return outcome.status == 0 }
                }
                return true
            }
            let version = try? Command(program, ["--version"]).run(
                output: "/dev/null", errors: "/dev/null")
            let has = version?.status == 0
            return Host(
                hasQEMU: has, hasKVM: has && Files.exists("/dev/kvm") && starts("kvm"),
                memory: availableMemory(), cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
                rights: rights)
        }

        /// MiB, of which a quarter is left alone.
        private static func availableMemory() -> Int {
            let text = (try? Files.readText("/proc/meminfo")) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
            let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return max(64, (kilobytes ?? 2 << 20) / 1024 * 3 / 4)
        }
    }

    // MARK: - Starting

    /// - Parameter images: raw images by key, which stay as they are.
    static func start(
        _ configuration: GuestConfiguration, images: [(key: String, path: String)],
        in directory: String, agent: String, record: String, wanted: [UInt16], host: Host,
        progress: Progress
    ) throws(Failure) -> Machine {
        guard host.hasQEMU else {
            throw Failure(
                .diskTool, "\"\(Host.program)\" is not installed",
                hint: "Install qemu-system-x86, or say \"start: false\" in the plan.")
        }
        if let architecture = configuration["arch"], architecture != "x86_64" {
            throw Failure(
                .unsupported, "a machine of architecture \(architecture) is not started",
                hint: "Say \"start: false\" for this source in the plan.")
        }
        try Files.makeDirectory(directory, mode: 0o700)
        var disks: [MachineArguments.Disk] = []
        var notes: [String] = []
        for image in images where !image.key.hasPrefix("efidisk") {
            if image.key.hasPrefix("tpmstate") {
                notes.append("its TPM was left out: what it sealed cannot be opened")
                continue
            }
            let overlay = "\(directory)/\(image.key).qcow2"
            try tool(
                "qemu-img",
                [
                    "create", "-q", "-f", "qcow2", "-b", Files.absolute(image.path), "-F", "raw",
                    "--", overlay,
                ], directory, progress)
            disks.append(.init(key: image.key, path: overlay))
        }
        guard !disks.isEmpty else {
            throw Failure(.diskUnsuitable, "the machine has no disk to start from")
        }
        var firmware: MachineArguments.Firmware?
        if configuration["bios"] == "ovmf" {
            let found = try self.firmware(
                configuration, images.first { $0.key.hasPrefix("efidisk") }?.path, directory,
                progress)
            firmware = found.firmware
            notes += found.notes
        } else {
            // The number of the port, 0x3f8, in the order of x86.
            try Files.write([0xf8, 0x03], to: directory + "/sercon", mode: 0o600)
        }
        var ports: [(here: UInt16, there: UInt16)] = []
        for port in Set(wanted).sorted() { ports.append((try Port.free(), port)) }
        let arguments = MachineArguments(
            configuration, disks: disks, firmware: firmware, usesKVM: host.hasKVM,
            mostMemory: host.memory, mostCores: host.cores, directory: directory, agent: agent,
            ports: ports)
        // What this machine must reach by its ports shares its network; the guest still has none.
        let process = try OwnedProcess(
            Host.program, arguments.words, record: record, errors: directory + "/qemu.log",
            cage: Cage(host.rights, isolated: ports.isEmpty))
        for _ in 0..<20 {
            usleep(50_000)
            if let outcome = try process.outcome(), outcome.status != 0 {
                let text = outcome.complaint
                throw Failure(
                    text.contains("No space left") ? .noSpace : .diskTool,
                    "QEMU does not start the machine: \(text)")
            }
        }
        return Machine(
            process: process, serial: arguments.serialPath, agent: arguments.agentPath,
            ports: ports, acceleration: host.hasKVM ? "kvm" : "tcg",
            notes: notes + arguments.notes)
    }

    private static func firmware(
        _ configuration: GuestConfiguration, _ stored: String?, _ directory: String,
        _ progress: Progress
    ) throws(Failure) -> (firmware: MachineArguments.Firmware, notes: [String]) {
        let options = PropertyString(configuration["efidisk0"] ?? "")
        let isLarge = stored == nil || options["efitype"] == "4m"
        let root = "/usr/share/OVMF/OVMF_"
        let code = root + (isLarge ? "CODE_4M.fd" : "CODE.fd")
        let fresh = root + (isLarge ? "VARS_4M.fd" : "VARS.fd")
        guard Files.exists(code) else {
            throw Failure(
                .diskTool, "\"\(code)\", the firmware of machines with UEFI, is not there",
                hint: "Install the package ovmf.")
        }
        var notes: [String] = []
        if options.flag("pre-enrolled-keys") {
            notes.append("it was started without secure boot")
        }
        let variables = directory + "/variables.fd"
        try tool("cp", ["--", stored ?? fresh, variables], directory, progress)
        return (.init(code: code, variables: variables), notes)
    }

    private static func tool(
        _ program: String, _ arguments: [String], _ directory: String, _ progress: Progress
    ) throws(Failure) {
        let outcome = try Command(program, arguments, environment: ["LC_ALL": "C"]).run(
            output: "/dev/null", errors: directory + "/tool.log",
            isCancelled: { progress.isCancelled })
        guard outcome.status == 0 else {
            let text = outcome.complaint
            throw Failure(
                text.contains("No space left") ? .noSpace : .diskTool,
                "\"\(program)\" failed: \(text)")
        }
    }

    // MARK: - What it shows

    /// What came over the serial port so far.
    var console: String {
        String(decoding: (try? Files.read(serial)) ?? [], as: UTF8.self)
    }

    /// What the console says of a machine that will never come up; nil where it says nothing such.
    static func obstacle(in console: String) -> String? {
        let signs = [
            "No bootable device", "Boot failed: not a bootable disk",
            "BdsDxe: No bootable option", "UEFI Interactive Shell", "Kernel panic - not syncing",
            "grub rescue>", "Entering emergency mode",
            "You are in emergency mode", "Give root password for maintenance",
            "VFS: Unable to mount root fs",
        ]
        return signs.first { console.contains($0) }
    }

    /// What the console shows of a system that runs programs of its own; nil where nothing does.
    static func sign(in console: String) -> String? {
        ["login:", "Reached target", "Welcome to "].first { console.contains($0) }
    }
}
