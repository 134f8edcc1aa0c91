import Basics
import Testing

@testable import Plans

@Suite struct PlanParserTests {
    static func text(_ bytes: [UInt8]) -> String? {
        do throws(Failure) {
            _ = try ExportPlan(
                parsing: bytes, file: "p.yaml", kinds: [], environment: [:]
            ) { _, _ in }
        } catch { return error.code == .planSyntax ? error.what : "code \(error.code)" }
        return nil
    }

    @Test(arguments: [
        ("", "p.yaml:1:1: the file is empty"),
        ("# nothing\n", "p.yaml:1:1: the file is empty"),
        ("a: 1\nb:\n\tc: 1\n", "p.yaml:3:1: a tab cannot indent: use spaces"),
        ("a: 1\r\nb:\r\n\tc: 1\r\n", "p.yaml:3:1: a tab cannot indent: use spaces"),
        ("a: 1\nb: \u{1}\n", "p.yaml:2:4: control characters are not allowed"),
        ("exeat: 1\n---\nexeat: 1\n", "p.yaml:2:1: a second document begins: a plan is one"),
        ("a: 1\nb: 2\na: 3\n", "p.yaml:1:1: key \"a\" is there twice"),
        ("\u{FEFF}a: [1\n", "p.yaml:2:1: did not find expected ',' or ']'"),
    ])
    func refusesWhatIsNoPlainYAML(yaml: String, message: String) {
        #expect(Self.text(Array(yaml.utf8)) == message)
    }

    @Test(arguments: [
        ("a: &x 1\n", "1:4", "anchors"), ("a: &x [1]\nb: *x\n", "1:4", "anchors"),
        ("a: !!int 1\n", "1:4", "tags"), ("a: !x [1]\n", "1:4", "tags"),
        ("a: !!set {b}\n", "1:4", "tags"), ("<<: {a: 1}\n", "1:1", "merge keys"),
        ("? [a]\n: 1\n", "1:3", "a key must be"), ("1: a\n\"1\": b\n", "2:1", "twice"),
        ("? \n: a\n", "1:2", "a key is missing"),
    ])
    func refusesWhatReadsInTwoWays(yaml: String, place: String, message: String) throws {
        let (_, problems) = Samples.node(yaml)
        let text = try #require(problems.all.first).text
        #expect(text.hasPrefix("plan.yaml:\(place): ") && text.contains(message), "\(text)")
        #expect(problems.all.allSatisfy { $0.code == .planSyntax })
    }

    @Test func namesTheLineThatIsNotUTF8() {
        let bytes = Array("exeat: 1\nname: ".utf8) + [0xe9, 0x0a]
        #expect(Self.text(bytes) == "p.yaml:2:1: the line is not UTF-8")
    }

    @Test func aTopThatIsNoMappingIsRefused() {
        for yaml in ["- a\n", "text\n", "~\n"] {
            #expect(Self.text(Array(yaml.utf8)) == "code planWrongType", "\(yaml)")
        }
    }

    @Test func aliasesDoNotExplode() {
        var yaml = "a0: &a0 [x, x]\n"
        for level in 1...40 { yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(Self.text(Array(yaml.utf8)) != nil)
    }

    @Test(arguments: ["[", "{", "- ", "? ", "a: {b: ", "[{"])
    func deepNestingIsAProblemAndNoCrash(part: String) {
        #expect(Self.text(Array(String(repeating: part, count: 100_000).utf8)) != nil)
        let closed = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(Self.text(Array("a: \(closed)".utf8)) != nil)
    }

    @Test func damagedPlansAreRefusedOrReadAndNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = Array(Samples.export.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default:
                    bytes.insert(
                        Array("{}[]:&*!|>\"'#%\n\t- ".utf8).randomElement() ?? 0, at: place)
                }
            }
            _ = Self.text(bytes)
        }
    }

    @Test func aByteOrderMarkIsPassedOver() {
        let (node, problems) = Samples.node("\u{FEFF}a: 1\n")
        #expect(problems.isEmpty)
        #expect(node?.entries(problems)?.map(\.key) == ["a"])
    }

    @Test func nodesKnowTheirPlace() throws {
        let (node, problems) = Samples.node("a:\n  b: [x, é: y]\n")
        let inner = try #require(
            node?.entries(problems)?.first?.node.entries(problems)?.first?.node)
        #expect(inner.path == "a.b")
        #expect(inner.position == .init(line: 2, column: 6))
        #expect(inner.keyPosition == .init(line: 2, column: 3))
        #expect(inner.elements(problems)?.last?.position == .init(line: 2, column: 10))
    }
}
