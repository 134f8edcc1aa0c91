import Basics
import Connectors

/// Which way backups come, as the plan says.
enum BackupProviders {
    static func make(
        _ settings: ProxmoxSettings, run: String, room: Room
    ) throws(Failure) -> any BackupProvider {
        switch settings.origin {
        case .dumps(let paths): return try DumpFiles(paths)
        case .cluster:
            throw Failure(.unsupported, "clusters cannot be asked yet")
        }
    }
}
