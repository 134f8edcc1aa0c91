/// What the configuration of a cluster consists of: every GET that shows a part of it.
///
/// Source: the API viewer of Proxmox VE 7.4, 8.4 and 9; access rights stand with each call there.
struct ConfigurationQuery: Sendable {
    /// The path below `/api2/json`; a word in braces is a name taken from the answer of `parent`, or
    /// `{node}`.
    let path: String
    /// The query whose answer lists the names, and the member that is the name.
    let parent: String?
    let member: String
    /// Major versions that have it, 9 standing for later ones too.
    let versions: ClosedRange<Int>
    let parameters: [(String, String)]
    /// The parameter of `parent` that shows one object, for names that a path cannot hold; nil where
    /// there are none such.
    let selector: String?

    init(
        _ path: String, parent: String? = nil, member: String = "",
        _ versions: ClosedRange<Int> = 7...9,
        parameters: [(String, String)] = [], selector: String? = nil
    ) {
        self.path = path
        self.parent = parent
        self.member = member
        self.versions = versions
        self.parameters = parameters
        self.selector = selector
    }

    /// Of the cluster as a whole, each behind the one that lists its names.
    static let cluster: [ConfigurationQuery] = [
        .init("/version"),
        .init("/storage"),
        .init("/access/users", parameters: [("full", "1")]),
        .init("/access/users/{user}/token", parent: "/access/users", member: "userid"),
        .init("/access/groups"),
        .init("/access/groups/{group}", parent: "/access/groups", member: "groupid"),
        .init("/access/roles"),
        .init("/access/domains"),
        .init("/access/domains/{realm}", parent: "/access/domains", member: "realm"),
        .init("/access/acl"),
        .init("/access/tfa"),
        .init("/pools"),
        .init("/pools/{pool}", parent: "/pools", member: "poolid", selector: "poolid"),
        .init("/cluster/status"),
        .init("/cluster/options"),
        .init("/cluster/config/nodes"),
        .init("/cluster/config/totem"),
        .init("/cluster/config/join"),
        .init("/cluster/firewall/options"),
        .init("/cluster/firewall/rules"),
        .init("/cluster/firewall/groups"),
        .init(
            "/cluster/firewall/groups/{group}", parent: "/cluster/firewall/groups", member: "group"),
        .init("/cluster/firewall/aliases"),
        .init("/cluster/firewall/ipset"),
        .init("/cluster/firewall/ipset/{set}", parent: "/cluster/firewall/ipset", member: "name"),
        .init("/cluster/sdn/zones", parameters: [("pending", "1")]),
        .init("/cluster/sdn/vnets", parameters: [("pending", "1")]),
        .init(
            "/cluster/sdn/vnets/{vnet}/subnets", parent: "/cluster/sdn/vnets", member: "vnet",
            parameters: [("pending", "1")]),
        .init(
            "/cluster/sdn/vnets/{vnet}/firewall/options", parent: "/cluster/sdn/vnets",
            member: "vnet", 8...9),
        .init(
            "/cluster/sdn/vnets/{vnet}/firewall/rules", parent: "/cluster/sdn/vnets",
            member: "vnet", 8...9),
        .init("/cluster/sdn/controllers", parameters: [("pending", "1")]),
        .init("/cluster/sdn/ipams"),
        .init(
            "/cluster/sdn/ipams/{ipam}/status", parent: "/cluster/sdn/ipams", member: "ipam", 8...9),
        .init("/cluster/sdn/dns"),
        .init("/cluster/sdn/fabrics/all", 9...9),
        .init("/cluster/sdn/prefix-lists", 9...9),
        .init("/cluster/sdn/route-maps", 9...9),
        .init("/cluster/ha/resources"),
        .init("/cluster/ha/groups", 7...8),
        .init("/cluster/ha/rules", 9...9),
        .init("/cluster/ha/status/manager_status"),
        .init("/cluster/backup"),
        .init("/cluster/backup/{job}", parent: "/cluster/backup", member: "id"),
        .init("/cluster/backup/{job}/included_volumes", parent: "/cluster/backup", member: "id"),
        .init("/cluster/backup-info/not-backed-up"),
        .init("/cluster/replication"),
        .init("/cluster/jobs/realm-sync", 8...9),
        .init("/cluster/notifications/endpoints/gotify", 8...9),
        .init("/cluster/notifications/endpoints/sendmail", 8...9),
        .init("/cluster/notifications/endpoints/smtp", 8...9),
        .init("/cluster/notifications/endpoints/webhook", 8...9),
        .init("/cluster/notifications/matchers", 8...9),
        .init("/cluster/notifications/targets", 8...9),
        .init("/cluster/mapping/pci", 8...9),
        .init("/cluster/mapping/usb", 8...9),
        .init("/cluster/mapping/dir", 8...9),
        .init("/cluster/metrics/server"),
        .init("/cluster/metrics/server/{server}", parent: "/cluster/metrics/server", member: "id"),
        .init("/cluster/acme/account"),
        .init("/cluster/acme/account/{account}", parent: "/cluster/acme/account", member: "name"),
        .init("/cluster/acme/plugins"),
        .init("/cluster/qemu/custom-cpu-models", 9...9),
        .init("/cluster/ceph/metadata"),
        .init("/nodes"),
    ]

