import Basics
import Guests
import Plans

/// What an import plan says about a target of kind `proxmox`.
struct ProxmoxTarget: Sendable {
    enum Route: String, Sendable, CaseIterable {
        /// Disks are uploaded and imported; containers from a template.
        case `import`
        /// What vzdump wrote is put where backups lie, and restored.
        case restore
    }

    let server: ServerSettings
    /// Where backups lie: for restoring, and for reading the disks of the target again.
    let transport: TransportSettings?
    /// The storage that uploads go to.
    let uploads: String?
    let route: Route?
    let node: String?
    let mapping: GuestMapping
    let guests: [GuestSelector]
    /// Parts of the cluster's configuration to be made.
    let cluster: [ClusterPart]
    /// Whether the cluster's configuration is changed, or only told what would be.
    let applies: Bool

    static let shape = PlanShape(
        optional: ServerSettings.keys + [
            "transport", "upload-storage", "route", "node", "guests", "cluster", "apply",
        ])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        let settings = target.settings.mapping(Self.shape, problems)
        if let settings, settings["url"] == nil {
            problems.add(
                .planMissingValue, "name the \"url\" of a node of the target",
                atKeyOf: settings.node)
        }
        server = ServerSettings(settings, problems)
        transport = TransportSettings(
            settings?.mapping("transport", TransportSettings.shape), problems)
        if case .ssh = transport, let node = settings?["transport"] {
            problems.add(
                .planInvalidValue, "a target needs a storage: use directory or sftp", at: node)
        }
        uploads = settings?.string("upload-storage")
        route = settings?.choice("route", Route.self)
        node = settings?.string("node")
        mapping = MapPlan.read(target.map, problems)
        guests = GuestSelector.list("guests", in: settings, problems)
        cluster = (settings?["cluster"]?.elements(problems) ?? []).compactMap { element in
            element.choice(of: ClusterPart.allCases.map(\.rawValue), problems)
                .flatMap { ClusterPart(rawValue: $0) }
        }
        applies = settings?.flag("apply") ?? false
        if target.existing != .refuse {
            problems.add(
                .planInvalidValue, "guests are never overwritten: leave \"existing\" out",
                atKeyOf: target.settings)
        }
    }
}

/// A part of a cluster's configuration that can be made through the API.
enum ClusterPart: String, Sendable, CaseIterable {
    case pools, roles, groups, users, acl, storages, firewall, sdn
}
