public import Basics

/// How long the restore of an export would take on this machine, by the latest rehearsal in a folder.
public struct RestoreEstimate: Sendable {
    let prediction: Prediction
    let rehearsedAt: Timestamp

    /// nil where no rehearsal in the folder has restored everything.
    public init?(of bytes: Int64, from folder: String) {
        let history = RehearsalHistory(in: folder)
        guard let entry = history.latest, let rates = entry.rates else { return nil }
        prediction = Prediction(of: bytes, from: rates, smaller: history.smaller(than: rates))
        rehearsedAt = entry.at
    }

    public var json: JSON {
        [
            "seconds": .integer(prediction.seconds), "boundBy": .string(prediction.bound),
            "trust": .string(prediction.trust.rawValue),
            "measuredBytes": .integer(prediction.measuredBytes),
            "rehearsedAt": .string(rehearsedAt.text),
        ]
    }

    public var text: String {
        "restoring all of it, by the rehearsal of \(rehearsedAt.date): \(prediction.text)"
    }
}
