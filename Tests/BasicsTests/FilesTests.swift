import Basics
import TestKit
import Testing

@Suite struct FilesTests {
    /// A run that could not begin is begun anew in the same directory, which must be empty for that.
    @Test func aFileThatCouldNotGetItsNameLeavesNothing() throws {
        let directory = try TemporaryDirectory()
        try Files.makeDirectory(directory.path + "/taken")
        #expect(throws: Failure.self) {
            try Files.write([1], to: directory.path + "/taken")
        }
        #expect(try Files.names(in: directory.path) == ["taken"])
    }
}
