import Connectors
import FileConnectors
import PostgreSQLConnector

/// The one place that lists all connectors.
enum AllConnectors {
    static let exporters: [any Exporter.Type] = [FilesExporter.self, PostgreSQLExporter.self]
    static let importers: [any Importer.Type] = [FilesImporter.self, PostgreSQLImporter.self]
    static let auditors: [any Auditor.Type] = [FilesAuditor.self, PostgreSQLAuditor.self]
}
