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
            "kubernetes", ["/etc/kubernetes/manifests"], [".yaml", ".yml", ".json"], machine,
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
        try document.source("docker") { (items) throws(Failure) in
            guard let names = try machine.names("/var/lib/docker/containers") else { return false }
            for name in names {
                let directory = "/var/lib/docker/containers/\(name)"
                guard let config = try machine.text("\(directory)/config.v2.json") else { continue }
                let host = try machine.text("\(directory)/hostconfig.json") ?? "{}"
                let (id, facts) = try docker(config: config, host: host)
                items.add(id.isEmpty ? name : id, facts)
            }
            return true
        }
        try document.source("podman") { (items) throws(Failure) in
            let path = "/var/lib/containers/storage/overlay-containers/containers.json"
            guard let text = try machine.text(path) else { return false }
            for container in try JSON(parsingForeign: Array(text.utf8)).array ?? [] {
                let names = (container["names"]?.array ?? []).compactMap(\.string)
                items.add(
                    names.first ?? container["id"]?.string ?? "",
                    [
                        "image": container["image"] ?? .null,
                        "names": .strings(names.sorted()),
                    ])
            }
            return true
        }
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

    /// What of a container's state files makes it what it is; numbers and times of its runs stay out.
    static func docker(config: String, host: String) throws(Failure) -> (String, JSON) {
        let config = try JSON(parsingForeign: Array(config.utf8))
        let host = try JSON(parsingForeign: Array(host.utf8))
        let inner = config["Config"]
        var members: [JSON.Member] = []
        for key in [
            "Cmd", "Entrypoint", "Env", "ExposedPorts", "Image", "Labels", "User", "Volumes",
            "WorkingDir",
        ] {
            if let value = inner?[key], value != .null { members.append(.init(key, value)) }
        }
        for key in [
            "Binds", "CapAdd", "CapDrop", "Devices", "Mounts", "NetworkMode", "PortBindings",
            "Privileged", "RestartPolicy", "SecurityOpt",
        ] {
            if let value = host[key], value != .null { members.append(.init(key, value)) }
        }
        let name = (config["Name"]?.string ?? "").drop { $0 == "/" }
        return (String(name), .object(members))
    }
}
