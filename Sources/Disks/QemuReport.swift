import Basics

/// What `qemu-img info --output=json` says, as far as it is needed.
struct QemuReport {
    private let json: JSON

    init(_ text: String, of path: String) throws(Failure) {
        do throws(Failure) { json = try JSON(parsing: Array(text.utf8)) } catch {
            throw Failure(
                .diskTool, "\"qemu-img\" says nothing useful of \"\(path)\"", cause: error)
        }
    }

    func integer(_ key: String) -> Int64? { json[key]?.integer }
    func text(_ key: String) -> String? { json[key]?.string }

    var snapshots: [String] { json["snapshots"]?.array?.compactMap { $0["name"]?.string } ?? [] }
}
