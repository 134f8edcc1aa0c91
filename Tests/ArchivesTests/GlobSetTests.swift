import Basics
import TestKit
import Testing

@testable import Archives

@Suite struct GlobSetTests {
    func excludes(_ patterns: [String], _ path: String) throws -> Bool {
        let isDirectory = path.hasSuffix("/")
        let bytes = Array((isDirectory ? String(path.dropLast()) : path).utf8)
        return try GlobSet(patterns).excludingAnywhere(bytes, isDirectory: isDirectory) != nil
    }

    @Test func patternsMeanWhatGitignoreSays() throws {
        let cases: [([String], String, Bool)] = [
            (["*.tmp"], "a/b.tmp", true), (["*.tmp"], "a/b.tmp/c", true),
            (["*.tmp"], "b.tmpx", false),
            (["/cache/"], "cache/", true), (["/cache/"], "cache/x", true),
            (["/cache/"], "cache", false),
            (["/cache/"], "a/cache/", false), (["**/node_modules"], "node_modules/", true),
            (["**/node_modules"], "a/b/node_modules", true), (["a/**"], "a/", false),
            (["a/**"], "a/b/c", true), (["a/**/z"], "a/z", true), (["a/**/z"], "a/b/c/z", true),
            (["a/**/z"], "b/a/z", false), (["[a-c]?"], "bx", true), (["[!a-c]?"], "bx", false),
            (["[[:digit:]]*"], "7a", true), (["\\!x"], "!x", true), (["\\*"], "*", true),
            (["\\*"], "a", false), (["*", "!keep"], "keep", false),
            (["dir/", "!dir/keep"], "dir/keep", true),
            (["*.log", "!a.log", "a.*"], "a.log", true), (["#x"], "#x", true), (["x "], "x ", true),
            (["A"], "a", false), (["a/b"], "x/a/b", false), (["**"], "a", true),
        ]
        for (patterns, path, expected) in cases {
            #expect(try excludes(patterns, path) == expected, "\(patterns) \(path)")
        }
    }

    @Test func thePatternThatDecidedIsNamed() throws {
        let set = try GlobSet(["*.a", "*.b", "!x.b"])
        #expect(set.excluding(Array("y.b".utf8), isDirectory: false) == 1)
        #expect(set.excluding(Array("x.b".utf8), isDirectory: false) == nil)
        #expect(
            set.lastMatch(Array("x.b".utf8), isDirectory: false)
                == .init(pattern: 2, excludes: false))
    }

    @Test func patternsThatCanNeverMatchAreRefused() {
        for pattern in ["", "!", "/", "a[b", "a\\", "a//b", "[[:nothing:]]", "[\\"] {
            #expect(throws: Failure(.invalidValue, ""), "\(pattern)") { try GlobSet([pattern]) }
        }
    }

    @Test func manyStarsTakeNoMoreThanPolynomialTime() throws {
        let set = try GlobSet([
            String(repeating: "*a", count: 60) + "b", String(repeating: "**/a/", count: 60) + "b",
        ])
        #expect(set.excluding([UInt8](repeating: 0x61, count: 250), isDirectory: false) == nil)
        let deep = Array(repeatElement("a", count: 500).joined(separator: "/").utf8)
        #expect(set.excluding(deep, isDirectory: false) == nil)
    }

    @Test func gitDecidesTheSame() throws {
        guard Shell.has("git") else { return print("SKIPPED: git is not installed") }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<40 {
            let directory = try TemporaryDirectory()
            _ = try Shell.run(["git", "init", "-q"], in: directory.path)
            var patterns: [String] = []
            while patterns.count < Int.random(in: 1...6, using: &random) {
                let pattern = Self.randomPattern(&random)
                // Git compares a literal beginning apart, so that "a**/b" matches "ab" for it.
                let isQuirk = zip(pattern, pattern.dropFirst(1)).enumerated().contains {
                    $1 == ("*", "*") && $0 > 0
                        && pattern[pattern.index(pattern.startIndex, offsetBy: $0 - 1)] != "/"
                }
                if !isQuirk, (try? GlobSet([pattern])) != nil { patterns.append(pattern) }
            }
            // Git's file has comments and drops spaces at the end: neither is made here.
            _ = try directory.file(
                ".gitignore", Array((patterns.joined(separator: "\n") + "\n").utf8))
            // Git looks whether a path is a directory.
            var paths: [String] = []
            for _ in 0..<60 {
                let path = Self.randomPath(&random)
                let whole = directory.path + "/" + path
                if path.hasSuffix("/") {
                    if (try? Files.makeDirectory(String(whole.dropLast()))) != nil {
                        paths.append(path)
                    }
                } else if !Files.exists(whole), (try? directory.file(path)) != nil {
                    paths.append(path)
                }
            }
            let input =
                paths.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
                .joined(separator: "\0") + "\0"
            let result = try Shell.run(
                ["git", "check-ignore", "--no-index", "-z", "--stdin"], input: Array(input.utf8),
                in: directory.path)
            try #require(result.status <= 1, "\(String(decoding: result.errors, as: UTF8.self))")
            let ignored = Set(
                result.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
            for path in Set(paths) {
                let said = ignored.contains(path.hasSuffix("/") ? String(path.dropLast()) : path)
                #expect(try excludes(patterns, path) == said, "\(patterns) \(path)")
            }
        }
    }

    static func randomPath(_ random: inout some RandomNumberGenerator) -> String {
        let names = ["a", "b", "ab", "ba", "abc", "a.c", "-", "b]", "A", "a*", "a?b", "!a", "c\\"]
        let count = Int.random(in: 1...4, using: &random)
        let path = (0..<count).map { _ in names.randomElement(using: &random) ?? "a" }
            .joined(separator: "/")
        return Bool.random(using: &random) ? path + "/" : path
    }

    static func randomPattern(_ random: inout some RandomNumberGenerator) -> String {
        let pieces = [
            "a", "b", "c", "*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[^b-c]", "[a-]",
            "[]a]", "\\*", "\\!", "\\a", ".", "-", "[[:alpha:]]", "[[:upper:]-]", "[b-a]",
            "[a\\]b]", "!",
        ]
        let count = Int.random(in: 1...5, using: &random)
        let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "a" }.joined()
        return Int.random(in: 0..<4, using: &random) == 0 ? "!" + text : text
    }
}
