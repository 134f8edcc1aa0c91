public import Basics
public import Connectors

/// Tells the marks that this import leaves on its target from those of another one.
///
/// Its name is random, and kept in the run's private directory from before the first mark is made: a
/// process that is killed between the two finds a target without marks, never marks that it does
/// not know for its own.
public struct ImportClaim: Sendable {
    /// 32 hexadecimal digits; what stands beside the marks.
    public let name: String
    /// Whether an earlier process of this import made it.
    public let isEarlier: Bool
    private let path: String

    /// - Parameter resuming: whether an earlier claim in the room holds.
    public init(in room: Room, resuming: Bool) throws(Failure) {
        path = room.directory + "/begun"
        if resuming, Files.exists(path) {
            name = try Files.readText(path)
            isEarlier = true
        } else {
            name = Hex.encode(room.world.random(16))
            isEarlier = false
        }
    }

    /// Keeps it. To be called right before the marks are made.
    public func keep() throws(Failure) { try Files.write(Array(name.utf8), to: path, mode: 0o600) }

    /// - Parameter found: what stands beside the marks on the target; it begins with the name.
    public func owns(_ found: String) -> Bool {
        // An empty name, of a file that lost its content, is the beginning of every text.
        isEarlier && !name.isEmpty && found.hasPrefix(name)
    }

    /// - Parameter target: what the marks are on, for the message.
    public func check(_ found: String, on target: String) throws(Failure) {
        guard owns(found) else {
            throw Failure(
                .targetOccupied, "another import has begun to fill \"\(target)\"",
                hint: "Resume it with its --work directory, or say existing: replace.")
        }
    }
}
