import Basics
import Connectors
import Guests
import Manifests
import Streams

/// What was found out about guests before an export, for the inventory and for `exeat plan`.
struct GuestPlan {
    var guests: [PlannedGuest] = []
    var omissions: OmissionList<ProxmoxOmission>
    var findings: [Finding] = []
    private let settings: ProxmoxSettings
    private let keepsSecrets: Bool

    init(_ settings: ProxmoxSettings, isEncrypted: Bool) throws(Failure) {
        self.settings = settings
        omissions = OmissionList(accepted: settings.accepted)
        keepsSecrets = settings.keepsSecrets(isEncrypted: isEncrypted)
        guard !keepsSecrets || isEncrypted else {
            throw Failure(
                .planInvalidValue, "secrets may be sealed in an encrypted archive only",
                hint: "Give recipients in archive.encrypt-to, or say \"secrets: omit\".")
        }
        guard keepsSecrets || settings.clusterFiles == nil else {
            throw Failure(
                .planInvalidValue,
                "files of the nodes hold private keys and passwords, and the plan keeps no secrets",
                hint: "Give recipients in archive.encrypt-to, or leave \"cluster-files\" out.")
        }
        guard keepsSecrets || settings.disks == .portable else {
            throw Failure(
                .planInvalidValue,
                "the stream of vzdump holds passwords and firmware secrets as they are, and the plan "
                    + "keeps no secrets",
                hint: "Give recipients in archive.encrypt-to and leave \"secrets: omit\" out, or "
                    + "say \"disks: portable\".")
        }
    }

    /// Whether the plan wants a guest; what it excludes is noted with its reason.
    mutating func wants(_ guest: GuestEntry) -> Bool {
        guard settings.guests.isEmpty || settings.guests.contains(where: { $0.matches(guest) })
        else { return false }
        if let exclusion = settings.excludedGuests.first(where: { $0.selector.matches(guest) }) {
            omissions.addExcluded(guest.title, reason: exclusion.reason)
            return false
        }
        return true
    }

    /// Adds a guest by its configuration, with all that its backup will not carry.
    ///
    /// - Parameter devices: what the backup has, where it is there already, by device.
    mutating func add(
        _ guest: GuestEntry, _ configuration: GuestConfiguration, devices: [String: Int64]? = nil
    ) {
        let content = BackupContent(of: configuration)
        for left in content.left {
            if left.isLoss {
                omissions.add(ProxmoxOmission(left.code), "\(guest.id): \(left.what)")
            } else {
                findings.append(
                    Finding(
                        left.code.rawValue, left.code == .locked ? .warning : .note,
                        "\(guest.title): \(left.what)"))
            }
        }
        var disks: [PlannedGuest.PlannedDisk] = []
        var leftOut: [String] = []
        if guest.kind == .machine {
            var carried = content.carried.map {
                (key: $0.key, device: $0.device, bytes: Int64($0.declaredSize ?? 0), $0.isSecret)
            }
            if let devices {
                let known = Set(carried.map(\.device))
                carried = carried.compactMap { disk in
                    devices[disk.device].map { (disk.key, disk.device, $0, disk.3) }
                }
                for (device, bytes) in devices.sorted(by: { $0.key < $1.key })
                where !known.contains(device) {
                    carried.append(
                        (
                            configuration.devices.first { $0.device == device }?.key
                                ?? String(device.drop { $0 != "-" }.dropFirst()), device, bytes,
                            device.hasPrefix("drive-efidisk") || device.hasPrefix("drive-tpmstate")
                        ))
                }
            }
            for (key, device, bytes, isSecret) in carried {
                let name = "\(guest.id)/\(key)"
                if let exclusion = settings.excludedDisks.first(where: { $0.disk == name }) {
                    omissions.addExcluded(name, reason: exclusion.reason)
                    leftOut.append(device)
                } else if isSecret, !keepsSecrets {
                    omissions.add(.secrets, name, covered: settings.secrets == .omit)
                    leftOut.append(device)
                } else {
                    disks.append(.init(key: key, device: device, bytes: bytes))
                }
            }
            if !keepsSecrets {
                for secret in configuration.withoutSecrets().taken {
                    omissions.add(
                        .secrets, "\(guest.id)/\(secret.key)", covered: settings.secrets == .omit)
                }
            }
        }
        guests.append(
            PlannedGuest(
                id: guest.id, kind: guest.kind, name: guest.name, node: guest.node,
                pool: guest.pool,
                disks: disks,
                leftOut: leftOut,
                isPortable: guest.kind == .machine && settings.disks != .native,
                isNative: guest.kind == .container || settings.disks != .portable,
                declaredBytes: guest.used > 0
                    ? guest.used : content.carried.reduce(0) { $0 + Int64($1.declaredSize ?? 0) }))
    }

    /// Selectors of the plan that fit nothing are mistakes.
    func check(among entries: [GuestEntry]) throws(Failure) {
        for selector in settings.guests where !entries.contains(where: { selector.matches($0) }) {
            throw Failure(
                .planInvalidValue, "no guest fits \"\(selector.text)\" of the plan",
                hint: "Correct it, or give the right VM.Audit to see the guest.")
        }
    }
}

extension GuestEntry.Kind {
    var guestKind: GuestKind { self == .machine ? .qemu : .lxc }
}
