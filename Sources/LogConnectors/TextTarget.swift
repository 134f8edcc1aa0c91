import Archives
import Basics
import Plans

/// What an import plan says about text logs under `text:`, or about the journal under `journald:`.
struct TextTarget: Sendable {
    /// What becomes of the logs at the target.
    enum Form: String, Sendable, CaseIterable {
        /// The files themselves, with owners, modes and times.
        case files
        /// One JSON object for each entry, in the names of OpenTelemetry's log data model.
        case ndjson
        /// The same in the form that `_bulk` of Elasticsearch takes.
        case bulk
    }

    let forms: [Form]
    /// Of the documents of `bulk`.
    let index: String
    let owners: OwnerMapping.Policy

    static let shape = PlanShape(optional: ["format", "index", "owners"])
    /// Of the journal, whose files have no owners to be kept.
    static let journalShape = PlanShape(optional: ["format", "index"])

    init(_ node: PlanNode?, _ problems: PlanProblems, shape: PlanShape = TextTarget.shape) {
        let settings = node?.mapping(shape, problems)
        var forms: [Form] = []
        for element in settings?["format"]?.elements(problems) ?? [] {
            if let word = element.choice(of: Form.allCases.map(\.rawValue), problems),
                let form = Form(rawValue: word), !forms.contains(form)
            {
                forms.append(form)
            }
        }
        self.forms = forms.isEmpty ? [.files] : forms
        index = settings?.string("index") ?? ""
        if let settings {
            if forms.contains(.bulk), settings["index"] == nil {
                problems.add(
                    .planMissingValue, "\"format: bulk\" needs the name of an \"index\"",
                    atKeyOf: settings.node)
            }
            if let place = settings["index"], !Self.isIndexName(index) {
                problems.add(
                    .planInvalidValue,
                    "\"index\" must be a name that Elasticsearch takes: lower case, no spaces, none of "
                        + "\\ / * ? \" < > | , # :, not beginning with - _ or +", at: place)
            }
        }
        owners =
            settings.flatMap {
                $0.has("owners") ? $0.choice("owners", of: ["numeric", "names"]) : nil
            }
            .flatMap { OwnerMapping.Policy(rawValue: $0) } ?? .numeric
    }

    private static func isIndexName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 255, ![0x2d, 0x5f, 0x2b].contains(first),
            name != ".", name != ".."
        else { return false }
        return bytes.allSatisfy {
            $0 > 0x20 && $0 != 0x7f && !Array("\\/*?\"<>|,#:".utf8).contains($0)
                && !(0x41...0x5a).contains($0)
        }
    }
}
