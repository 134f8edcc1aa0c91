import Basics
import Connectors
import Disks
import Manifests
import Streams

/// Fixes what an export of guests consists of.
struct InventoryMaker {
    let settings: ProxmoxSettings
    let room: Room

    func make() throws(Failure) -> ExportList {
        switch settings.origin {
        case .dumps(let paths):
            var inventory = DumpInventory(settings, room)
            return try inventory.make(DumpFiles(paths))
        case .cluster:
            throw Failure(.unsupported, "clusters cannot be asked yet")
        }
    }
}

/// What backups that are files already hold: their headers say it.
struct DumpInventory {
    let settings: ProxmoxSettings
    let room: Room
    private var omissions: OmissionList<ProxmoxOmission>

    init(_ settings: ProxmoxSettings, _ room: Room) {
        self.settings = settings
        self.room = room
        omissions = OmissionList(accepted: settings.accepted)
    }

    mutating func make(_ files: DumpFiles) throws(Failure) -> ExportList {
        var guests: [PlannedGuest] = []
        for dump in files.dumps.values.sorted(by: { $0.id < $1.id }) {
            try room.progress.checkCancelled()
            let guest: PlannedGuest
            do throws(Failure) { guest = try planned(dump) } catch {
                throw error.during("cannot read \"\(dump.path)\"")
            }
            let entry = GuestEntry(
                id: guest.id, kind: guest.kind, name: guest.name, node: "", status: "", pool: nil,
                tags: [], isTemplate: false)
            if let exclusion = settings.excludedGuests.first(where: { $0.selector.matches(entry) })
            {
                omissions.addExcluded(guest.title, reason: exclusion.reason)
                continue
            }
            guard settings.guests.isEmpty || settings.guests.contains(where: { $0.matches(entry) })
            else { continue }
            guests.append(guest)
        }
        guard !guests.isEmpty else {
            throw Failure(.planInvalidValue, "no backup is of a guest that the plan names")
        }
        return ExportList(
            run: room.world.newID(),
            moment: Moment(
                kind: "backup",
                value: files.dumps.values.map(\.taken).min() ?? ""),
            facts: ["origin": "dumps"],
            counts: [.init("guests", .integer(Int64(guests.count)))], guests: guests,
            documents: nil, documentBytes: 0, omissions: omissions.summary)
    }

    private mutating func planned(_ dump: DumpFiles.Dump) throws(Failure) -> PlannedGuest {
        let file = try BackupFile(opening: dump.path)
        switch dump.kind {
        case .machine:
            let header = try VMAReader(file.open()).header
            let bytes = header.configurations.first { $0.name == "qemu-server.conf" }?.bytes ?? []
            let configuration = try GuestConfiguration(parsing: bytes, kind: .machine)
            let disks = header.devices.filter { !$0.isMemory }.map { device in
                PlannedGuest.PlannedDisk(
                    key: configuration.key(ofDevice: device.name), device: device.name,
                    bytes: device.size)
            }
            return PlannedGuest(
                id: dump.id, kind: .machine, name: configuration.name, node: "", disks: disks,
                isPortable: settings.disks != .native, isNative: settings.disks != .portable)
        case .container:
            let archive = try ContainerArchive(readingStartOf: file.open())
            let configuration = try GuestConfiguration(
                parsing: archive.configuration, kind: .container)
            return PlannedGuest(
                id: dump.id, kind: .container, name: configuration.name, node: "", disks: [],
                isPortable: false, isNative: true)
        }
    }
}
