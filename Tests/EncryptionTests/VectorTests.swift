import Basics
import Encryption
import Primitives
import TestKit
import Testing

/// One file of C2SP/CCTV age/testdata: lines `key: value`, a blank line, and the age file.
struct AgeVector: CustomTestStringConvertible, Sendable {
    let name: String
    let path: String
    var testDescription: String { name }

    static let all: [AgeVector] = {
        guard let folder = Vectors.folder("age-cctv"), let names = try? Files.names(in: folder)
        else { return [] }
        return names.sorted().map { AgeVector(name: $0, path: folder + "/" + $0) }
    }()

    struct Content {
        var fields: [(key: String, value: String)] = []
        var file: [UInt8] = []

        func values(_ key: String) -> [String] { fields.filter { $0.key == key }.map(\.value) }
    }

    func content() throws -> Content {
        var content = Content()
        var rest = try Files.read(path)[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            let colon = try #require(line.firstIndex(of: ":"))
            content.fields.append((String(line[..<colon]), String(line[colon...].dropFirst(2))))
        }
        content.file = Array(rest)
        if content.values("compressed") == ["zlib"] {
            let program =
                "import sys, zlib; "
                + "sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))"
            let inflated = try Shell.run(["python3", "-c", program], input: content.file)
            try #require(inflated.status == 0)
            content.file = inflated.output
        }
        return content
    }
}

@Suite struct VectorTests {
    /// The codes that each class of the vectors may end with.
    static let classes: [String: Set<Failure.Code>] = [
        "success": [],
        "no match": [.ageNoMatch],
        "HMAC failure": [.ageHeaderMAC],
        "header failure": [.ageHeader],
        "armor failure": [.ageArmor],
        "payload failure": [.agePayload, .truncated],
    ]

    @Test func allVectorsAreThere() {
        #expect(AgeVector.all.isEmpty || AgeVector.all.count == 143)
    }

    /// The class of the result, and that exactly what may be released before the end is released,
    /// whatever the sizes of the pieces are.
    @Test(arguments: AgeVector.all)
    func givesTheExpectedResult(_ vector: AgeVector) throws {
        let content = try vector.content()
        let expected = try #require(content.values("expect").first)
        let codes = try #require(Self.classes[expected])
        let identities =
            try content.values("identity").map { try Identity($0) }
            + content.values("passphrase").map { try Identity(Passphrase(Secret($0))) }
        let isArmored = content.values("armored") == ["yes"]

        var ways = [(step: Int.max, capacity: 1 << 20), (65_536, 65_536), (4099, 1000)]
        if content.file.count < 10_000 { ways += [(1, 1), (7, 1 << 20)] }
        // Each of these derives a key again.
        if !content.values("passphrase").isEmpty { ways = [(Int.max, 1 << 20), (1, 1)] }
        for (step, capacity) in ways {
            let released =
                isArmored
                ? Age.openArmored(
                    content.file, .armored, with: identities, step: step, capacity: capacity)
                : Age.open(content.file, with: identities, step: step, capacity: capacity)
            if codes.isEmpty {
                #expect(released.failure == nil)
            } else {
                let code = try #require(released.failure?.code)
                #expect(codes.contains(code))
            }
            if let digest = content.values("payload").first {
                #expect(SHA256.hash(released.bytes).hex == digest)
            } else if expected != "armor failure" {
                #expect(released.bytes.isEmpty)
            }
            if isArmored, codes.isEmpty {
                let detected = Age.openArmored(
                    content.file, .detected, with: identities, step: step, capacity: capacity)
                #expect(detected.failure == nil && detected.bytes == released.bytes)
            } else if !isArmored, step < 10 {
                let detected = Age.openArmored(
                    content.file, .detected, with: identities, step: step, capacity: capacity)
                #expect(detected.failure?.code == released.failure?.code)
                #expect(detected.bytes == released.bytes)
            }
        }
    }
}
