import Basics

/// A container in plain words, for those who make one by systemd-nspawn, LXC or podman.
public struct ContainerDescription: Sendable, Equatable {
    public let json: JSON

    public init(of guest: GuestConfiguration) throws(Failure) {
        guard guest.kind == .lxc else {
            throw Failure(.unsupported, "a virtual machine cannot be described as a container")
        }
        var members: [JSON.Member] = []
        for key in ["hostname", "arch", "ostype", "nameserver", "searchdomain", "timezone"] {
            if let text = guest[key] { members.append(JSON.Member(key, .string(text))) }
        }
        members.append(JSON.Member("unprivileged", .bool(guest.flag("unprivileged"))))
        for key in ["cores", "memory", "swap"] {
            if let number = guest.integer(key), (0...Int(JSON.largestInteger)).contains(number) {
                members.append(JSON.Member(key, .integer(Int64(number))))
            }
        }
        let mounts = guest.entries.filter { entry in
            let group = GuestKeyFacts.of(entry.key, kind: .lxc)?.class
            return group == .rootDisk || group == .mountPoint
        }
        members.append(
            JSON.Member("mounts", .array(mounts.map { Self.options($0, first: "volume") })))
        members.append(
            JSON.Member(
                "networks",
                .array(guest.numbered("net").map { Self.options($0.entry, first: "name") })))
        let told: Set<GuestKeyClass> = [.rootDisk, .mountPoint, .network, .state, .generated]
        let rest = guest.entries.filter { entry in
            guard let facts = GuestKeyFacts.of(entry.key, kind: .lxc) else { return true }
            return !told.contains(facts.class) && !members.contains { $0.key == entry.key }
        }
        members.append(
            JSON.Member("other", .array(rest.map { .string("\($0.key): \($0.text)") })))
        json = .object(members)
    }

    private static func options(_ entry: GuestConfiguration.Entry, first: String) -> JSON {
        var members = [JSON.Member("key", .string(entry.key))]
        for part in PropertyString(entry.text).parts {
            let name = part.name ?? first
            guard !members.contains(where: { $0.key == name }) else { continue }
            members.append(JSON.Member(name, .string(part.value)))
        }
        return .object(members)
    }
}
