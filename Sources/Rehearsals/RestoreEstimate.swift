public import Basics

/// How long the restore of an export would take on this machine, by the latest rehearsal in a folder.
public struct RestoreEstimate: Sendable {
    let prediction: Prediction
    let rehearsedAt: Timestamp

    /// nil where no rehearsal in the folder has restored everything.
    public init?(of bytes: Int64, from folder: String) {
        guard let entry = RehearsalHistory(in: folder).latest, let rates = entry.rates else {
            return nil
        }
        prediction = Prediction(of: bytes, from: rates)
        rehearsedAt = entry.at
    }

    public var json: JSON {
        [
            "seconds": .integer(prediction.seconds), "boundBy": .string(prediction.bound),
            "rehearsedAt": .string(rehearsedAt.text),
        ]
    }

    public var text: String {
        "restoring all of it would take about \(RehearsalReport.time(prediction.seconds * 1000)) "
            + "by the rehearsal of \(rehearsedAt.date), bound by \(prediction.bound)"
    }
}
