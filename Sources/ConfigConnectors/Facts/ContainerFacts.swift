import Basics

/// Containers as their engines keep them: what was asked for when they were made, without what a run of them adds.
enum ContainerFacts {
    static func read(_ machine: Machine, into document: inout FactDocument) throws(Failure) {
        try document.source("docker") { (items) throws(Failure) in
            try docker("/var/lib/docker/containers", machine) { items.add($0, $1) }
        }
        try document.source("podman") { (items) throws(Failure) in
            try podman("/var/lib/containers/storage", machine) { items.add($0, $1) }
        }
        // What users run without being root.
        try document.source("rootless") { (items) throws(Failure) in
            var isThere = false
            for user in try machine.names("/home") ?? [] {
                let share = "/home/\(user)/.local/share"
                if try docker(
                    "\(share)/docker/containers", machine, { items.add("\(user)/docker/\($0)", $1) }
                ) {
                    isThere = true
                }
                if try podman(
                    "\(share)/containers/storage", machine,
                    { items.add("\(user)/podman/\($0)", $1) })
                {
                    isThere = true
                }
            }
            return isThere
        }
        try document.source("incus") { (items) throws(Failure) in
            var isThere = false
            for pools in [
                "/var/lib/incus/storage-pools", "/var/lib/lxd/storage-pools",
                "/var/snap/lxd/common/lxd/storage-pools",
            ] {
                for pool in try machine.names(pools) ?? [] {
                    for kind in ["containers", "virtual-machines"] {
                        for name in try machine.names("\(pools)/\(pool)/\(kind)") ?? [] {
                            let path = "\(pools)/\(pool)/\(kind)/\(name)/backup.yaml"
                            guard let text = try machine.text(path) else { continue }
                            isThere = true
                            items.add(path, GuestFacts.definition(text))
                        }
                    }
                }
            }
            return isThere
        }
    }

    private static func docker(
        _ store: String, _ machine: Machine, _ add: (String, JSON) -> Void
    ) throws(Failure) -> Bool {
        guard let names = try machine.names(store) else { return false }
        for name in names {
            guard let config = try machine.text("\(store)/\(name)/config.v2.json") else { continue }
            let host = try machine.text("\(store)/\(name)/hostconfig.json") ?? "{}"
            let (id, facts) = try docker(config: config, host: host)
            add(id.isEmpty ? name : id, facts)
        }
        return true
    }

    /// Each driver of podman's storage has a directory of its own: `overlay-containers`, `vfs-containers`.
    private static func podman(
        _ storage: String, _ machine: Machine, _ add: (String, JSON) -> Void
    ) throws(Failure) -> Bool {
        var isThere = false
        for driver in try machine.names(storage, ending: "-containers") {
            let directory = "\(storage)/\(driver)"
            guard let text = try machine.text("\(directory)/containers.json") else { continue }
            isThere = true
            for container in try JSON(parsingForeign: Array(text.utf8)).array ?? [] {
                let id = container["id"]?.string ?? ""
                let run = try machine.text("\(directory)/\(id)/userdata/config.json")
                let (name, facts) = try podman(container, run: run)
                add(name, facts)
            }
        }
        return isThere
    }

    /// What of a container's state files makes it what it is; numbers and times of its runs stay out.
    static func docker(config: String, host: String) throws(Failure) -> (String, JSON) {
        let config = try JSON(parsingForeign: Array(config.utf8))
        let host = try JSON(parsingForeign: Array(host.utf8))
        var members = members(
            of: config["Config"],
            [
                "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Image", "Labels",
                "StopSignal", "User", "Volumes", "WorkingDir",
            ])
        members += self.members(
            of: host,
            [
                "AutoRemove", "Binds", "CapAdd", "CapDrop", "CpusetCpus", "DeviceRequests",
                "Devices",
                "Dns", "ExtraHosts", "GroupAdd", "Init", "IpcMode", "Links", "LogConfig", "Memory",
                "Mounts", "NanoCpus", "NetworkMode", "PidMode", "PidsLimit", "PortBindings",
                "Privileged", "ReadonlyRootfs", "RestartPolicy", "Runtime", "SecurityOpt",
                "ShmSize",
                "Sysctls", "Tmpfs", "Ulimits", "UsernsMode", "VolumesFrom",
            ])
        if let networks = config["NetworkSettings"]?["Networks"]?.members {
            members.append(.init("Networks", .strings(networks.map(\.key).sorted())))
        }
        let name = (config["Name"]?.string ?? "").drop { $0 == "/" }
        return (String(name), .object(members))
    }

    /// Name and image of a container, and of one that has been started how it is run (the OCI runtime specification).
    static func podman(_ container: JSON, run: String?) throws(Failure) -> (String, JSON) {
        let names = (container["names"]?.array ?? []).compactMap(\.string)
        var members: [JSON.Member] = [
            .init("image", container["image"] ?? .null), .init("names", .strings(names.sorted())),
        ]
        if let metadata = container["metadata"]?.string,
            let image = try JSON(parsingForeign: Array(metadata.utf8))["image-name"]?.string,
            !image.isEmpty
        {
            members.append(.init("image-name", .string(image)))
        }
        if let run {
            let run = try JSON(parsingForeign: Array(run.utf8))
            let process = run["process"]
            members += self.members(of: process, ["args", "cwd", "env", "user"])
            if let capabilities = process?["capabilities"]?["bounding"] {
                members.append(.init("capabilities", capabilities))
            }
            members += self.members(of: run, ["mounts", "root"])
        }
        return (names.first ?? container["id"]?.string ?? "", .object(members))
    }

    private static func members(of json: JSON?, _ keys: [String]) -> [JSON.Member] {
        keys.compactMap { key in
            guard let value = json?[key], value != .null else { return nil }
            return JSON.Member(key, value)
        }
    }
}