    /// Of each node.
    static let node: [ConfigurationQuery] = [
        "network", "dns", "hosts", "time", "config", "subscription", "services",
        "apt/repositories", "apt/versions", "disks/list", "disks/zfs", "disks/lvm",
        "disks/lvmthin", "certificates/info", "firewall/options", "firewall/rules",
        "vzdump/defaults", "storage", "qemu", "lxc", "status", "report", "ceph/cfg/raw",
        "ceph/osd", "ceph/pool", "ceph/mon", "ceph/mds", "ceph/fs", "ceph/rules",
    ].map { .init("/nodes/{node}/" + $0) }

    /// Of each guest of the export, below `/nodes/{node}/qemu/{id}` or `…/lxc/{id}`.
    static let guest: [ConfigurationQuery] = [
        .init("/config"),
        .init("/pending"),
        .init("/snapshot"),
        .init("/snapshot/{snapshot}/config", parent: "/snapshot", member: "name"),
        .init("/firewall/options"),
        .init("/firewall/rules"),
        .init("/firewall/aliases"),
        .init("/firewall/ipset"),
        .init("/firewall/ipset/{set}", parent: "/firewall/ipset", member: "name"),
    ]

    /// What no call ever shows, by the path that shows the rest: to be entered again by hand.
    static let withheld: [(path: String, what: String)] = [
        ("/access/users", "passwords of users of the realm pve"),
        ("/access/users/{user}/token", "secrets of API tokens: issue them anew"),
        ("/access/tfa", "second factors: users enrol again"),
        ("/access/domains/{realm}", "bind passwords of LDAP and client keys of OpenID realms"),
        (
            "/storage",
            "passwords, keys and encryption keys of storages (CIFS, PBS, RBD, CephFS, iSCSI CHAP, ESXi)"
        ),
        ("/cluster/notifications/endpoints/gotify", "tokens of gotify endpoints"),
        ("/cluster/notifications/endpoints/smtp", "passwords of SMTP endpoints"),
        ("/cluster/notifications/endpoints/webhook", "secrets of webhook endpoints"),
        ("/cluster/metrics/server", "tokens of metric servers"),
        ("/cluster/acme/account", "private keys of ACME accounts"),
        ("/cluster/acme/plugins", "credentials of DNS plugins"),
        ("/cluster/sdn/ipams", "tokens of IPAM systems"),
        ("/cluster/sdn/dns", "keys of DNS servers"),
        ("/nodes/{node}/certificates/info", "private keys of certificates"),
        ("/cluster/config/join", "keys of the cluster: corosync, CA, authentication"),
    ]
}
