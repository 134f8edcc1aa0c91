/// Where a run is, for the display.
public enum ExportStage: Sendable {
    /// The folder that the output lies in was not there, and is now.
    case madeFolder(String)
    /// What an interrupted run has stored is read again.
    case checking
    /// Authorities are asked to stamp the time.
    case stamping
    case inventory
    case export(bytes: Int64)
    case sealing
}

/// A number with leading zeros.
func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
