import Glibc

/// Access as an ordinary user, for tests that run as root.
public enum Unprivileged {
    private typealias SetFileUser = @convention(c) (UInt32) -> Int32

    /// Runs `body`, which must not suspend, with the file access rights of user 65534 on this
    /// thread (setfsuid(2)); as it is for those who are not root.
    public static func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard geteuid() == 0, let symbol = dlsym(nil, "setfsuid") else { return try body() }
        let setFileUser = unsafeBitCast(symbol, to: SetFileUser.self)
        _ = setFileUser(65534)
        defer { _ = setFileUser(0) }
        return try body()
    }
}
