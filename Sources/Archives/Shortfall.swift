import Basics
import Synchronization

/// Something of an entry that the target did not take, though the entry is there.
public struct Shortfall: Sendable, Hashable {
    public enum Attribute: Sendable, Hashable {
        case owner, mode, modified, accessACL, defaultACL
        /// The extended attribute of that name.
        case extended([UInt8])
        /// The object itself: a device that only root may make, for instance.
        case object
        /// Something of that name was there before the import and was kept.
        case existing
    }

    public let path: [UInt8]
    public let attribute: Attribute
    /// What the system said (`EPERM`, `ENOTSUP`, …).
    public let errno: Int32

    public init(path: [UInt8], attribute: Attribute, errno: Int32) {
        self.path = path
        self.attribute = attribute
        self.errno = errno
    }
}

extension Shortfall.Attribute: CustomStringConvertible {
    public var description: String {
        switch self {
        case .owner: "owner"
        case .mode: "mode"
        case .modified: "mtime"
        case .accessACL: "acl"
        case .defaultACL: "default-acl"
        case .extended(let name): "xattr \(String(decoding: name, as: UTF8.self))"
        case .object: "object"
        case .existing: "existing"
        }
    }
}

/// The shortfalls of one import, shared by its lanes. Keeps the first ten thousand and counts the
/// rest; the same one told twice counts once.
public final class ShortfallList: Sendable {
    private struct Key: Hashable {
        let path: [UInt8]
        let attribute: Shortfall.Attribute
    }

    private struct State {
        var list: [Shortfall] = []
        var known: Set<Key> = []
        var beyond = 0
        var kindsBeyond: Set<Shortfall.Attribute> = []
        /// Why one could not be written down. Nothing is told after it: it may have left half a line.
        var failure: Failure?

        mutating func tell(_ news: News, _ told: ((News) throws(Failure) -> Void)?) {
            guard let told, failure == nil else { return }
            do throws(Failure) { try told(news) } catch { failure = error }
        }
    }

    public static let limit = 10_000
    private let state = Mutex(State())

    /// What goes from an import to the one that resumes it.
    public struct Saved: Sendable, Equatable {
        public var list: [Shortfall]
        /// How many more there were, and of which attributes.
        public var beyond: Int
        public var kindsBeyond: Set<Shortfall.Attribute>

        public init(
            list: [Shortfall] = [], beyond: Int = 0, kindsBeyond: Set<Shortfall.Attribute> = []
        ) {
            self.list = list
            self.beyond = beyond
            self.kindsBeyond = kindsBeyond
        }
    }

    /// What was not known before.
    enum News: Sendable {
        case listed(Shortfall)
        /// The list is full, and this is the first of its kind behind it.
        case beyond(Shortfall.Attribute)
    }

    private let told: (@Sendable (News) throws(Failure) -> Void)?

    public convenience init() { self.init(Saved()) }

    public convenience init(_ saved: Saved) { self.init(saved, told: nil) }

    /// - Parameters:
    ///   - saved: those of an import that is resumed.
    ///   - told: called for what is new, one at a time.
    init(_ saved: Saved, told: (@Sendable (News) throws(Failure) -> Void)?) {
        self.told = told
        state.withLock { state in
            for shortfall in saved.list {
                let key = Key(path: shortfall.path, attribute: shortfall.attribute)
                if state.known.insert(key).inserted { state.list.append(shortfall) }
            }
            state.beyond = saved.beyond
            state.kindsBeyond = saved.kindsBeyond
        }
    }

    public var saved: Saved {
        state.withLock {
            Saved(list: $0.list, beyond: $0.beyond, kindsBeyond: $0.kindsBeyond)
        }
    }

    public func record(_ shortfall: Shortfall) {
        let key = Key(path: shortfall.path, attribute: shortfall.attribute)
        state.withLock { state in
            guard !state.known.contains(key) else { return }
            guard state.list.count < Self.limit else {
                state.beyond += 1
                if state.kindsBeyond.count < 1000,
                    state.kindsBeyond.insert(key.attribute).inserted
                {
                    state.tell(.beyond(key.attribute), told)
                }
                return
            }
            state.known.insert(key)
            state.list.append(shortfall)
            state.tell(.listed(shortfall), told)
        }
    }

    /// Throws when one could not be written down: asked before an object gets the name under which an
    /// import that resumes this one passes it over.
    func check() throws(Failure) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// All of them, however many were kept.
    public var count: Int { state.withLock { $0.list.count + $0.beyond } }

    /// Those kept, in the order they were told.
    public var list: [Shortfall] { state.withLock { $0.list } }

    /// Whether this attribute of this entry was told; where the list overflowed, whether it may be.
    public func covers(_ path: [UInt8], _ attribute: Shortfall.Attribute) -> Bool {
        state.withLock { state in
            state.known.contains(Key(path: path, attribute: attribute))
                || state.kindsBeyond.contains(attribute)
        }
    }
}
