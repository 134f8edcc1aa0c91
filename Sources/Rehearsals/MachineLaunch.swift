import Basics
import Glibc
import Guests
import Streams

/// How a machine is started: from overlays on its images, each time anew.
struct MachineLaunch: Sendable {
    let configuration: GuestConfiguration
    /// Raw images by key, which stay as they are.
    let images: [(key: String, path: String)]
    let directory: String
    let sockets: MachineSockets
    let record: String
    let ports: [(here: UInt16, there: UInt16)]
    let host: Machine.Host
    let progress: Progress

    /// - Parameter wanted: ports of the guest that probes reach.
    init(
        _ configuration: GuestConfiguration, images: [(key: String, path: String)],
        in directory: String, sockets: MachineSockets, record: String, wanted: [UInt16],
        host: Machine.Host, progress: Progress
    ) throws(Failure) {
        guard host.hasQEMU else {
            throw Failure(
                .diskTool, "\"\(Machine.Host.program)\" is not installed",
                hint: "Install qemu-system-x86, or say \"start: false\" in the plan.")
        }
        if let architecture = configuration["arch"], architecture != "x86_64" {
            throw Failure(
                .unsupported, "a machine of architecture \(architecture) is not started",
                hint: "Say \"start: false\" for this source in the plan.")
        }
        guard images.contains(where: { !Self.isFirmware($0.key) }) else {
            throw Failure(.diskUnsuitable, "the machine has no disk to start from")
        }
        var ports: [(here: UInt16, there: UInt16)] = []
        for port in Set(wanted).sorted() { ports.append((try Port.free(), port)) }
        self.configuration = configuration
        self.images = images
        self.directory = directory
        self.sockets = sockets
        self.record = record
        self.ports = ports
        self.host = host
        self.progress = progress
        try Files.makeDirectory(directory, mode: 0o700)
    }

    var serial: String { directory + "/serial" }
    private var complaints: String { directory + "/qemu.log" }

    /// What QEMU says when KVM cannot go on.
    var hasLostKVM: Bool {
        let text = String(decoding: (try? Files.read(complaints)) ?? [], as: UTF8.self)
        return ["KVM internal error", "KVM: entry failed", "kvm run failed"].contains {
            text.contains($0)
        }
    }

    private static func isFirmware(_ key: String) -> Bool {
        key.hasPrefix("efidisk") || key.hasPrefix("tpmstate")
    }

    /// A machine that runs: QEMU, and its TPM.
    struct Running: Sendable {
        let process: OwnedProcess
        let tpm: OwnedProcess?
        let notes: [String]

        func end() {
            process.end()
            tpm?.end()
        }
    }

    func run(usesKVM: Bool) throws(Failure) -> Running {
        var notes: [String] = []
        for name in [serial, complaints, sockets.agent, sockets.monitor, sockets.tpm] {
            try Files.remove(name)
        }
        let disks = try overlays()
        var tpm: OwnedProcess?
        if let state = images.first(where: { $0.key.hasPrefix("tpmstate") }) {
            do throws(Failure) { tpm = try startTPM(state.key, state.path) } catch {
                if error.code == .cancelled || error.code == .noSpace { throw error }
                notes.append(
                    "its TPM was left out, what it sealed cannot be opened: \(error.what)")
            }
        }
        var firmware: MachineArguments.Firmware?
        if configuration["bios"] == "ovmf" {
            let found = try self.firmware()
            firmware = found.firmware
            notes += found.notes
        } else {
            // The number of the port, 0x3f8, in the order of x86.
            try Files.write([0xf8, 0x03], to: directory + "/sercon", mode: 0o600)
        }
        let arguments = MachineArguments(
            configuration, disks: disks, firmware: firmware, usesKVM: usesKVM,
            mostMemory: host.memory.all, mostCores: host.cores, directory: directory,
            sockets: sockets, hasTPM: tpm != nil, ports: ports)
        // What this machine must reach by its ports shares its network; the guest still has none.
        let process = try OwnedProcess(
            Machine.Host.program, arguments.words, record: record, errors: complaints,
            cage: Cage(host.rights, isolated: ports.isEmpty))
        for _ in 0..<20 {
            usleep(50_000)
            if let outcome = try process.outcome(), outcome.status != 0 {
                let text = outcome.complaint
                tpm?.end()
                throw Failure(
                    text.contains("No space left") ? .noSpace : .diskTool,
                    "QEMU does not start the machine: \(text)")
            }
        }
        return Running(process: process, tpm: tpm, notes: notes + arguments.notes)
    }

    /// Starts swtpm(8) with a copy of what the TPM of the guest held: Proxmox VE keeps it as swtpm's own
    /// "linear" file.
    private func startTPM(_ key: String, _ stored: String) throws(Failure) -> OwnedProcess {
        let version = try? Command("swtpm", ["--version"]).run(
            output: "/dev/null", errors: "/dev/null")
        guard version?.status == 0 else {
            throw Failure(.diskTool, "swtpm is not installed")
        }
        let state = directory + "/tpm"
        try tool("cp", ["--sparse=always", "--", stored, state])
        let isSecond = PropertyString(configuration[key] ?? "")["version"] != "v1.2"
        let process = try OwnedProcess(
            "swtpm",
            [
                "socket", "--tpmstate", "backend-uri=file://" + state, "--ctrl",
                "type=unixio,path=\(sockets.tpm),mode=0600", "--terminate",
            ] + (isSecond ? ["--tpm2"] : []), record: record + "-tpm",
            errors: directory + "/tpm.log", cage: Cage(host.rights))
        // Long enough for a machine that is busy with all the other restores.
        for _ in 0..<1200 {
            try progress.checkCancelled()
            if Port.isListening(at: sockets.tpm, for: process.number) { return process }
            if let outcome = try process.outcome() {
                throw Failure(.diskTool, "swtpm does not start: \(outcome.complaint)")
            }
            usleep(50_000)
        }
        process.end()
        throw Failure(.diskTool, "swtpm does not listen")
    }

    private func overlays() throws(Failure) -> [MachineArguments.Disk] {
        var disks: [MachineArguments.Disk] = []
        for image in images where !Self.isFirmware(image.key) {
            let overlay = "\(directory)/\(image.key).qcow2"
            try Files.remove(overlay)
            try tool(
                "qemu-img",
                [
                    "create", "-q", "-f", "qcow2", "-b", Files.absolute(image.path), "-F", "raw",
                    "--", overlay,
                ])
            disks.append(.init(key: image.key, path: overlay))
        }
        return disks
    }

    private func firmware() throws(Failure) -> (
        firmware: MachineArguments.Firmware, notes: [String]
    ) {
        let options = PropertyString(configuration["efidisk0"] ?? "")
        let stored = images.first { $0.key.hasPrefix("efidisk") }?.path
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
        try tool("cp", ["--", stored ?? fresh, variables])
        return (.init(code: code, variables: variables), notes)
    }

    private func tool(_ program: String, _ arguments: [String]) throws(Failure) {
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
}
