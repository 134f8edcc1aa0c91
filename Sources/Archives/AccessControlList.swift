import Basics

/// A POSIX access control list (acl(5)), numeric, in the kernel's order.
public struct AccessControlList: Sendable, Hashable {
    public enum Tag: UInt16, Sendable {
        case owner = 0x01
        case user = 0x02
        case owningGroup = 0x04
        case group = 0x08
        case mask = 0x10
        case other = 0x20
    }

    public struct Item: Sendable, Hashable {
        public var tag: Tag
        /// Read 4, write 2, execute 1.
        public var permissions: UInt16
        /// The user or group of `.user` and `.group`; 0xffffffff for the others.
        public var id: UInt32

        public init(tag: Tag, permissions: UInt16, id: UInt32 = .max) {
            self.tag = tag
            self.permissions = permissions
            self.id = id
        }
    }

    public var items: [Item]

    public init(items: [Item]) { self.items = items }

    /// Adds permissions of the owner, as chmod(2) does.
    mutating func grantOwner(_ permissions: UInt16) {
        for index in items.indices where items[index].tag == .owner {
            items[index].permissions |= permissions
        }
    }
}
