import Basics
import Connectors
import Guests
import Manifests

/// What `exeat plan` tells of a cluster: rights, versions, room, and what stays behind.
struct ClusterSurvey {
    private let inventory: ClusterInventory

    init(_ inventory: ClusterInventory) { self.inventory = inventory }

    func make() throws(Failure) -> Survey {
        var plan = try inventory.plan()
        plan.findings += versionFindings
        let needed = NeededPrivileges(
            inventory.settings, inventory.transport, plan.guests, inventory.reader.version)
        let check = try PrivilegeCheck(
            needed.all, inventory.reader.version, inventory.reader.client)
        if !check.missing.isEmpty {
            let failure = needed.failure(check)
            plan.findings.append(
                Finding("rights", .decision, failure.what, decision: failure.hint))
        }
        plan.findings += try storageFindings(plan.guests)
        return plan.survey
    }

    private var versionFindings: [Finding] {
        let version = inventory.reader.version
        var findings: [Finding] = []
        if !version.isKnown {
            findings.append(
                Finding(
                    "version", .warning,
                    "Proxmox VE \(version) is none of those this release was made for (7.4, 8, 9)"))
        }
        if inventory.settings.fleecing != nil, !version.has(.fleecing) {
            findings.append(
                Finding(
                    "fleecing", .warning,
                    "Proxmox VE \(version) knows no fleecing: guests write at the speed of the "
                        + "backup's target meanwhile"))
        }
        if !version.has(.importOfDisks) {
            findings.append(
                Finding(
                    "import-limits", .note,
                    "Proxmox VE \(version) takes no disk by an API token: a way back to it needs "
                        + "\"disks: native\" or \"both\", and a storage that both sides reach"))
        }
        return findings
    }

    /// The storage that backups are written to, seen from each node with guests of the plan.
    private func storageFindings(_ guests: [PlannedGuest]) throws(Failure) -> [Finding] {
        guard let name = inventory.transport?.storage else { return [] }
        var findings: [Finding] = []
        for node in Set(guests.map(\.node)).sorted() {
            let storage: StorageFacts
            do throws(Failure) { storage = try inventory.reader.storage(name, on: node) } catch {
                if error.code == .cancelled || error.code == .serverUnreachable { throw error }
                let reason = error.cause?.what ?? error.what
                findings.append(
                    Finding(
                        "storage", .decision, "node \(node) has no storage \(name): \(reason)",
                        decision: "Name another storage in the transport."))
                continue
            }
            if storage.keepsNoFiles {
                findings.append(
                    Finding(
                        "storage-type", .decision,
                        "storage \(name) is a Proxmox Backup Server, which keeps no files of vzdump",
                        decision: "Name a storage of files (dir, nfs, cifs) in the transport."))
            }
            if !storage.content.isEmpty, !storage.content.contains("backup") {
                findings.append(
                    Finding(
                        "storage-content", .decision, "storage \(name) takes no backups",
                        decision: "Allow the content \"backup\", or name another storage."))
            }
            if !storage.isActive {
                findings.append(
                    Finding(
                        "storage-inactive", .decision,
                        "storage \(name) is not active on node \(node)",
                        decision: "Mount it, or name another storage."))
            }
            // Two guests of a node can lie there at once: the one that is read, and the next.
            let largest = guests.filter { $0.node == node }.map(\.declaredBytes).sorted().suffix(2)
                .reduce(0, +)
            if let free = storage.free, free < largest {
                findings.append(
                    Finding(
                        "storage-room", .warning,
                        "storage \(name) has \(free >> 20) MiB left on node \(node), and two of its "
                            + "guests have \(largest >> 20) MiB before compression"))
            }
            if !storage.keepsAll {
                findings.append(
                    Finding(
                        "storage-retention", .warning,
                        "storage \(name) limits how many backups it keeps: where the limit is "
                            + "reached, Proxmox VE refuses a further one",
                        decision: "Use a storage of its own with keep-all=1."))
            }
        }
        return findings
    }
}

extension GuestPlan {
    var survey: Survey {
        var findings = findings
        let omissions = omissions.summary
        for count in omissions.counts where !count.accepted {
            findings.append(
                Finding(
                    count.reason, .decision, "\(count.count) × \(count.reason) would be left out",
                    decision: "Change it on the cluster, or accept it: accept: [\(count.reason)]."))
        }
        return Survey(
            bytes: guests.reduce(0) { $0 + $1.bytes }, counts: guests.counts,
            parts: guests.sorted { $0.id < $1.id }.map { guest in
                Survey.Part(
                    name: guest.title + (guest.node.isEmpty ? "" : " on \(guest.node)"),
                    bytes: guest.bytes, pieces: guest.disks.map { ($0.key, $0.bytes) })
            }, findings: findings, omissions: omissions)
    }
}
