import Basics
import Testing

/// `Manifests/failures.json` and the enumeration are one list.
@Suite struct FailureListTests {
    private func load() throws -> [JSON] {
        var root = #filePath
        for _ in 0..<3 { root = Files.parent(of: root) }
        let list = try JSON(parsing: Files.read(root + "/Manifests/failures.json"))
        return try #require(list["failures"]?.array)
    }

    @Test func everyCodeIsListedWithItsWordAndExitStatus() throws {
        let listed = try load().map { entry in
            "\(entry["number"]?.integer ?? 0) \(entry["word"]?.string ?? "") "
                + "\(entry["status"]?.integer ?? -1)"
        }
        let known = Failure.Code.allCases.map { "\($0.rawValue) \($0.word) \($0.exitStatus)" }
        #expect(listed == known)
    }

    @Test func everyCodeSaysWhatItMeansAndWhatToDo() throws {
        for entry in try load() {
            for key in ["meaning", "remedy"] {
                #expect(entry[key]?.string?.hasSuffix(".") == true, "\(entry)")
            }
        }
    }

    @Test func wordsKeepAbbreviationsTogether() {
        #expect(Failure.Code.ageHeaderMAC.word == "age-header-mac")
        #expect(Failure.Code.inputOutput.word == "input-output")
        #expect(Failure.Code.usage.word == "usage")
    }
}
