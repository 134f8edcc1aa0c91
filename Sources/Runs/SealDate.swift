import Bags
import Basics

extension Seal {
    /// Nothing is replayed while the clock of this machine is behind the seal: the receipt would be older
    /// than what it is about, and the archive that bears it would not be good any more.
    func checkDate(at now: Timestamp) throws(Failure) {
        guard createdAt > now else { return }
        throw Failure(
            .documentDate,
            "the seal is dated \(createdAt.text), after the clock of this machine, \(now.text)",
            hint: "Set the clock of this machine right, or ask who has sealed it.")
    }
}
