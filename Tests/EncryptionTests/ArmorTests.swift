import Basics
import Encryption
import Testing

/// What the vectors of armor leave open: detection, and the limits on white space.
@Suite struct ArmorTests {
    let identity: Identity
    let file: [UInt8]
    let armored: [UInt8]

    init() throws {
        identity = try Identity.generate(postQuantum: false)
        file = try Age.seal([1, 2, 3], to: [identity.recipient])
        var lines = ["-----BEGIN AGE ENCRYPTED FILE-----"]
        let text = Base64.encode(file)
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        lines.append("-----END AGE ENCRYPTED FILE-----\n")
        armored = Array(lines.joined(separator: "\n").utf8)
    }

    func open(_ bytes: [UInt8], _ form: ArmorForm) -> [Age.Released] {
        [(1, 1), (10, 7), (Int.max, 1 << 20)].map { step, capacity in
            Age.openArmored(bytes, form, with: [identity], step: step, capacity: capacity)
        }
    }

    @Test func armorIsFoundBehindWhiteSpaceAndAFileIsPassed() {
        let blank = Array(" \t\r\n\n".utf8)
        for bytes in [file, armored, blank + armored, armored + blank, blank + armored + blank] {
            for released in open(bytes, .detected) {
                #expect(released.failure == nil && released.bytes == [1, 2, 3])
            }
        }
    }

    @Test func whatIsNeitherIsNoHeader() {
        for bytes in [[], [0x20], [0x0a], Array("-----BEGI".utf8), [0x0a] + file, [0x20] + armored]
        {
            for released in open(bytes, .detected) {
                #expect(released.failure?.code == .ageHeader)
            }
            for released in open(bytes, .armored) {
                #expect(released.failure?.code == .ageArmor)
            }
        }
    }

    @Test func whiteSpaceIsLimited() {
        for count in [1000, 5000] {
            let blank = [UInt8](repeating: 0x0a, count: count)
            for released in open(blank + armored, .armored) + open(armored + blank, .armored) {
                #expect(released.failure?.code == (count == 1000 ? nil : .ageArmor))
            }
        }
    }

    @Test func aCutAnywhereInTheArmorIsNoticed() {
        for count in 0..<armored.count - 1 {
            for released in open(Array(armored[..<count]), .armored) {
                #expect(released.failure?.code == .ageArmor, "cut at \(count)")
            }
        }
    }

    @Test func anyFlippedBitOfTheArmorIsNoticed() {
        for index in armored.indices.dropLast() {
            var changed = armored
            changed[index] ^= 0x02
            for released in open(changed, .armored) {
                #expect(released.failure != nil, "byte \(index)")
            }
        }
    }
}
