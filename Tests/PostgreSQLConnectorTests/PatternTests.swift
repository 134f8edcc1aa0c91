import Testing

@testable import PostgreSQLConnector
