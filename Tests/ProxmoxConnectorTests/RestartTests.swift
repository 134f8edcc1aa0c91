import Basics
import Connectors
import Streams
import TestKit
import Testing

@testable import ProxmoxConnector

@Suite("Guests that begin anew")
struct RestartTests {
    /// Knows of a backup as long as the note of it lies in the directory, and cannot delete it.
    private struct Unreachable: BackupProvider {
        let canReadAgain = true

        func open(_ guest: PlannedGuest, in directory: String) throws(Failure) -> OpenBackup {
            throw Failure(.failed, "not in this test")
        }

        func discard(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? {
            Files.exists(directory + "/backup") ? "the backup, on a node that is gone" : nil
        }

        func finish(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? { nil }
    }

    private func work(in directory: String) -> GuestWork {
        GuestWork(
            PlannedGuest(
                id: 100, kind: .machine, name: "", node: "pve1", pool: nil, disks: [], leftOut: [],
                isPortable: true, isNative: false, declaredBytes: 0),
            provider: Unreachable(), documents: GuestDocuments(keepsSecrets: false),
            room: Room(directory: directory, progress: Progress(), world: .real))
    }

    @Test(
        "What could not be deleted stays told, wherever the process that tidied up was killed",
        arguments: [
            ["backup", "complete", "done-guest", "device-drive-scsi0", "remains"],
            ["backup", "remains"], ["remains"],
        ])
    func killed(files: [String]) throws {
        let scratch = try TemporaryDirectory()
        let guest = work(in: scratch.path)
        try GuestWork.markLost(in: guest.directory)
        try Files.write([], to: guest.directory + "/backup", mode: 0o600)
        #expect(try guest.restart())
        let told = try guest.omissions().map(\.object)
        #expect(told == ["the backup, on a node that is gone"])
        // As a process leaves it that is killed while files go, the mark being the last of them.
        try GuestWork.markLost(in: guest.directory)
        for name in files { try Files.write([], to: guest.directory + "/" + name, mode: 0o600) }
        #expect(GuestWork.isLost(in: guest.directory))
        #expect(try guest.restart())
        #expect(try guest.omissions().map(\.object) == told)
        let left = try Files.names(in: guest.directory).filter { !$0.hasPrefix("omitted-") }
        // Names of what tasks have left on the storage are needed until it is gone.
        #expect(left == ["remains"])
        #expect(try !guest.restart())
    }
}
