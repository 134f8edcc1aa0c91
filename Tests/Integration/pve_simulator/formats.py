"""Checks of the named formats in the API schema, and of property strings (`a=1,b=2`)."""
import ipaddress
import re

CONFIG_ID = r"[A-Za-z][A-Za-z0-9_-]+"
NODE = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
DNS_LABEL = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
STORAGE_ID = r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]"
REALM = r"[A-Za-z][A-Za-z0-9.\-_]+"
USER = rf"[^\s:/]+@{REALM}"
PATTERNS = {
    "pve-configid": CONFIG_ID,
    "pve-node": NODE,
    "pve-storage-id": STORAGE_ID,
    "pve-vmid": r"[1-9][0-9]{2,8}",
    "pve-userid": USER,
    "pve-tokenid": rf"{USER}!{REALM}",
    "pve-realm": REALM,
    "pve-groupid": r"[A-Za-z0-9._-]+",
    "pve-roleid": r"[A-Za-z0-9._-]+",
    "pve-poolid": r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){0,2}",
    "dns-name": rf"{DNS_LABEL}(?:\.{DNS_LABEL})*",
    "mac-addr": r"[0-9A-Fa-f][02468ACEace](?::[0-9A-Fa-f]{2}){5}",
    "mac-prefix": r"[0-9A-Fa-f][02468ACEace](?::[0-9A-Fa-f]{2}){0,2}:?",
    "pve-volume-id": rf"{STORAGE_ID}:\S+",
    "pve-volume-id-or-qm-path": rf"none|cdrom|/\S+|{STORAGE_ID}:\S+",
    "pve-volume-id-or-absolute-path": rf"/\S+|{STORAGE_ID}:\S+",
    "pve-iface": r"[a-zA-Z][a-zA-Z0-9_]{1,20}(?:[:.]\d+)?",
    "pve-bridge-id": r"[-_.\w]+",
    "pve-sdn-zone-id": r"[a-z][a-z0-9]*[a-z0-9]",
    "pve-sdn-vnet-id": r"[a-zA-Z][a-zA-Z0-9]*[a-zA-Z0-9]",
    "pve-sdn-ipam-id": r"[a-zA-Z][a-zA-Z0-9]*[a-zA-Z0-9]",
    "pve-sdn-dns-id": r"[a-zA-Z][a-zA-Z0-9]*[a-zA-Z0-9]",
    "pve-sdn-controller-id": r"[a-z][a-z0-9_-]*[a-z0-9]",
    "pve-ha-resource-or-vm-id": r"(?:(?:vm|ct):)?[1-9][0-9]{2,8}",
    "pve-ha-resource-id": r"(?:vm|ct):[1-9][0-9]{2,8}",
    "pve-storage-path": r"/[^\0]+",
    "pve-storage-content": r"images|rootdir|vztmpl|iso|backup|snippets|import|none",
    "pve-tag": r"[A-Za-z0-9_][A-Za-z0-9_\-+.]*",
    "pve-cpuset": r"\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*",
    "urlencoded": r"[-%a-zA-Z0-9_.!~*'()]*",
    "email": r"[^\s@]+@[^\s@]+",
    "email-opt": r"(?:[^\s@]+@[^\s@]+)?",
    "pve-task-status-type": r"ok|error|warning|unknown",
    "pve-day-of-week": r"mon|tue|wed|thu|fri|sat|sun",
    "pve-replication-job-id": r"[1-9][0-9]{2,8}-\d{1,9}",
    "pve-hotplug-features": r"[01]|(?:(?:network|disk|cpu|memory|usb|cloudinit)(?:,|$))+",
    "pve-startup-order": r"(?:(?:(?:order=)?\d+|up=\d+|down=\d+)(?:,|$))+",
    "pve-fw-protocol-spec": r"[a-zA-Z0-9\-]+",
    "pve-fw-icmp-type-spec": r"[a-z0-9\-/]+",
    "lxc-ip-with-ll-iface": r"\S+",
    "proxmox-remote": r"(?:[\w-]+=[^,]+)(?:,[\w-]+=[^,]+)*",
}
# Keys of property strings whose format the schema only names.
KEYS = {
    "backup-fleecing": "enabled storage",
    "backup-performance": "max-workers pbs-entries-max",
    "prune-backups": "keep-all keep-last keep-hourly keep-daily keep-weekly keep-monthly keep-yearly",
    "pve-qm-smbios1": "uuid version serial manufacturer product sku family base64",
    "pve-qm-ipconfig": "ip gw ip6 gw6",
    "pve-qm-cicustom": "meta network user vendor",
    "pve-vm-cpu-conf": "cputype flags hidden hv-vendor-id phys-bits reported-model level guest-phys-bits",
    "pve-qm-rng": "source max_bytes period",
    "pve-qm-watchdog": "model action",
    "pve-qm-boot": "legacy order",
    "pve-qm-hostpci": "host rombar romfile pcie x-vga legacy-igd mdev mapping vendor-id device-id "
                      "sub-vendor-id sub-device-id ramfb driver",
    "pve-qm-ide": "file media cyls heads secs trans snapshot cache format serial size aio discard backup "
                  "replicate rerror werror model shared ssd wwn detect_zeroes mbps mbps_rd mbps_wr iops "
                  "iops_rd iops_wr mbps_max iops_max import-from volume bps bps_rd bps_wr",
}
DEFAULT_KEYS = {"backup-fleecing": "enabled", "pve-vm-cpu-conf": "cputype", "pve-qm-rng": "source",
                "pve-qm-watchdog": "model", "pve-qm-boot": "legacy", "pve-qm-hostpci": "host",
                "pve-qm-ide": "file"}


