import Basics

/// Definitions of virtual machines and containers that the machine has.
enum GuestFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try definitions(
            "libvirt",
            ["qemu", "qemu/networks", "lxc", "libxl", "storage", "nwfilter"].map {
                "/etc/libvirt/\($0)"
            }, [".xml"], machine, &document)
        try definitions(
            "proxmox", ["/etc/pve/qemu-server", "/etc/pve/lxc"], [".conf"], machine, &document)
        try definitions("nspawn", ["/etc/systemd/nspawn"], [".nspawn"], machine, &document)
        try definitions(
            "kubernetes", ["/etc/kubernetes/manifests", "/var/lib/rancher/k3s/server/manifests"],
            [".yaml", ".yml", ".json"], machine,
            &document)
        try definitions(
            "quadlet", ["/etc/containers/systemd", "/usr/share/containers/systemd"],
            [".container", ".volume", ".network", ".pod", ".kube", ".image", ".build"], machine,
            &document)
        try document.source("lxc") { (items) throws(Failure) in
            guard let names = try machine.names("/var/lib/lxc") else { return false }
            for name in names {
                let path = "/var/lib/lxc/\(name)/config"
                if let text = try machine.text(path) { items.add(path, definition(text)) }
            }
            return true
        }
        try ContainerFacts.read(machine, into: &document)
        try document.source("compose") { (items) throws(Failure) in
            let wanted: Set<String> = [
                "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml",
            ]
            var isThere = false
            let places = Set(machine.paths + ["/etc", "/opt", "/srv"]).sorted()
            try FileWalk.directories(places, depth: 4, machine, passesClosed: false) {
                (directory, names) throws(Failure) in
                for name in names where wanted.contains(name) {
                    let path = "\(directory)/\(name)"
                    guard let text = try machine.text(path) else { continue }
                    isThere = true
                    items.add(path, definition(text))
                }
                return true
            }
            return isThere
        }
    }

    /// Whole files of directories.
    private static func definitions(
        _ source: String, _ directories: [String], _ suffixes: [String], _ machine: Machine,
        _ document: inout FactDocument
    ) throws(Failure) {
        try document.source(source) { (items) throws(Failure) in
            var isThere = false
            for directory in directories {
                for name in try machine.names(directory) ?? [] {
                    guard suffixes.contains(where: { name.hasSuffix($0) }),
                        let text = try machine.text("\(directory)/\(name)")
                    else { continue }
                    isThere = true
                    items.add("\(directory)/\(name)", definition(text))
                }
            }
            return isThere
        }
    }

    /// A text by its lines, so that a difference is seen where it is.
    static func definition(_ text: String) -> JSON {
        [
            "lines": .strings(
                text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
                    .map { String(Substring($0)) })
        ]
    }
}
