import Basics
import Connectors
import Disks
import Guests
import Manifests
import Streams

/// What backups that are files already hold: their headers say it.
struct DumpInventory {
    let settings: ProxmoxSettings
    let room: Room

    func plan(_ files: DumpFiles) throws(Failure) -> GuestPlan {
        var plan = try GuestPlan(settings, isEncrypted: room.isEncrypted)
        var entries: [GuestEntry] = []
        for dump in files.dumps.values.sorted(by: { $0.id < $1.id }) {
            try room.progress.checkCancelled()
            do throws(Failure) {
                let (entry, configuration, devices) = try read(dump)
                entries.append(entry)
                if plan.wants(entry) { plan.add(entry, configuration, devices: devices) }
            } catch {
                throw error.during("cannot read \"\(dump.path)\"")
            }
        }
        try plan.check(among: entries)
        return plan
    }

    func make(_ files: DumpFiles) throws(Failure) -> ExportList {
        let plan = try plan(files)
        return ExportList(
            run: room.world.newID(),
            moment: Moment(
                kind: "backup", value: files.dumps.values.map(\.taken).min() ?? ""),
            facts: ["origin": "dumps"], counts: plan.guests.counts, guests: plan.guests,
            documents: [], omissions: plan.omissions.summary)
    }

    private func read(
        _ dump: DumpFiles.Dump
    ) throws(Failure) -> (GuestEntry, GuestConfiguration, [String: Int64]?) {
        let file = try BackupFile(opening: dump.path)
        let configuration: GuestConfiguration
        var devices: [String: Int64]?
        switch dump.kind {
        case .machine:
            let header = try VMAReader(file.open()).header
            let bytes = header.configurations.first { $0.name == "qemu-server.conf" }?.bytes ?? []
            configuration = try GuestConfiguration(kind: .qemu, file: bytes)
            devices = [:]
            for device in header.devices where !device.isMemory {
                devices?[device.name] = device.size
            }
        case .container:
            let archive = try ContainerArchive(readingStartOf: file.open())
            configuration = try GuestConfiguration(kind: .lxc, file: archive.configuration)
        }
        let entry = GuestEntry(
            id: dump.id, kind: dump.kind, name: configuration.name ?? "", node: "", status: "",
            pool: nil, tags: [], isTemplate: configuration.flag("template"))
        return (entry, configuration, devices)
    }
}

extension [PlannedGuest] {
    /// For people and the catalogue.
    var counts: [JSON.Member] {
        [
            .init("machines", .integer(Int64(count { $0.kind == .machine }))),
            .init("containers", .integer(Int64(count { $0.kind == .container }))),
            .init("disks", .integer(Int64(reduce(0) { $0 + $1.disks.count }))),
        ]
    }
}
