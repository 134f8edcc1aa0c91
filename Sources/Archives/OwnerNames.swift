import Basics
import Glibc
import Synchronization

/// The names of users and groups, remembered: asking the system for each file would cost more than
/// reading it. Safe to share between lanes; holds at most a few thousand names.
public final class OwnerNames: Sendable {
    private struct Names {
        var users: [UInt32: [UInt8]] = [:]
        var groups: [UInt32: [UInt8]] = [:]
    }

    private let names = Mutex(Names())
    private static let limit = 4096

    public init() {}

    /// The user's name; empty when the system knows none. Stands on `getpwuid_r`.
    ///
    /// Throws when the system could not tell, for instance because a directory service is down.
    public func user(_ id: UInt32) throws(Failure) -> [UInt8] {
        if let name = names.withLock({ $0.users[id] }) { return name }
        let name = try unsafe Self.lookUp("user \(id)") { buffer, size in
            var record = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            let status = unsafe getpwuid_r(id, &record, buffer, size, &found)
            return unsafe (status, found?.pointee.pw_name)
        }
        names.withLock { Self.remember(name, for: id, in: &$0.users) }
        return name
    }

    /// The group's name; empty when the system knows none. Stands on `getgrgid_r`.
    ///
    /// Throws when the system could not tell.
    public func group(_ id: UInt32) throws(Failure) -> [UInt8] {
        if let name = names.withLock({ $0.groups[id] }) { return name }
        let name = try unsafe Self.lookUp("group \(id)") { buffer, size in
            var record = unsafe Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            let status = unsafe getgrgid_r(id, &record, buffer, size, &found)
            return unsafe (status, found?.pointee.gr_name)
        }
        names.withLock { Self.remember(name, for: id, in: &$0.groups) }
        return name
    }

    private static func remember(_ name: [UInt8], for id: UInt32, in names: inout [UInt32: [UInt8]])
    {
        if names.count >= limit { names.removeAll(keepingCapacity: true) }
        names[id] = name
    }

    /// Calls `query` with a buffer that grows until the record fits (ERANGE).
    private static func lookUp(
        _ object: String,
        _ query: (UnsafeMutablePointer<CChar>, Int) -> (Int32, UnsafeMutablePointer<CChar>?)
    ) throws(Failure) -> [UInt8] {
        var size = 4096
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { unsafe buffer.deallocate() }
            let (status, name) = unsafe query(buffer, size)
            switch status {
            case ERANGE where size < 1 << 24: size *= 4
            // Not found, in the different words of name services (getpwnam(3), "errors").
            case 0, ENOENT, ESRCH, EBADF, EPERM:
                guard let name = unsafe name else { return [] }
                return unsafe UnsafeRawBufferPointer(start: name, count: strlen(name)).map { $0 }
            default:
                throw Failure(
                    errno: status, "cannot look up the name of \(object)",
                    hint: "Bring the directory service back, then run the same command again.")
            }
        }
    }
}