def split_list(text):
    return [part for part in re.split(r"[,;\s\0]+", text.strip()) if part]


def parse_properties(text, default_key=None):
    """`value,key=value,…` as a dictionary; the first value without a key is the default key's."""
    result = {}
    for part in text.split(","):
        if part == "":
            continue
        key, equals, value = part.partition("=")
        if not equals or (default_key and default_key not in result and "/" in key):
            if default_key is None or default_key in result:
                raise ValueError(f"invalid format - value without key, but schema does not define a default key")
            key, value = default_key, part
        if key in result:
            raise ValueError(f"duplicate key in comma-separated list property: {key}")
        result[key] = value
    return result


def print_properties(values, default_key=None):
    parts = [str(values[default_key])] if default_key in values else []
    return ",".join(parts + [f"{key}={value}" for key, value in values.items() if key != default_key])


def address(text, network=None):
    (ipaddress.ip_interface if network else ipaddress.ip_address)(text)


def firewall_addresses(text):
    if re.fullmatch(r"\+?(?:(?:dc|guest|sdn)/)?[A-Za-z][\w-]+", text):
        return
    for part in split_list(text):
        for end in part.split("-") if "/" not in part else [part]:
            ipaddress.ip_interface(end)


def ports(text):
    for part in split_list(text):
        if not re.fullmatch(r"\d{1,5}(?::\d{1,5})?|[a-z][a-z0-9\-]*", part):
            raise ValueError("invalid port")
        if any(number.isdigit() and int(number) > 65535 for number in part.split(":")):
            raise ValueError("invalid port")


CHECKS = {
    "ip": address, "ipv4": lambda text: ipaddress.IPv4Address(text),
    "ipv6": lambda text: ipaddress.IPv6Address(text),
    "CIDR": lambda text: ipaddress.ip_interface(text if "/" in text else "-"),
    "CIDRv4": lambda text: ipaddress.IPv4Interface(text if "/" in text else "-"),
    "CIDRv6": lambda text: ipaddress.IPv6Interface(text if "/" in text else "-"),
    "IPorCIDR": lambda text: ipaddress.ip_interface(text),
    "pve-fw-addr-spec": firewall_addresses, "IPorCIDRorAlias": firewall_addresses,
    "pve-fw-dport-spec": ports, "pve-fw-sport-spec": ports,
}


def check_format(name, text):
    """Raises ValueError where `text` is not of the format; formats that are not known here pass."""
    if name in CHECKS:
        try:
            CHECKS[name](text)
        except ValueError:
            raise ValueError(f"value does not look like a valid {name}: '{text}'") from None
    elif name in PATTERNS:
        if not re.fullmatch(PATTERNS[name], text):
            raise ValueError(f"value '{text}' does not look like a valid {name}")
    elif name in KEYS:
        values = parse_properties(text, DEFAULT_KEYS.get(name))
        for key in values:
            if key not in KEYS[name].split():
                raise ValueError(f"property is not defined in schema: {key}")
    elif name.endswith("-list"):
        for part in split_list(text):
            check_format(name[:-5], part)
