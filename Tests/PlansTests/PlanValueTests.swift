import Basics
import TestKit
import Testing

@testable import Plans

@Suite struct PlanValueTests {
    private static let shape = PlanShape(optional: ["v"])

    private func read<Value>(
        _ yaml: String, environment: [String: String] = [:], file: String = "plan.yaml",
        _ body: (PlanMapping) -> Value?
    ) -> (Value?, [PlanProblems.Problem]) {
        let (node, problems) = Samples.node(
            "v: \(yaml)\n", file: file, environment: environment)
        return (node?.mapping(Self.shape, problems).flatMap(body), problems.all)
    }

    @Test(arguments: ["0042", "no", "2026-01-01", "1.50", "\"a\\tb\"", "'it''s'"])
    func textsAreAsWritten(yaml: String) {
        let expected = ["\"a\\tb\"": "a\tb", "'it''s'": "it's"][yaml] ?? yaml
        #expect(read(yaml) { $0.string("v") }.0 == expected)
    }

    @Test func aSingleTextIsAListOfOne() {
        #expect(read("a") { $0.strings("v") }.0 == ["a"])
        #expect(read("[a, b]") { $0.strings("v") }.0 == ["a", "b"])
        #expect(read("[a, [b]]") { $0.strings("v") }.0 == nil)
    }

    @Test(arguments: [
        ("1B/s", 1), ("1.5 kB/s", 1500), ("200MiB/s", 209_715_200), ("10MB/s", 10_000_000),
        ("400Mbit/s", 50_000_000), ("1GiB/s", 1_073_741_824),
    ])
    func rates(text: String, rate: Int64) {
        #expect(read(text) { $0.byteRate("v") }.0 == rate)
    }

    @Test(arguments: [
        "200", "MB/s", "10MB", "10mb/s", "-1MB/s", "1e3MB/s", "0MB/s", ".5MB/s", "1.MB/s",
        "1.2.3MB/s", "99999999999GB/s",
    ])
    func refusesWhatIsNoRate(text: String) {
        #expect(read(text) { $0.byteRate("v") }.1.map(\.code) == [.planInvalidValue])
    }

    @Test func integersAreDecimal() {
        #expect(read("12") { $0.integer("v", in: 0...20) }.0 == 12)
        for text in ["012", "0x1", "1_0", "1.0", "+1", "twelve", "\"1\"", "[1]"] {
            #expect(
                read(text) { $0.integer("v", in: 0...20) }.1.map(\.code) == [.planWrongType],
                "\(text)")
        }
    }

    @Test func secretsComeFromTheEnvironmentAndFromFiles() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.file("pw", Array("s3cret\n\n".utf8))
        let plan = folder.path + "/plan.yaml"
        let environment = ["PW": "hunter2"]
        func secret(_ yaml: String) -> String? {
            read(yaml, environment: environment, file: plan) { $0.secret("v") }.0?.revealed()
        }
        #expect(secret("\"${env:PW}\"") == "hunter2")
        #expect(secret("${env:PW}") == "hunter2")
        #expect(secret("${file:pw}") == "s3cret\n")
        #expect(secret("${file:\(folder.path)/pw}") == "s3cret\n")
        #expect(secret("a$${b}-${env:PW}$") == "a${b}-hunter2$")
        let text = read("host=x password=${env:PW}", environment: environment) {
            $0.textWithSecrets("v")
        }.0
        #expect(text?.revealed() == "host=x password=hunter2")
        #expect("\(text as Any)".contains("hunter2") == false)
        #expect(read("host=x") { $0.textWithSecrets("v") }.0?.revealed() == "host=x")
    }

    @Test func referencesAreNotReadAgainInWhatTheyStandFor() {
        let environment = ["A": "${env:B}", "B": "secret"]
        let value = read("${env:A}", environment: environment) { $0.secret("v") }.0
        #expect(value?.revealed() == "${env:B}")
    }

    @Test(arguments: [
        ("${env:NONE}", Failure.Code.planSecretUnavailable),
        ("${env:EMPTY}", .planSecretUnavailable), ("${file:none}", .planSecretUnavailable),
        ("${file:/}", .planSecretUnavailable), ("${env:1A}", .planInvalidValue),
        ("${env:A B}", .planInvalidValue), ("${env:}", .planInvalidValue),
        ("${vault:x}", .planInvalidValue), ("${env:A", .planInvalidValue),
        ("hunter2", .planInvalidValue), ("$${env:A}", .planInvalidValue),
        ("[a]", .planWrongType), ("\"\"", .planMissingValue),
    ])
    func refusesSecretsThatAreNone(yaml: String, code: Failure.Code) {
        let (value, problems) = read(yaml, environment: ["EMPTY": ""]) { $0.secret("v") }
        #expect(value == nil)
        #expect(problems.map(\.code) == [code], "\(problems.map(\.text))")
        #expect(problems.first?.position == .init(line: 1, column: 4))
    }

    @Test func aReferenceIsNoPlainText() {
        #expect(read("${env:A}") { $0.string("v") }.1.map(\.code) == [.planInvalidValue])
        #expect(read("$${env:A}") { $0.string("v") }.0 == "${env:A}")
        #expect(read("a$b$") { $0.string("v") }.0 == "a$b$")
    }

    @Test func dumpingANodeDoesNotShowTheEnvironment() {
        let (node, _) = Samples.node("v: ${env:PW}\n", environment: ["PW": "hunter2"])
        var text = ""
        dump(node, to: &text)
        #expect(!text.contains("hunter2"))
    }

    @Test(arguments: [
        ("levle", "level"), ("Level", "level"), ("lvl", "level"), ("postgre", "postgresql"),
        ("encrypt_to", "encrypt-to"), ("x", nil), ("zzzz", nil), ("sing-with", "sign-with"),
    ])
    func nearestWord(word: String, expected: String?) {
        let known = ["level", "long", "postgresql", "encrypt-to", "sign-with"]
        #expect(Nearest.to(word, among: known) == expected)
    }
}
