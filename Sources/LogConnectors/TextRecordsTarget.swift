import Archives
import Basics
import Connectors
import Logs
import Streams

/// Text logs as records of JSON.
final class TextRecordsTarget: Sendable {
    let slices = 0

    init(
        _ path: String, _ form: TextTarget.Form, _ settings: TextTarget, _ stored: TextStored,
        source: String, existing: TreeTarget.Existing, room: Room, resuming: Bool
    ) throws(Failure) {
        throw Failure(.unsupported, "records are not written yet")
    }

    func replay(_ segment: Int) throws(Failure) {}
    func finish() throws(Failure) {}
    func compare(_ slice: Int) throws(Failure) {}
    func conclude(counting: Bool, into result: inout ImportResult) throws(Failure) {}
}
