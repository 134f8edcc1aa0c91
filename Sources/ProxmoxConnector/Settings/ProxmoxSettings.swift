import Basics
import Plans

/// What a plan says about a source of kind `proxmox`: a cluster that is asked, or backups that it has
/// made before.
struct ProxmoxSettings: Sendable {
    enum Origin: Sendable {
        case cluster(ServerSettings, TransportSettings?)
        /// Files that vzdump wrote.
        case dumps([String])
    }

    /// In which form virtual machines are stored.
    enum Disks: String, Sendable, CaseIterable {
        /// Each disk as a raw image, with descriptions that other hypervisors read.
        case portable
        /// The stream of vzdump as it is.
        case native
        case both
    }

    enum Mode: String, Sendable, CaseIterable { case snapshot, suspend, stop }

    enum Compress: String, Sendable, CaseIterable { case zstd, gzip, lzo, none }

    enum Secrets: String, Sendable, CaseIterable { case omit, sealed }

    let origin: Origin
    let guests: [GuestSelector]
    let disks: Disks
    let mode: Mode
    let compress: Compress
    /// The storage that holds what guests overwrite while they are backed up.
    let fleecing: String?
    let secrets: Secrets?
    /// Whether the configuration of the cluster itself is exported.
    let cluster: Bool
    /// How root's files of the nodes are read, where the plan asks for them.
    let clusterFiles: SSHSettings?
    let excludedGuests: [(selector: GuestSelector, reason: String)]
    /// Disks as `NUMBER/KEY`.
    let excludedDisks: [(disk: String, reason: String)]
    let accepted: Set<ProxmoxOmission>

    static let shape = PlanShape(
        optional: ServerSettings.keys + [
            "guests", "transport", "disks", "mode", "compress", "fleecing", "secrets", "cluster",
            "cluster-files",
            "dumps",
        ])
    static let filesShape = PlanShape(
        required: ["known-hosts"], optional: ["user", "key", "port", "hosts"])
    static let exclusionShape = PlanShape(optional: ["guests", "disks"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        guests = GuestSelector.list("guests", in: settings, problems)
        disks = settings?.choice("disks", Disks.self) ?? .portable
        mode = settings?.choice("mode", Mode.self) ?? .snapshot
        compress = settings?.choice("compress", Compress.self) ?? .zstd
        fleecing = settings?.string("fleecing")
        secrets = settings?.choice("secrets", Secrets.self)
        cluster = settings?.flag("cluster") ?? true
        clusterFiles = settings?.mapping("cluster-files", Self.filesShape)
            .map { SSHSettings($0, problems) }
        if let settings, settings["dumps"] != nil {
            origin = .dumps(settings.paths("dumps") ?? [])
            for key in Self.clusterKeys {
                if let node = settings[key] {
                    problems.add(
                        .planInvalidValue,
                        "\"\(key)\" is for a cluster that is asked, and \"dumps\" are files: give "
                            + "either of them", at: node)
                }
            }
        } else {
            if let settings, settings["url"] == nil {
                problems.add(
                    .planMissingValue,
                    "name the \"url\" of a cluster, or \"dumps\" that vzdump has written",
                    atKeyOf: settings.node)
            }
            let server = ServerSettings(settings, problems)
            let transport = TransportSettings(
                settings?.mapping("transport", TransportSettings.shape), problems)
            origin = .cluster(server, transport)
            if let settings, transport == nil, settings["transport"] == nil, !guests.isEmpty {
                problems.add(
                    .planMissingValue,
                    "\"guests\" need a \"transport\": directory, sftp or ssh",
                    atKeyOf: settings.node)
            }
            if let settings, guests.isEmpty, !cluster {
                problems.add(
                    .planMissingValue,
                    "neither guests nor the cluster's configuration is asked for",
                    atKeyOf: settings.node)
            }
        }
        var excludedGuests: [(GuestSelector, String)] = []
        var excludedDisks: [(String, String)] = []
        for exclusion in source.exclusions {
            let mapping = exclusion.patterns.mapping(Self.exclusionShape, problems)
            excludedGuests += GuestSelector.list("guests", in: mapping, problems)
                .map { ($0, exclusion.reason) }
            for disk in mapping?.strings("disks") ?? [] {
                if Self.isDisk(disk) {
                    excludedDisks.append((disk, exclusion.reason))
                } else if let node = mapping?["disks"] {
                    problems.add(
                        .planInvalidValue,
                        "\"\(disk)\" names no disk: write its guest and key, such as 100/scsi1",
                        at: node)
                }
            }
        }
        self.excludedGuests = excludedGuests
        self.excludedDisks = excludedDisks
        source.checkAccepted(among: ProxmoxOmission.allCases.map(\.rawValue), problems)
        accepted = Set(source.accept.compactMap { ProxmoxOmission(rawValue: $0) })
    }

    /// For backups that only read a target again.
    init(proof server: ServerSettings, _ transport: TransportSettings?) {
        origin = .cluster(server, transport)
        guests = []
        disks = .portable
        mode = .snapshot
        compress = .zstd
        fleecing = nil
        secrets = .sealed
        cluster = false
        clusterFiles = nil
        excludedGuests = []
        excludedDisks = []
        accepted = []
    }

    private static let clusterKeys =
        ServerSettings.keys + [
            "transport", "mode", "compress", "fleecing", "cluster", "cluster-files",
        ]

    private static func isDisk(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number >= 100 else { return false }
        return parts[1].first?.isLetter == true && parts[1].last?.isNumber == true
    }

    /// Secrets stay out of an archive in clear, unless the plan says more.
    func keepsSecrets(isEncrypted: Bool) -> Bool {
        (secrets ?? (isEncrypted ? .sealed : .omit)) == .sealed
    }
}
