import Basics
import Connectors

/// Which way backups come, as the plan says.
enum BackupProviders {
    static func make(
        _ settings: ProxmoxSettings, run: String, room: Room
    ) throws(Failure) -> any BackupProvider {
        switch settings.origin {
        case .dumps(let paths): return try DumpFiles(paths)
        case .cluster(let server, let transport):
            let client = try server.client(room.progress, room.world)
            let reader = try ClusterReader(client)
            let files: any BackupFiles
            let storage: String
            switch transport {
            case .directory(let name, let mount):
                storage = name
                files = MountedStorage(mount: mount)
            case .sftp(let name, let ssh):
                storage = name
                files = RemoteStorage(settings: ssh, progress: room.progress)
            case .ssh(let ssh):
                return StreamedBackups(reader: reader, settings: settings, ssh: ssh, room: room)
            case nil: return NoBackups()
            }
            return StoredBackups(
                client: client, reader: reader, settings: settings, storage: storage, files: files,
                run: run, room: room)
        }
    }
}

/// Where only the configuration of the cluster is asked for.
struct NoBackups: BackupProvider {
    let canReadAgain = true

    func open(_ guest: PlannedGuest, in directory: String) throws(Failure) -> OpenBackup {
        throw Failure(.planMissingValue, "the plan names no transport for \(guest.title)")
    }

    func discard(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? { nil }

    func finish(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? { nil }
}
