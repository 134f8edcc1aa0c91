import ConfigConnectors
import Connectors
import FileConnectors
import LogConnectors
import MariaDBConnector
import PostgreSQLConnector
import ProxmoxConnector

/// The one place that lists all connectors.
enum AllConnectors {
    static let exporters: [any Exporter.Type] = [
        FilesExporter.self, PostgreSQLExporter.self, MariaDBExporter.self,
        ProxmoxExporter.self, DiskImagesExporter.self, ConfigExporter.self, LogsExporter.self,
    ]
    static let importers: [any Importer.Type] = [
        FilesImporter.self, PostgreSQLImporter.self, MariaDBImporter.self,
        ProxmoxImporter.self, DirectoryImporter.self,
        LibvirtImporter.self, ConfigImporter.self, LogsImporter.self,
    ]
    static let auditors: [any Auditor.Type] = [
        FilesAuditor.self, PostgreSQLAuditor.self, MariaDBAuditor.self, ProxmoxAuditor.self,
        DiskImagesAuditor.self, ConfigAuditor.self, LogsAuditor.self,
    ]
}
