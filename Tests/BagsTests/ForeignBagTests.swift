import Bags
import Basics
import TestKit
import Testing

@Suite struct ForeignBagTests {
    /// Where the table's remark says that a bag is damaged upstream, or is to be treated as an
    /// error, that is what is expected here, with the oddity named beside it.
    @Test func conformanceSuiteIsClassifiedAsExpected() throws {
        guard let suite = Vectors.folder("bagit-conformance-suite") else { return }
        let table = try Files.readText(
            Files.parent(of: suite) + "/bagit-conformance-EXPECTED.tsv")
        let rows = table.split(separator: "\n").dropFirst().map {
            $0.split(separator: "\t", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 60)
        for row in rows {
            let found = try ForeignBag.classify(suite + "/" + row[0])
            let text = "\(row[0]): \(found.problems) \(found.warnings)"
            switch row[1] {
            case "warning" where !row[3].isEmpty:
                #expect(found.verdict == .invalid, "\(text)")
                #expect(!found.warnings.isEmpty, "\(text)")
                #expect(
                    found.problems.map(\.failure.code) == [.bagFileMissing], "\(text)")
            case "linux-only": #expect(found.verdict == .invalid, "\(text)")
            default: #expect(found.verdict.rawValue == row[1], "\(text)")
            }
        }
    }

    @Test func eachInvalidBagOfTheSuiteHasItsOwnCause() throws {
        guard let suite = Vectors.folder("bagit-conformance-suite") else { return }
        let causes: [String: Failure.Code] = [
            "v0.97/invalid/baginfo-missing-encoding": .bagDeclaration,
            "v0.97/invalid/bom-in-bagit.txt": .bagEncoding,
            "v0.97/invalid/corrupt-data-file": .bagFileChanged,
            "v0.97/invalid/corrupt-tag-file": .bagFileChanged,
            "v0.97/invalid/extra-file-in-bag": .bagFileUnexpected,
            "v0.97/invalid/invalid-version-number": .bagDeclaration,
            "v0.97/invalid/missing-baginfo": .bagFileMissing,
            "v0.97/invalid/missing-bagit.txt": .bagDeclaration,
            "v0.97/invalid/out-of-scope-file-paths-using-dot-notation": .bagPathUnsafe,
            "v0.97/invalid/out-of-scope-file-paths-using-dot-notation-for-fetch": .bagPathUnsafe,
            "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-username": .bagPathUnsafe,
            "v1.0/invalid/bagit-with-invalid-whitespace": .bagDeclaration,
            "v1.0/invalid/notAllManifestsListAllFiles": .bagFileUnexpected,
            "v1.0/invalid/same-filename-listed-twice-with-the-same-hash": .bagManifestDuplicate,
        ]
        for (bag, code) in causes {
            let found = try ForeignBag.classify(suite + "/" + bag)
            #expect(found.problems.first?.failure.code == code, "\(bag): \(found.problems)")
        }
    }
}
