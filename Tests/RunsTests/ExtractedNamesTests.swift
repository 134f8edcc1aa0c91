import Basics
import Manifests
import Testing

@testable import Runs

@Suite("Names of what is extracted")
struct ExtractedNamesTests {
    private func record(
        _ name: String, in folder: String, kind: String = "disk", format: String = "raw"
    ) -> ArtifactRecord {
        ArtifactRecord(
            name: name, folder: folder, kind: kind, legal: .digitalAsset, format: format,
            segments: [], digests: [], counts: [])
    }

    private func names(_ records: [ArtifactRecord]) throws -> [String] {
        let names = try ExtractedNames(records)
        return records.indices.map { names[$0] }
    }

    @Test("Parts of a guest lie beside each other, other things under the folders of the archive")
    func guests() throws {
        #expect(
            try names([
                record("100/ovf", in: "pve/ovf-00004", kind: "guest-ovf", format: "ovf"),
                record("100/scsi0", in: "pve/disk-00006"),
                record("disks/data", in: "images/disk-00001"),
                record("100/tree", in: "files/tree-00001", kind: "tree", format: "tar"),
                record("configuration of the cluster", in: "pve/cluster-00001", format: "jsonl"),
            ]) == [
                "pve/100/ovf.ovf", "pve/100/scsi0.raw", "images/disk-00001.raw",
                "files/tree-00001.tar", "pve/cluster-00001.jsonl",
            ])
    }

    @Test(
        "What a forged manifest may call them leads nowhere else, and two never get one name",
        arguments: [
            ["100/../../x"], ["100/scsi0", "100/scsi0"], ["../scsi0"], ["0100/scsi0"], ["-1/a"],
            ["100/"], ["100/a/b"], ["100/A"], ["100/.a"], ["100/a\n"],
        ])
    func forged(artifacts: [String]) throws {
        let records = artifacts.enumerated().map { record($1, in: "pve/disk-0000\($0)") }
        #expect(
            try names(records) == artifacts.indices.map { "pve/disk-0000\($0).raw" })
        // Nor the name that the folder of another one gives.
        #expect(
            try names([record("7/a", in: "pve/x"), record("b", in: "pve/7/a")])
                == ["pve/x.raw", "pve/7/a.raw"])
        #expect(throws: Failure.self) { try names([record("100/scsi0", in: "../x")]) }
    }
}
