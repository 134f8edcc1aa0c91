import Basics

/// The commands of RESTORE.txt that bring an artifact back with psql alone.
///
/// The reader sets one variable for each source: a conninfo string without a database name.
struct RestoringCommands {
    let source: String
    let database: String
    let encoding: String

    /// Under these settings text is read as it was written.
    private static let options =
        "-c search_path= -c datestyle=ISO,YMD -c intervalstyle=postgres -c timezone=UTC "
        + "-c xmloption=content -c standard_conforming_strings=on -c lc_monetary=C "
        + "-c check_function_bodies=off -c row_security=off -c client_min_messages=warning"

    private var variable: String {
        "PG_"
            + String(
                source.map { character in
                    character.isASCII && (character.isLetter || character.isNumber)
                        ? character : "_"
                }
            ).uppercased()
    }

    private func psql(_ database: String, stops: Bool = true) -> String {
        let name = Self.quoted(" dbname=" + ConnectionInfo.quoted(database))
        let target =
            "\"${\(variable):?set \(variable) to host, port and user of the target server}\"\(name)"
        return "PGOPTIONS='\(Self.options)' PGCLIENTENCODING=UTF8 psql -X -q -o /dev/null"
            + " -v ON_ERROR_STOP=\(stops ? 1 : 0) -d \(target)"
    }

    /// Roles that are there already are an error that stops nothing.
    var roles: String { psql("postgres", stops: false) + " -f -" }
    var maintenance: String { psql("postgres") + " -f -" }
    var statements: String { psql(database) + " -f -" }

    func rows(table: String, columns: [String]) -> String {
        let list =
            columns.isEmpty ? "" : " (" + columns.map(Quoting.name).joined(separator: ", ") + ")"
        return psql(database) + " -c " + Self.quoted("COPY \(table)\(list) FROM STDIN \(options)")
    }

    var largeObjects: String {
        psql(database) + " -c "
            + Self.quoted("CREATE TEMP TABLE exeat (id oid, place bigint, part bytea)") + " -c "
            + Self.quoted("COPY pg_temp.exeat FROM STDIN \(options)") + " -c "
            + Self.quoted("SELECT count(pg_catalog.lo_put(id, place, part)) FROM pg_temp.exeat")
    }

    private var options: String {
        "WITH (FORMAT text, ENCODING \(Quoting.literal(encoding)))"
    }

    /// One word for a shell, whatever it holds.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
