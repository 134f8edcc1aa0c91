import Basics

/// The files of age that hold one key per line.
enum KeyFile {
    /// Reads each line that is neither blank nor a comment; `kind` is for messages, which never
    /// quote a line, as it may be a secret.
    static func parse<Key>(
        _ text: String, of kind: String, _ read: (String) throws(Failure) -> Key
    ) throws(Failure) -> [Key] {
        var keys: [Key] = []
        var number = 0
        for bytes in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
            number += 1
            let end = bytes.last == 0x0d ? bytes.dropLast() : bytes
            let line = String(decoding: end, as: UTF8.self)
            if line.isEmpty || line.hasPrefix("#") { continue }
            do throws(Failure) { keys.append(try read(line)) } catch {
                throw error.during("cannot use line \(number) of the \(kind) file")
            }
        }
        guard !keys.isEmpty else {
            throw Failure(
                .ageKeyInvalid, "the \(kind) file holds no \(kind)",
                hint: "Make one with `exeat keys new` or `age-keygen`.")
        }
        return keys
    }
}
