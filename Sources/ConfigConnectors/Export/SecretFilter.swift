import Archives
import Basics
import Redaction
import Trees

/// Lets files of configuration pass without their secrets, or as they are where these may be sealed; notes
/// where secrets were in any case.
struct SecretFilter: ContentFilter {
    let redactor: Redactor

    /// Larger files are no configuration, and would have to be held in memory.
    static let largest: Int64 = 16 << 20

    var largest: Int64 { Self.largest }
    var refusesLarger: Bool { redactor.mode != .sealed }

    func pass(
        _ entry: inout Entry, _ content: [UInt8]?, _ notes: inout [JSON]
    ) throws(Failure) -> FilteredContent {
        let path = [0x2f] + entry.path
        for index in entry.attributes.indices {
            // Those of users are the only ones that may hold anything at all.
            let attribute = entry.attributes[index]
            guard attribute.name.starts(with: "user.".utf8) else { continue }
            let result = redactor.redact(
                attribute: attribute.name, value: attribute.value, path: path)
            notes += result.findings.map { finding in
                SecretPlace(
                    finding, path: entry.path, family: nil, attribute: attribute.name
                ).json
            }
            if result.isChanged {
                entry.attributes[index] = ExtendedAttribute(
                    name: attribute.name, value: result.content)
            }
        }
        guard let content else { return .same }
        let result = redactor.redact(path: path, content: content)
        notes += result.findings.map { SecretPlace($0, path: entry.path, family: nil).json }
        return result.isChanged ? .replaced(result.content) : .same
    }

    /// The secrets in a file, for a survey.
    func places(in content: [UInt8], of path: [UInt8]) throws(Failure) -> [SecretPlace] {
        redactor.redact(path: [0x2f] + path, content: content).findings.map {
            SecretPlace($0, path: path, family: nil)
        }
    }
}
