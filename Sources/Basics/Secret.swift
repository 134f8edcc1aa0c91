/// Text that must not appear in arguments, logs, the journal or an error.
///
/// It describes itself as dots, and is neither `Codable` nor `Hashable`; whoever needs the value
/// says so by name.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: String

    public init(_ value: String) { self.value = value }

    /// The value itself, for the one call that needs it.
    public func revealed() -> String { value }

    public var description: String { "•••" }
    public var debugDescription: String { "•••" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
