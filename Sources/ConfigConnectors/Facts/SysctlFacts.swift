import Basics
import Glibc

/// Parameters of the kernel: those that files set, and those that hold now.
enum SysctlFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try document.source("configured") { (items) throws(Failure) in
            var files: [String: String] = [:]
            // The same name in an earlier directory hides the later one: sysctl.d(5).
            for directory in ["/usr/lib", "/lib", "/usr/local/lib", "/etc"] {
                for name in try machine.names("\(directory)/sysctl.d", ending: ".conf") {
                    files[name] = "\(directory)/sysctl.d/\(name)"
                }
            }
            var order = files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map(\.value)
            order.append("/etc/sysctl.conf")
            var values: [String: String] = [:]
            var isThere = false
            for path in order {
                guard let text = try machine.text(path) else { continue }
                isThere = true
                for (key, value) in assignments(text) { values[key] = value }
            }
            for (key, value) in values { items.add(key, .string(value)) }
            return isThere
        }
        try document.liveSource("current", machine) { (items) throws(Failure) in
            guard try machine.exists("/proc/sys") else { return false }
            try walk("/proc/sys", "", machine, &items)
            return true
        }
    }

    /// Lines of `key = value`; a dash in front says that an error does not matter.
    static func assignments(_ text: String) -> [(key: String, value: String)] {
        Text.statements(text, comments: ["#", ";"]).compactMap { line in
            guard let (key, value) = Text.halves(line, at: 0x3d), !key.isEmpty else { return nil }
            let name = key.hasPrefix("-") ? Text.trimmed(key.dropFirst()) : key
            return (name.replacing("/", with: "."), value)
        }
    }

    private static func walk(
        _ directory: String, _ prefix: String, _ machine: Machine, _ items: inout FactItems
    ) throws(Failure) {
        for name in try machine.names(directory) ?? [] {
            let path = "\(directory)/\(name)"
            // Some names have dots in them (interfaces of a VLAN): sysctl writes those as slashes.
            let key = prefix + name.replacing(".", with: "/")
            if try machine.isDirectory(path) {
                try walk(path, key + ".", machine, &items)
            } else if isFact(key) {
                var status = stat()
                guard unsafe stat(path, &status) == 0, status.st_mode & 0o444 != 0,
                    let bytes = try? machine.kernelText(path)
                else { continue }
                let lines = Text.lines(String(decoding: bytes, as: UTF8.self))
                items.add(
                    key,
                    .string(
                        lines.map { Text.words($0).joined(separator: " ") }.joined(separator: "; "))
                )
            }
        }
    }

    /// What counts, measures or is drawn at random says nothing about how the machine is set up; keys
    /// are secrets.
    static func isFact(_ key: String) -> Bool {
        !changing.contains { key == $0 || $0.hasSuffix(".") && key.hasPrefix($0) }
            && !key.hasSuffix(".stable_secret") && !key.hasSuffix("_key")
            && !["veth", "cali", "tap"].contains {
                key.contains(".conf.\($0)") || key.contains(".neigh.\($0)")
            }
    }

    private static let changing = [
        "dev.cdrom.info", "fs.aio-nr", "fs.binfmt_misc.", "fs.dentry-state", "fs.file-nr",
        "fs.inode-nr", "fs.inode-state", "fs.quota.", "fs.xfs.stats_clear", "kernel.cad_pid",
        "kernel.core_modes", "kernel.ns_last_pid", "kernel.pty.nr", "kernel.random.",
        "kernel.hostname", "kernel.domainname", "kernel.osrelease", "kernel.ostype",
        "kernel.version", "kernel.tainted", "kernel.sched_domain.",
        "kernel.perf_event_max_sample_rate",
        "net.netfilter.nf_conntrack_count", "net.ipv4.tcp_available_congestion_control",
        "kernel.keys.gc_delay", "sunrpc.transports", "vm.stat_refresh", "vm.compact_memory",
        "vm.drop_caches", "kernel.seccomp.actions_avail", "kernel.usermodehelper.",
    ]
}
