import Basics
import Guests

/// A restored machine has the media of the source in its drives, and starts only where they are.
struct RestoredMedia {
    let creation: GuestCreation

    init(_ creation: GuestCreation) { self.creation = creation }

    /// What a machine names that its node does not have, each with the command that takes it out.
    func lacking(_ guest: GuestConfiguration) throws(Failure) -> [JSON] {
        guard creation.route == .restore, creation.kind == .machine else { return [] }
        var lacks: [JSON] = []
        for entry in guest.entries {
            let options = DriveOptions(entry.text)
            guard GuestKeyFacts.of(entry.key, kind: .qemu)?.class == .drive, options.isMedium,
                !options.isCloudInit, case .volume(let storage, _) = options.volume,
                try !isThere(options.source, on: storage)
            else { continue }
            lacks.append([
                "object": .string("\(creation.target.number)/\(entry.key)"),
                "what": .string(
                    "the medium \"\(options.source)\" is not there, or the rights do not show it: "
                        + "with it the machine does not start"),
                "command": .string(
                    "qm set \(creation.target.number) --\(entry.key) none,media=cdrom"),
            ])
        }
        return lacks
    }

    private func isThere(_ volume: String, on storage: String) throws(Failure) -> Bool {
        do throws(Failure) { return try creation.isThere(volume, on: storage) } catch {
            guard [.serverRights, .serverRefused, .notFound].contains(error.code) else {
                throw error
            }
            return false
        }
    }
}
