import Basics

/// What is mounted at boot, and what is mounted now.
enum MountFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try document.source("fstab") { (items) throws(Failure) in
            guard let text = try machine.text("/etc/fstab") else { return false }
            fstab(text, &items)
            return true
        }
        try document.source("crypttab") { (items) throws(Failure) in
            guard let text = try machine.text("/etc/crypttab") else { return false }
            for line in Text.statements(text) {
                let words = Text.words(line)
                guard words.count >= 2 else { continue }
                items.add(
                    words[0],
                    [
                        "device": .string(words[1]),
                        "key-file": .string(words.count > 2 ? words[2] : "none"),
                        "options": options(words.count > 3 ? words[3] : ""),
                    ])
            }
            return true
        }
        try document.liveSource("current", machine) { (items) throws(Failure) in
            guard let bytes = try machine.kernelText("/proc/self/mountinfo") else { return false }
            mounts(machine.redacted(bytes, of: "/proc/self/mountinfo"), &items)
            return true
        }
        try document.liveSource("swap", machine) { (items) throws(Failure) in
            guard let bytes = try machine.kernelText("/proc/swaps") else { return false }
            for line in Text.lines(String(decoding: bytes, as: UTF8.self)).dropFirst() {
                let words = Text.words(line)
                guard words.count >= 3 else { continue }
                items.add(
                    unescaped(words[0]),
                    ["kibibytes": .string(words[2]), "type": .string(words[1])])
            }
            return true
        }
    }

    static func fstab(_ text: String, _ items: inout FactItems) {
        for line in Text.statements(text) {
            let words = Text.words(line).map(unescaped)
            guard words.count >= 3 else { continue }
            let isPlace = words[1].hasPrefix("/")
            items.add(
                isPlace ? words[1] : "\(words[2]) \(words[0])",
                [
                    "device": .string(words[0]), "dump": .string(words.count > 4 ? words[4] : "0"),
                    "options": options(words.count > 3 ? words[3] : "defaults"),
                    "pass": .string(words.count > 5 ? words[5] : "0"), "type": .string(words[2]),
                ])
        }
    }

    /// Lines of /proc/self/mountinfo, proc_pid_mountinfo(5): without the kernel's own file systems, the
    /// numbers of mounts and devices, and what container engines and sessions mount and unmount.
    static func mounts(_ text: String, _ items: inout FactItems) {
        for line in Text.lines(text) {
            let words = Text.words(line)
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count >= dash + 4 else {
                continue
            }
            let place = unescaped(words[4])
            let type = words[dash + 1]
            guard !kernelTypes.contains(type),
                !passing.contains(where: { place.hasPrefix($0) })
            else { continue }
            let all = (words[5] + "," + words[dash + 3]).split(separator: ",").map(String.init)
            let kept = Set(all).filter { option in
                !layers.contains { option.hasPrefix($0) }
            }
            var members: [JSON.Member] = [
                .init("device", .string(unescaped(words[dash + 2]))),
                .init("options", .strings(kept.sorted())), .init("type", .string(type)),
            ]
            if words[3] != "/" { members.append(.init("subtree", .string(unescaped(words[3])))) }
            items.add(place, .object(members))
        }
    }

    private static let kernelTypes: Set<String> = [
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts",
        "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore",
        "rpc_pipefs", "securityfs", "sysfs", "tracefs", "selinuxfs", "fuse.gvfsd-fuse",
        "fuse.portal", "fuse.lxcfs",
    ]
    private static let passing = [
        "/run/user/", "/var/lib/docker/", "/var/lib/containers/", "/run/docker/", "/run/netns/",
        "/run/credentials/", "/proc/", "/sys/", "/snap/",
    ]
    /// Options of overlays that name directories of one start of a container.
    private static let layers = ["lowerdir=", "lowerdir+=", "upperdir=", "workdir="]

    private static func options(_ text: String) -> JSON {
        .strings(text.split(separator: ",").map(String.init).sorted())
    }

    /// The kernel and fstab write blanks as `\040`.
    static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        let source = Array(text.utf8)
        var place = 0
        while place < source.count {
            if source[place] == 0x5c, place + 3 < source.count,
                let value = UInt8(
                    String(decoding: source[place + 1...place + 3], as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                place += 4
            } else {
                bytes.append(source[place])
                place += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
