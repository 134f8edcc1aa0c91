import ArgumentParser
import Basics
import Glibc
import Runs
import Synchronization

/// Where the passphrase of encrypted key files comes from: a file, the environment, or a question on
/// the terminal.
struct PassphraseOptions: ParsableArguments {
    @Option(
        name: .customLong("passphrase-file"),
        help: ArgumentHelp(
            "A file with the passphrase of identity files that are encrypted.",
            discussion:
                "Without it the variable EXEAT_PASSPHRASE is used, or the passphrase is asked for.")
    )
    var file: String?

    func keys(_ files: [String]) throws(Failure) -> ArchiveKeys {
        try ArchiveKeys(files: files) { (path) throws(Failure) in try passphrase(for: path) }
    }

    private func passphrase(for path: String) throws(Failure) -> Secret {
        if let file {
            var text = try Files.readText(file)
            if text.hasSuffix("\n") { text.removeLast() }
            return Secret(text)
        }
        if let value = unsafe getenv("EXEAT_PASSPHRASE") {
            return Secret(unsafe String(cString: value))
        }
        guard let answer = try Question.ask("passphrase for \"\(path)\": ") else {
            throw Failure(
                .ageNoMatch, "the key file \"\(path)\" is encrypted with a passphrase",
                hint:
                    "Give it with --passphrase-file FILE or in EXEAT_PASSPHRASE; there is no terminal "
                    + "to ask on.")
        }
        return answer
    }
}

/// The keys that open an archive.
struct KeyOptions: ParsableArguments {
    @Option(
        name: .customLong("decrypt-with"),
        help: "A file with age identities, encrypted with a passphrase or not. Repeatable.")
    var files: [String] = []

    @OptionGroup var passphrase: PassphraseOptions

    func read() throws(Failure) -> ArchiveKeys { try passphrase.keys(files) }
}

/// A question on the terminal whose answer is not shown.
private enum Question {
    /// Signal handlers may only touch atomics.
    private static let interruptions = Atomic<Int>(0)

    /// nil where there is no terminal.
    static func ask(_ question: String) throws(Failure) -> Secret? {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return nil }
        defer { close(terminal) }
        var before = termios()
        guard unsafe tcgetattr(terminal, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        silent.c_lflag |= tcflag_t(ECHONL | ICANON)
        // Ctrl-C gives the terminal back as it was, and ends the command.
        let note: @convention(c) (Int32) -> Void = { _ in
            Question.interruptions.add(1, ordering: .relaxed)
        }
        let former = [SIGINT, SIGTERM].map { ($0, signal($0, note)) }
        defer { for (number, handler) in former { signal(number, handler) } }
        unsafe tcsetattr(terminal, TCSAFLUSH, &silent)
        defer { unsafe tcsetattr(terminal, TCSAFLUSH, &before) }
        let shown = Array(Terminal.harmless(question).utf8)
        _ = unsafe write(terminal, shown, shown.count)
        return try answer(terminal)
    }

    private static func answer(_ terminal: Int32) throws(Failure) -> Secret {
        var line: [UInt8] = []
        while line.count < 4096 {
            var byte: UInt8 = 0
            var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&waiting, 1, 100)
            if interruptions.load(ordering: .relaxed) > 0 {
                throw Failure(.cancelled, "interrupted while asking for a passphrase")
            }
            if ready <= 0 { continue }
            let count = unsafe read(terminal, &byte, 1)
            if count <= 0 || byte == 0x0a { break }
            line.append(byte)
        }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Failure(.ageKeyInvalid, "the passphrase is not UTF-8")
        }
        return Secret(text)
    }
}
