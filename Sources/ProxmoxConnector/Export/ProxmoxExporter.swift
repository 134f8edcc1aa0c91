public import Basics
public import Connectors
import Disks
import Manifests
public import Plans
import Primitives
public import Streams
import Synchronization

/// Exports guests of a Proxmox VE cluster, and the configuration of the cluster.
///
/// Each guest has a moment of its own: that of its backup. See docs/connectors/proxmox.md.
public final class ProxmoxExporter: Exporter {
    public static let kind = "proxmox"

    let settings: ProxmoxSettings
    let room: Room
    private let state = Mutex<Taken?>(nil)

    /// What the inventory has fixed, ready to be exported.
    struct Taken: Sendable {
        let list: ExportList
        let artifacts: [ExportList.Artifact]
        let guests: [GuestWork]
    }

    private var listPath: String { room.directory + "/list" }

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        settings = ProxmoxSettings(source, problems)
        try problems.check()
        self.room = room
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = ProxmoxSettings(source, problems)
    }

    // MARK: - Inventory

    public func inventory() throws(Failure) -> Inventory {
        if !Files.exists(listPath) {
            try makeList().write(to: listPath)
        }
        let taken = try open(ExportList(reading: listPath))
        for guest in taken.guests { _ = try guest.restart() }
        state.withLock { $0 = taken }
        return taken.list.inventory
    }

    private func open(_ list: ExportList) throws(Failure) -> Taken {
        let provider = try BackupProviders.make(settings, run: list.run, room: room)
        let documents = GuestDocuments(
            keepsSecrets: settings.keepsSecrets(isEncrypted: room.isEncrypted))
        return Taken(
            list: list, artifacts: list.artifacts(),
            guests: list.guests.map {
                GuestWork($0, provider: provider, documents: documents, room: room)
            })
    }

    private func taken() throws(Failure) -> Taken {
        guard let taken = state.withLock({ $0 }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        return taken
    }

    /// A guest begins anew as a whole: its parts come from one backup.
    public func restarts(voided: Set<Int>) throws(Failure) -> Set<Int> {
        guard Files.exists(listPath) else { return [] }
        let list = try ExportList(reading: listPath)
        let artifacts = list.artifacts()
        // What is wrong with the files is told when they are opened.
        var dumps: DumpFiles?
        if case .dumps(let paths) = settings.origin { dumps = try? DumpFiles(paths) }
        var lost: Set<Int> = []
        for (place, guest) in list.guests.enumerated() {
            let own = artifacts.indices.filter {
                if case .guest(place, _) = artifacts[$0].content { true } else { false }
            }
            let directory = room.directory + "/guest-\(guest.id)"
            if own.contains(where: { voided.contains($0) }) {
                try GuestWork.markLost(in: directory)
            } else if try dumps?.hasChanged(guest.id, in: directory) == true {
                try GuestWork.markLost(in: directory)
            }
            if GuestWork.isLost(in: directory) { lost.formUnion(own) }
        }
        return lost
    }

    // MARK: - Segments

    public func cut(_ artifact: Int) throws(Failure) -> Int {
        let taken = try taken()
        switch taken.artifacts[artifact].content {
        case .documents: return 1
        case .guest(let place, let part): return try taken.guests[place].cut(part)
        }
    }

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let taken = try taken()
        switch taken.artifacts[number.artifact].content {
        case .guest(let place, let part):
            return try taken.guests[place].export(part, number.segment, into: &sink)
        case .documents(let set):
            try sink.write(Files.read(path(of: set), limit: 1 << 29))
            room.progress.add(bytes: set.bytes, objects: set.count)
            return SegmentResult(exported: set.count, omitted: 0)
        }
    }

    private func path(of set: DocumentSet) -> String { room.directory + "/" + set.fileName }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        let taken = try taken()
        switch taken.artifacts[artifact].content {
        case .guest(let place, let part): return try taken.guests[place].conclude(part)
        case .documents(let set):
            let bytes = try Files.read(path(of: set), limit: 1 << 29)
            return Conclusion(
                exported: set.count,
                digests: [.init("sha256", .string(SHA256.hash(bytes).hex))],
                counts: [
                    .init("documents", .integer(set.count)),
                    .init("bytes", .integer(Int64(bytes.count))),
                ], restoring: "cat > \"$HERE/\(set.fileName)\"")
        }
    }

    public func omissions() throws(Failure) -> OmissionSummary {
        let taken = try taken()
        var summary = taken.list.omissions
        for guest in taken.guests {
            for (reason, object) in try guest.omissions() {
                summary.add(
                    reason.rawValue, object,
                    accepted: reason == .backupWarnings || settings.accepted.contains(reason))
            }
        }
        return summary
    }
}

extension ProxmoxExporter {
    private func makeList() throws(Failure) -> ExportList {
        switch settings.origin {
        case .dumps(let paths):
            return try DumpInventory(settings: settings, room: room).make(DumpFiles(paths))
        case .cluster(let server, let transport):
            return try ClusterInventory(settings, server, transport, room).make()
        }
    }

    public func survey() throws(Failure) -> Survey {
        switch settings.origin {
        case .dumps(let paths):
            let plan = try DumpInventory(settings: settings, room: room).plan(DumpFiles(paths))
            return plan.survey
        case .cluster(let server, let transport):
            return try ClusterSurvey(ClusterInventory(settings, server, transport, room)).make()
        }
    }
}
