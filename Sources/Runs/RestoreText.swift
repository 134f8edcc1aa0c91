import Basics
import Manifests

/// `RESTORE.txt` and `exeat/restore.txt`: how to get the data back with standard tools.
///
/// Both are POSIX shell scripts whose comments explain them. In an encrypted bag the first one only
/// decrypts, into one standard file for each artifact; the second, encrypted itself, goes on with
/// the commands that know real names.
struct RestoreText {
    struct Part {
        let source: SourceRecord
        let artifact: ArtifactRecord
        /// Reads the artifact's stream on standard input and restores it below `$HERE`; nil where
        /// the stream is only kept as a file.
        let consumer: String?
        /// Comments that name real objects.
        let notes: [String]
    }

    let parts: [Part]
    let isEncrypted: Bool
    let isPostQuantum: Bool

    /// The file at the top of the bag; names folders only.
    var top: String {
        var lines = [
            "# How to restore this archive without Exeat. Check it first: VERIFY.txt.",
            "#",
            "# Needed: zstd"
                + (isEncrypted
                    ? (isPostQuantum ? ", age 1.3 or later (post-quantum recipients)" : ", age")
                    : "")
                + ", GNU tar 1.34 or later. Run the lines one by one in the folder of the archive, or",
            isEncrypted
                ? "#   TO=/new/folder KEY=/path/to/identity sh RESTORE.txt"
                : "#   TO=/new/folder sh RESTORE.txt",
        ]
        if !isEncrypted { lines += databaseAdvice }
        lines += ["set -eu", ": \"${TO:?set TO to the folder to restore to}\""]
        if isEncrypted { lines.append(": \"${KEY:?set KEY to the file with the age identity}\"") }
        lines += ["mkdir -p \"$TO\"", "", streamFunction, ""]
        for part in parts {
            lines.append(
                "# \(part.artifact.kind), \(counted(part.artifact.segments.count, "segment"))")
            let stream = "stream data/\(part.artifact.folder) | decode"
            if !isEncrypted, let consumer = part.consumer {
                lines.append("HERE=\"$TO/\(part.source.folder)\"; mkdir -p \"$HERE\"")
                lines.append("\(stream) | \(consumer)")
            } else {
                lines.append("\(stream) > \"$TO/\(file(of: part))\"")
            }
            lines.append(Self.check)
        }
        if isEncrypted {
            lines += [
                "",
                "# The commands that know real names:",
                "age -d -i \"$KEY\" exeat/restore.txt.age > \"$TO/restore.txt\"",
                "echo \"go on with: cd $TO && TO=/final/folder sh restore.txt\"",
            ]
        } else {
            lines += ["", "echo \"restored below $TO\""]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The file below `exeat/`, which may name objects.
    var named: String {
        var lines = ["# What the folders of this archive are, by their real names."]
        if isEncrypted {
            lines += [
                "# Run this where RESTORE.txt put the decrypted files:",
                "#   TO=/final/folder sh restore.txt",
            ]
            lines += databaseAdvice
            lines += ["set -eu", ": \"${TO:?set TO to the folder to restore to}\""]
        }
        for part in parts {
            lines.append("")
            lines.append("# source \(comment(part.source.name)): \(comment(part.artifact.name))")
            lines += part.notes.map { "# " + comment($0) }
            if isEncrypted, let consumer = part.consumer {
                lines.append("HERE=\"$TO/\(part.source.name)\"; mkdir -p \"$HERE\"")
                lines.append("\(consumer) < \"\(file(of: part))\"")
            }
        }
        if isEncrypted { lines += ["", "echo \"restored below $TO\""] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a shell must know before it speaks to a server.
    private var databaseAdvice: [String] {
        var lines: [String] = []
        if parts.contains(where: { $0.source.kind == "postgresql" }) {
            lines += [
                "# Databases: psql, into an empty cluster of PostgreSQL; PGHOST, PGPORT and PGUSER (a superuser)",
                "# say which. Roles that are there already are reported, and kept.",
            ]
        }
        if parts.contains(where: { $0.source.kind == "mariadb" }) {
            lines += [
                "# Databases: the client mariadb, into a server without them and without their accounts, which",
                "# allows local_infile. MARIADB is the command with what says which server:",
                "#   MARIADB=\"mariadb --defaults-extra-file=/root/target.cnf\"",
            ]
        }
        return lines
    }

    /// A shell knows of a pipe only how its last command ended; the others leave a file.
    private static let check = "test ! -e \"$TO/FAILED\""

    private var streamFunction: String {
        let read = isEncrypted ? "age -d -i \"$KEY\" \"$f\"" : "cat \"$f\""
        return """
            # A part of a pipe that fails leaves the file FAILED.
            rm -f "$TO/FAILED"
            stream() { find "$1" -type f | LC_ALL=C sort -V | while IFS= read -r f; do
              \(read) || { echo "$f" > "$TO/FAILED"; exit 1; }; done; }
            decode() { zstd -dc || echo zstd > "$TO/FAILED"; }
            """
    }

    private func file(of part: Part) -> String {
        part.artifact.folder.replacing("/", with: "-") + "." + part.artifact.format
    }

    /// One line of a comment: whatever a name holds, it cannot become a command.
    private func comment(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "?"
                    default: scalar
                    }
                }))
    }
}

extension String {
    /// All occurrences of one character replaced.
    fileprivate func replacing(_ character: Character, with other: Character) -> String {
        String(map { $0 == character ? other : $0 })
    }
}
