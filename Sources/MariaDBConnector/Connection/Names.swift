extension String {
    /// As an SQL name.
    var quotedName: String { quotedName("`") }

    /// As a name between these quotes. Whatever combines with a quote to one character leaves it a quote.
    func quotedName(_ quote: Unicode.Scalar) -> String {
        var text = String.UnicodeScalarView([quote])
        for scalar in unicodeScalars {
            text.append(scalar)
            if scalar == quote { text.append(scalar) }
        }
        text.append(quote)
        return String(text)
    }

    /// As an SQL string in sessions of ours, where backslashes escape.
    var quotedString: String {
        "'"
            + unicodeScalars.reduce(into: "") { text, scalar in
                switch scalar {
                case "'": text += "''"
                case "\\": text += "\\\\"
                case "\0": text += "\\0"
                default: text.unicodeScalars.append(scalar)
                }
            } + "'"
    }
}

/// A condition of information_schema.
enum InDatabases {
    /// That a column is one of these databases. Names there compare without case and accents, and two
    /// that are equal so would become one: the server looks for the first of them only.
    static func condition(_ column: String, _ databases: [String]) -> String {
        let list = databases.map(\.quotedString).joined(separator: ", ")
        // Of one database, the server opens no other's tables.
        let narrow = databases.count == 1 ? "\(column) = \(list) AND " : ""
        return narrow + "BINARY \(column) IN (\(list))"
    }
}
