import Basics
import Testing

@testable import ProxmoxConnector

@Suite("Paths that a node leaves out of backups")
struct ExcludedPathsTests {
    @Test(
        "Patterns with a slash in front hold from the root, others below any directory; all below goes too",
        arguments: [
            ("/srv/cache", "srv/cache", true), ("/srv/cache", "srv/cache/deep/one", true),
            ("/srv/cache", "srv/cached", false), ("/srv/cache", "home/srv/cache", false),
            ("/tmp/?*", "tmp", false), ("/tmp/?*", "tmp/x", true), ("/tmp/?*", "tmp/x/y", true),
            ("*.bak", "srv/a/old.bak", true), ("*.bak", "old.bak/inner", true),
            ("*.bak", "old.back", false), ("cache", "srv/cache/x", true),
            ("cache", "srv/caches", false),
            ("/var/[ab]", "var/a", true), ("/var/[ab]", "var/c", false), ("/", "srv", false),
        ])
    func matching(_ pattern: String, _ path: String, _ isLeftOut: Bool) {
        #expect(ExcludedPaths([pattern]).matches(Array(path.utf8)) == isLeftOut)
        #expect(!ExcludedPaths().matches(Array(path.utf8)))
    }

    @Test("Releases tell them as a list, or as a text with commas or NULs")
    func answers() {
        #expect(ExcludedPaths(answer: ["/a", "b c"]).patterns == ["/a", "b c"])
        #expect(ExcludedPaths(answer: "/a,b c").patterns == ["/a", "b c"])
        #expect(ExcludedPaths(answer: "/a,b\0c").patterns == ["/a,b", "c"])
        #expect(ExcludedPaths(answer: .null).isEmpty)
    }
}
