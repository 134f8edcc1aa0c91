import Basics
import Guests
import Plans

/// Where guests become files: the settings that the targets `directory` and `libvirt` share.
struct ImageTarget: Sendable {
    let path: String
    let format: RestoredDisk.Format
    let existing: TargetPlan.Existing
    /// Whether each machine also becomes an appliance of one file.
    let makesAppliances: Bool
    /// Whether domains ask for KVM; without it QEMU emulates, which is slow.
    let usesKVM: Bool
    /// The code of OVMF at the target, for machines with UEFI.
    let loader: String
    let mapping: GuestMapping
    /// The libvirt that domains are defined in, such as `qemu:///system`.
    let connection: String?
    let isLibvirt: Bool

    static let directoryShape = PlanShape(required: ["path"], optional: ["format", "ova"])
    static let libvirtShape = PlanShape(
        required: ["path"], optional: ["format", "connection", "kvm", "loader"])

    init(_ target: TargetPlan, isLibvirt: Bool, _ problems: PlanProblems) {
        let settings = target.settings.mapping(
            isLibvirt ? Self.libvirtShape : Self.directoryShape, problems)
        path = settings?.path("path").map(Self.absolute) ?? ""
        format = settings?.choice("format", RestoredDisk.Format.self) ?? .qcow2
        existing = target.existing
        self.isLibvirt = isLibvirt
        mapping = MapPlan.read(target.map, problems)
        makesAppliances = isLibvirt ? false : settings?.flag("ova") ?? false
        usesKVM = isLibvirt ? settings?.flag("kvm") ?? true : true
        loader = (isLibvirt ? settings?.string("loader") : nil) ?? LibvirtDomain.standardLoader
        connection = isLibvirt ? settings?.string("connection") : nil
        if existing == .replace {
            problems.add(
                .planInvalidValue, "images of disks are never replaced: use refuse or add",
                atKeyOf: target.settings)
        }
        if let node = settings?["format"], isLibvirt, format == .vmdk {
            problems.add(
                .planInvalidValue, "QEMU cannot run such a vmdk: use qcow2 or raw", at: node)
        }
        if makesAppliances, format != .vmdk, let node = isLibvirt ? nil : settings?["ova"] {
            problems.add(
                .planInvalidValue, "an appliance holds disks as vmdk: say \"format: vmdk\"",
                at: node)
        }
    }

    /// Hypervisors take relative names for something else.
    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : Files.absolute(".") + "/" + path
    }
}
