import Basics
import Disks
import Glibc
import Primitives
import Streams

/// `exeat extract` of a backup that Proxmox VE made, without an archive of ours around it.
struct BackupExtract {
    let path: String
    let directory: String
    let json: Bool
    let style: ProgressStyle

    /// Whether a path names such a backup; a directory of that name is an archive.
    static func isMeant(by path: String) -> Bool {
        BackupFile.content(named: path) != nil && Files.kind(Files.absolute(path)) != S_IFDIR
    }

    func run() async throws(Failure) {
        let backup = try BackupFile(opening: path)
        do throws(Failure) {
            switch backup.content {
            case .machine: try await extractMachine(backup)
            case .container: try extractContainer(backup)
            }
        } catch {
            throw error.code == .cancelled ? error : error.during("cannot extract \"\(path)\"")
        }
    }

    private func extractMachine(_ backup: BackupFile) async throws(Failure) {
        let counters = Progress()
        let display = ProgressDisplay(counters, style)
        Interruption.watch(counters)
        display.enter("extracting")
        display.start()
        defer { display.stop() }
        let result = try await MachineExtraction.run(backup, to: directory, progress: counters)
        display.stop()
        let memory = result.header.devices.filter(\.isMemory)
        if json {
            Terminal.print(report(result, without: memory))
        } else {
            for line in Self.table(result) { Terminal.print(line) }
            for device in memory {
                Terminal.say("not extracted: the memory of the guest, \"\(device.name)\"")
            }
        }
    }

    private static func table(_ result: MachineExtraction.Result) -> [String] {
        var rows = [["PATH", "SIZE", "ALLOCATED", "SHA256-TREE-1M"]]
        rows += result.disks.map {
            [$0.path, Terminal.size($0.size), Terminal.size($0.allocated), $0.digest.hex]
        }
        rows += zip(result.configurations, result.header.configurations).map {
            [$0, Terminal.size(Int64($1.bytes.count)), "", ""]
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    private func report(
        _ result: MachineExtraction.Result, without memory: [VMAHeader.Device]
    ) -> JSON {
        let disks: [JSON] = result.disks.map { disk in
            [
                "device": .string(disk.name), "path": .string(disk.path),
                "bytes": .integer(disk.size), "allocated": .integer(disk.allocated),
                "sha256-tree-1m": .string(disk.digest.hex),
            ]
        }
        let configurations: [JSON] = zip(
            result.configurations, result.header.configurations
        ).map { path, configuration in
            [
                "name": .string(configuration.name), "path": .string(path),
                "bytes": .integer(Int64(configuration.bytes.count)),
                "sha256": .string(SHA256.hash(configuration.bytes).hex),
            ]
        }
        return [
            "uuid": .string(result.header.uuidText),
            "created": .string(result.header.created.text),
            "disks": .array(disks), "configurations": .array(configurations),
            "notExtracted": .array(memory.map { .string($0.name) }),
        ]
    }

    private func extractContainer(_ backup: BackupFile) throws(Failure) {
        let container = try ContainerArchive(readingStartOf: backup.open())
        try MachineExtraction.claim(directory)
        var files = [("pct.conf", container.configuration)]
        if let firewall = container.firewall { files.append(("pct.fw", firewall)) }
        for (name, bytes) in files {
            try Files.write(bytes, to: "\(directory)/\(name)", mode: 0o600)
        }
        if json {
            Terminal.print([
                "configurations": .array(
                    files.map { name, bytes in
                        [
                            "name": .string(name), "path": .string("\(directory)/\(name)"),
                            "bytes": .integer(Int64(bytes.count)),
                            "sha256": .string(SHA256.hash(bytes).hex),
                        ]
                    })
            ])
        } else {
            for (name, bytes) in files {
                Terminal.print("\(directory)/\(name)  \(Terminal.size(Int64(bytes.count)))")
            }
            Terminal.say(
                "the files of the container stay in \"\(path)\", which tar reads: "
                    + "tar --xattrs --acls --sparse --numeric-owner -xf …")
        }
    }
}
