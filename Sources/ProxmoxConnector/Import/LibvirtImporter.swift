public import Basics
public import Connectors
public import Manifests
public import Plans
import Streams

/// Brings virtual machines to libvirt: volumes in a directory, and a domain for each, which is defined
/// where the plan names a connection. Nothing is started.
public final class LibvirtImporter: Importer {
    public static let kind = "libvirt"
    public static let sources = ["proxmox"]
    public static let targetRemembers = true

    private let images: ImageImport
    private let room: Room

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = ImageTarget(target, isLibvirt: true, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        let settings = ImageTarget(target, isLibvirt: true, problems)
        try problems.check()
        self.room = room
        images = ImageImport(settings, source, artifacts, room, resuming: resuming)
    }

    public func prepare() throws(Failure) -> ImportOutline {
        try images.prepare { (guests) throws(Failure) in
            let names = machines(guests).map(\.domainName)
            guard Set(names).count == names.count else {
                throw Failure(
                    .planInvalidValue,
                    "two machines have the same name, and libvirt wants one for each",
                    hint: "Import them one after the other with another map.name-prefix.")
            }
            guard let connection = images.target.connection else { return }
            let there = Set(
                try virsh(connection, ["list", "--all", "--name"]).split(separator: "\n"))
            for name in names where there.contains(Substring(name)) {
                throw Failure(
                    .targetOccupied, "\"\(connection)\" already has a domain \"\(name)\"",
                    hint: "Give others with map.name-prefix.")
            }
        }
    }

    public func begin() throws(Failure) { try images.begin() }

    private func machines(_ guests: [GuestImages]) -> [GuestImages] {
        guests.filter(\.isMachine)
    }

    public func replay(_ unit: SegmentNumber) throws(Failure) { try images.replay(unit) }

    public func finish() throws(Failure) {
        try images.finish()
        guard let connection = images.target.connection else { return }
        for machine in machines(images.images) {
            // Defining the same domain again changes nothing.
            _ = try virsh(connection, ["define", "--validate", "--file", machine.domainPath])
        }
    }

    public func compare(_ slice: Int) throws(Failure) { try images.compare(slice) }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        var result = try images.conclude(counting: counting)
        guard let connection = images.target.connection else { return result }
        let machines = machines(images.images)
        var there = 0
        for machine in machines {
            let xml = try virsh(
                connection, ["dumpxml", "--inactive", "--domain", machine.domainName])
            let lost = machine.disks.filter {
                !$0.disk.key.hasPrefix("tpmstate") && $0.format != .vmdk
                    && $0.disk.artifact != machine.guest.stream?.artifact && !xml.contains($0.path)
            }
            if lost.isEmpty { there += 1 }
            for disk in lost {
                result.differences.append([
                    "object": .string(machine.domainName),
                    "what": .string("the domain does not have \(disk.path)"),
                ])
                result.differenceCount += 1
            }
        }
        result.comparisons.append(
            .init(
                name: "domains with all their disks", expected: String(machines.count),
                found: String(there)))
        return result
    }

    /// Runs virsh, and gives what it prints.
    private func virsh(_ connection: String, _ arguments: [String]) throws(Failure) -> String {
        let output = room.directory + "/virsh.out"
        let outcome: Command.Outcome
        do throws(Failure) {
            outcome = try Command("virsh", ["--quiet", "--connect", connection] + arguments)
                .run(
                    output: output, errors: room.directory + "/virsh.err",
                    isCancelled: { [room] in room.progress.isCancelled })
        } catch {
            guard error.code == .notFound else { throw error }
            throw Failure(
                .diskTool, "\"virsh\" is needed to define domains, and is not installed",
                hint: "Install the package libvirt-clients.", cause: error)
        }
        guard outcome.status == 0 else {
            throw Failure(
                .diskTool, "virsh \(arguments[0]) failed at \"\(connection)\"",
                cause: Failure(
                    .diskTool, outcome.errors.split(separator: "\n").joined(separator: "; ")))
        }
        return String(decoding: try Files.read(output), as: UTF8.self)
    }
}
