public import Basics
import Glibc
import Synchronization

/// Who owns on the target what somebody owned at the source.
///
/// Applies to owners, groups and the ids in access control lists alike.
public struct OwnerMapping: Sendable {
    public enum Policy: String, Sendable {
        /// The same numbers.
        case numeric
        /// The id that the target knows under the source's name; the number where it knows none.
        case names
    }

    public let policy: Policy
    /// Ids by name or decimal id of the source, given explicitly; they win over the policy.
    private let users: [[UInt8]: UInt32]
    private let groups: [[UInt8]: UInt32]
    /// The names that the source had for ids: access control lists hold numbers only.
    private var userNames: [UInt32: [UInt8]] = [:]
    private var groupNames: [UInt32: [UInt8]] = [:]
    private let lookup = AccountLookup()

    /// - Parameters:
    ///   - users: from names or decimal ids of the source to names or decimal ids of the target.
    ///
    /// Throws `.invalidValue` for a name that the target does not know.
    public init(
        _ policy: Policy, users: [String: String] = [:], groups: [String: String] = [:]
    ) throws(Failure) {
        self.policy = policy
        self.users = try Self.resolve(users, "user") { [lookup] in lookup.user($0) }
        self.groups = try Self.resolve(groups, "group") { [lookup] in lookup.group($0) }
    }

    /// Adds what the index tells of the source's names.
    public mutating func learn(from summary: IndexSummary) {
        userNames = summary.users
        groupNames = summary.groups
    }

    /// How many owners and groups of the target stand for several of the source, by what was given
    /// explicitly.
    public var merged: Int {
        Self.merged(users, userNames) + Self.merged(groups, groupNames)
    }

    private static func merged(_ ids: [[UInt8]: UInt32], _ names: [UInt32: [UInt8]]) -> Int {
        var sources: [UInt32: Set<[UInt8]>] = [:]
        for (source, target) in ids {
            // One owner may be given by number and by name.
            let number = UInt32(String(decoding: source, as: UTF8.self))
            sources[target, default: []].insert(number.flatMap { names[$0] } ?? source)
        }
        return sources.values.filter { $0.count > 1 }.count
    }

    /// Whether ids arrive as they left.
    public var isIdentity: Bool { policy == .numeric && users.isEmpty && groups.isEmpty }

    /// The owner on the target. `name` is empty when the source knew none.
    public func user(_ id: UInt32, name: [UInt8]) -> UInt32 {
        if !users.isEmpty {
            if !name.isEmpty, let mapped = users[name] { return mapped }
            if let mapped = users[Array(String(id).utf8)] { return mapped }
        }
        if policy == .names, !name.isEmpty, let found = lookup.user(name) { return found }
        return id
    }

    public func group(_ id: UInt32, name: [UInt8]) -> UInt32 {
        if !groups.isEmpty {
            if !name.isEmpty, let mapped = groups[name] { return mapped }
            if let mapped = groups[Array(String(id).utf8)] { return mapped }
        }
        if policy == .names, !name.isEmpty, let found = lookup.group(name) { return found }
        return id
    }

    /// The list with its ids mapped, each kind of item in the order of its new ids.
    public func list(_ list: AccessControlList) -> AccessControlList {
        if isIdentity { return list }
        var items = list.items
        for index in items.indices {
            let id = items[index].id
            switch items[index].tag {
            case .user: items[index].id = user(id, name: userNames[id] ?? [])
            case .group: items[index].id = group(id, name: groupNames[id] ?? [])
            default: break
            }
        }
        items.sort { ($0.tag.rawValue, $0.id) < ($1.tag.rawValue, $1.id) }
        return AccessControlList(items: items)
    }

    /// The entry as it is to be on the target.
    public func applied(to entry: Entry) -> Entry {
        var mapped = entry
        mapped.uid = user(entry.uid, name: entry.owner)
        mapped.gid = group(entry.gid, name: entry.group)
        mapped.accessACL = entry.accessACL.map { list($0) }
        mapped.defaultACL = entry.defaultACL.map { list($0) }
        return mapped
    }

    private static func resolve(
        _ renames: [String: String], _ kind: String, _ find: ([UInt8]) -> UInt32?
    ) throws(Failure) -> [[UInt8]: UInt32] {
        var ids: [[UInt8]: UInt32] = [:]
        for (old, new) in renames {
            guard let id = UInt32(new) ?? find(Array(new.utf8)) else {
                throw Failure(
                    .invalidValue, "this system knows no \(kind) \"\(new)\"",
                    hint: "Create it, or correct the map of owners in the plan.")
            }
            ids[Array(old.utf8)] = id
        }
        return ids
    }
}

/// Ids by name, remembered; safe to share between lanes.
private final class AccountLookup: Sendable {
    private let users = Mutex<[[UInt8]: UInt32?]>([:])
    private let groups = Mutex<[[UInt8]: UInt32?]>([:])

    /// Stands on `getpwnam_r`.
    func user(_ name: [UInt8]) -> UInt32? {
        users.withLock { known in
            if let id = known[name] { return id }
            let id = unsafe Self.find(name) { (name, buffer, size) in
                var record = unsafe passwd()
                var found: UnsafeMutablePointer<passwd>?
                let status = unsafe getpwnam_r(name, &record, buffer, size, &found)
                return (status, unsafe found?.pointee.pw_uid)
            }
            Self.remember(id, for: name, in: &known)
            return id
        }
    }

    /// Stands on `getgrnam_r`.
    func group(_ name: [UInt8]) -> UInt32? {
        groups.withLock { known in
            if let id = known[name] { return id }
            let id = unsafe Self.find(name) { (name, buffer, size) in
                var record = unsafe Glibc.group()
                var found: UnsafeMutablePointer<Glibc.group>?
                let status = unsafe getgrnam_r(name, &record, buffer, size, &found)
                return unsafe (status, found?.pointee.gr_gid)
            }
            Self.remember(id, for: name, in: &known)
            return id
        }
    }

    private static func remember(
        _ id: UInt32?, for name: [UInt8], in known: inout [[UInt8]: UInt32?]
    ) {
        if known.count >= 65_536 { known.removeAll() }
        known.updateValue(id, forKey: name)
    }

    private static func find(
        _ name: [UInt8],
        _ query: (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int) -> (Int32, UInt32?)
    ) -> UInt32? {
        let text = name.map { CChar(bitPattern: $0) } + [0]
        var size = 4096
        while size <= 1 << 24 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { unsafe buffer.deallocate() }
            let (status, id) = unsafe query(text, buffer, size)
            if status != ERANGE { return status == 0 ? id : nil }
            size *= 4
        }
        return nil
    }
}
