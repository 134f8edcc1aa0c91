import Bags
import Basics
import TestKit
import Testing

/// What an auditor has without Exeat reads the same bags.
@Suite struct InteroperationTests {
    @Test func tarUnpacksTheSingleFileForm() async throws {
        guard Shell.has("tar") else { return print("SKIPPED: tar is not there") }
        let scratch = try TemporaryDirectory()
        let maker = BagMaker()
        let files = try maker.files()
        try BagMaker.overwrite(scratch.path + "/bag.tar", try maker.tar(files))
        let result = try Shell.run(["tar", "-xf", "bag.tar"], in: scratch.path)
        #expect(result.status == 0)
        #expect(result.errors.isEmpty, "\(String(decoding: result.errors, as: UTF8.self))")
        #expect(try await examine(scratch.path + "/\(maker.name)") == nil)
        let listed = try Shell.run(["tar", "-tf", "bag.tar"], in: scratch.path)
        #expect(listed.text.split(separator: "\n").count == files.count)
        // Packed again by another program, it is not the canonical form any more.
        _ = try Shell.run(["tar", "-cf", "again.tar", maker.name], in: scratch.path)
        #expect(try await examine(scratch.path + "/again.tar")?.code == .bagFileKind)
    }

    @Test func sha256sumChecksTheManifests() throws {
        let scratch = try TemporaryDirectory()
        try BagMaker.write(try BagMaker().files(), to: scratch.path)
        for manifest in [
            "manifest-sha256.txt", "tagmanifest-sha256.txt", "manifest-sha512.txt",
            "tagmanifest-sha512.txt",
        ] {
            let tool = manifest.contains("512") ? "sha512sum" : "sha256sum"
            let result = try Shell.run(
                [tool, "-c", "--strict", "--quiet", manifest], in: scratch.path)
            #expect(result.status == 0)
        }
        let stamped = try Shell.run(
            ["sha256sum", "-c", "--strict", "--quiet", "timestamped.txt"],
            in: scratch.path + "/proof")
        #expect(stamped.status == 0)
    }

    @Test(arguments: [true, false]) func bagitPythonAcceptsOurBags(full: Bool) throws {
        guard try Shell.run(["python3", "-c", "import bagit"]).status == 0 else {
            return print("SKIPPED: bagit.py is not there")
        }
        var maker = BagMaker()
        maker.sha512 = full
        maker.withProof = full
        let scratch = try TemporaryDirectory()
        try BagMaker.write(try maker.files(), to: scratch.path)
        let result = try Shell.run(["python3", "-m", "bagit", "--validate", scratch.path])
        #expect(result.status == 0, "\(String(decoding: result.errors, as: UTF8.self))")
        #expect(
            try ForeignBag.classify(scratch.path).verdict == .valid)
    }
}
