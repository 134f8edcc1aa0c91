extension String {
    /// As an SQL name.
    var quotedName: String { "`" + reduce(into: "") { $0 += $1 == "`" ? "``" : String($1) } + "`" }

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
