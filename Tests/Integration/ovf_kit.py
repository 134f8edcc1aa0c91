"""Holds an OVF 1.x descriptor against what DMTF DSP0243 asks for and what importers (VirtualBox, virt-v2v, ovftool,
Proxmox VE) read: sections and their order, references, sizes and units, formats, controllers, cards, ids.

Written from the specification and the importers' documentation, apart from the writer.
"""
import os
import re
import urllib.parse
import xml.etree.ElementTree as xml

OVF = "http://schemas.dmtf.org/ovf/envelope/1"
RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
VSSD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
VMW = "http://www.vmware.com/schema/ovf"
FORMATS = {
    "vmdk": "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized",
    "qcow2": "http://www.gnome.org/~markmc/qcow-image-format.html",
    "raw": "http://www.qemu.org/raw-disk-image",
}
# The properties of CIM_ResourceAllocationSettingData, in the order in which the schema has them.
PROPERTIES = """Address AddressOnParent AllocationUnits AutomaticAllocation AutomaticDeallocation Caption ChangeableType
    ConfigurationName Connection ConsumerVisibility Description ElementName Generation HostResource InstanceID Limit
    MappingBehavior OtherResourceType Parent PoolID Reservation ResourceSubType ResourceType VirtualQuantity
    VirtualQuantityUnits Weight""".split()
CONTROLLERS = {"5": "IDE", "6": "SCSI", "20": "SATA"}
SUBTYPES = {"5": {"PIIX4", "PIIX3", "ICH6"}, "6": {"lsilogic", "lsilogicsas", "buslogic", "VirtualSCSI"},
            "20": {"AHCI", "vmware.sata.ahci"}, "10": {"E1000", "E1000e", "PCNet32", "VmxNet3"}}
MOST = {"5": 2, "6": 16, "20": 30}


class Wrong(AssertionError):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(f"OVF: {what}")


def local(element, namespace=OVF):
    need(element.tag.startswith("{" + namespace + "}"), f"{element.tag} is of another namespace")
    return element.tag.split("}")[1]


def attribute(element, name, optional=False):
    value = element.get("{" + OVF + "}" + name)
    need(optional or value is not None, f"{element.tag} has no ovf:{name}")
    return value


def items_of(hardware):
    """Each Item as a dictionary; checks what every one must have."""
    found, ids = [], set()
    for item in hardware.iter("{" + OVF + "}Item"):
        names = [local(child, RASD) for child in item]
        need(len(set(names)) == len(names), f"an Item has a property twice: {names}")
        need(all(name in PROPERTIES for name in names), f"unknown properties: {set(names) - set(PROPERTIES)}")
        need(names == sorted(names, key=PROPERTIES.index), f"properties in another order than the schema's: {names}")
        values = {local(child, RASD): child.text or "" for child in item}
        for name in ("ElementName", "InstanceID", "ResourceType"):
            need(values.get(name), f"an Item has no {name}: {values}")
        need(values["InstanceID"] not in ids, f"the InstanceID {values['InstanceID']} is there twice")
        ids.add(values["InstanceID"])
        need(values["ResourceType"].isdigit(), f"the type {values['ResourceType']}")
        found.append(values)
    return found


def check(text, directory=None):
    """Raises `Wrong` where a descriptor is none. With a directory, files must be there and fit.

    Gives back {"disks": […], "cards": […], "processors": n, "memory": MiB}.
    """
    root = xml.fromstring(text)
    need(local(root) == "Envelope", "the root is no Envelope")
    order = [local(child) for child in root]
    need(order[0] == "References", f"References are not the first: {order}")
    need(order[-1] == "VirtualSystem" and order.count("VirtualSystem") == 1, f"{order}")
    need(all(one.endswith("Section") for one in order[1:-1]) and "DiskSection" in order, f"{order}")
    for section in root:
        if local(section).endswith("Section") or local(section) == "VirtualSystem":
            need(local(section[0]) == "Info", f"{section.tag} does not begin with Info")

    files = {}
    for file in root[0]:
        need(local(file) == "File", f"References have a {file.tag}")
        identifier, reference = attribute(file, "id"), attribute(file, "href")
        need(identifier not in files, f"the file {identifier} is there twice")
        need(re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", reference) and not reference.startswith("/"), reference)
        files[identifier] = urllib.parse.unquote(reference), attribute(file, "size", optional=True)
    need(len({name for name, _ in files.values()}) == len(files), "a file is named twice")

    disks = {}
    for disk in root.find("{" + OVF + "}DiskSection")[1:]:
        need(local(disk) == "Disk", disk.tag)
        identifier = attribute(disk, "diskId")
        need(identifier not in disks, f"the disk {identifier} is there twice")
        need(attribute(disk, "fileRef") in files, f"no file {attribute(disk, 'fileRef')}")
        need(attribute(disk, "capacity").isdigit(), "a capacity is no number")
        units = attribute(disk, "capacityAllocationUnits", optional=True) or "byte"
        found = re.fullmatch(r"byte(?: \* 2\^(\d+))?", units)
        need(found, f"the units \"{units}\"")
        capacity = int(attribute(disk, "capacity")) << int(found[1] or 0)
        name, size = files[attribute(disk, "fileRef")]
        ending = name.rsplit(".", 1)[-1]
        need(attribute(disk, "format") == FORMATS.get(ending), f"{name} has the format {attribute(disk, 'format')}")
        need(capacity > 0 and (ending != "raw" or size is None or int(size) == capacity), f"{name}: {capacity} and {size}")
        disks[identifier] = {"file": name, "capacity": capacity, "size": size}
    need(len(disks) == len(files), "there are files that no disk is in")

    networks = []
    for section in root.findall("{" + OVF + "}NetworkSection"):
        networks = [attribute(one, "name") for one in section[1:]]
        need(all(local(one) == "Network" for one in section[1:]) and len(set(networks)) == len(networks), networks)

    system = root[-1]
    need(attribute(system, "id"), "the system has no id")
    children = [local(child) for child in system]
    need(children[:2] == ["Info", "Name"] and children.count("VirtualHardwareSection") == 1, f"{children}")
    kind = system.find("{" + OVF + "}OperatingSystemSection")
    need(kind is not None and 0 <= int(attribute(kind, "id")) <= 65535, "no kind of operating system")
    hardware = system.find("{" + OVF + "}VirtualHardwareSection")
    need([local(child) for child in hardware[:2]] == ["Info", "System"], "VirtualHardwareSection")
    facts = {local(child, VSSD): child.text for child in hardware[1]}
    need(list(facts) == sorted(facts) and facts["InstanceID"] == "0", f"{facts}")
    need(re.fullmatch(r"vmx-\d+|virtualbox-2\.2", facts["VirtualSystemType"]), f"{facts}")
    for child in hardware[2:]:
        if child.tag != "{" + OVF + "}Item":
            need(child.tag == "{" + VMW + "}Config" and attribute(child, "required") == "false", child.tag)

    return check_items(items_of(hardware), disks, networks) | check_files(files, disks, directory)


def check_items(items, disks, networks):
    of = lambda kind: [item for item in items if item["ResourceType"] == kind]
    [processor], [memory] = of("3"), of("4")
    need(int(processor["VirtualQuantity"]) > 0 and processor["AllocationUnits"] == "hertz * 10^6", f"{processor}")
    need(int(memory["VirtualQuantity"]) > 0 and memory["AllocationUnits"] == "byte * 2^20", f"{memory}")
    controllers, taken, used = {}, set(), []
    for kind in CONTROLLERS:
        for item in of(kind):
            need(item.get("ResourceSubType") in SUBTYPES[kind], f"{item}")
            controllers[item["InstanceID"]] = kind
        addresses = [item["Address"] for item in of(kind)]
        need(len(set(addresses)) == len(addresses), f"controllers at one address: {addresses}")
    for item in of("17") + of("15"):
        # Importers read from top to bottom.
        need(item.get("Parent") in controllers, f"the drive has no controller: {item}")
        need(items.index(item) > [one["InstanceID"] for one in items].index(item["Parent"]), "a drive before its controller")
        place, kind = (item["Parent"], item["AddressOnParent"]), controllers[item["Parent"]]
        need(place not in taken and 0 <= int(place[1]) < MOST[kind], f"two drives at one place, or none: {item}")
        need(kind != "6" or place[1] != "7", "unit 7 is the SCSI controller itself")
        taken.add(place)
    for item in of("17"):
        found = re.fullmatch(r"ovf:/disk/(.+)", item.get("HostResource", ""))
        need(found and found[1] in disks, f"the drive is of no disk: {item}")
        used.append(found[1])
    need(sorted(used) == sorted(disks), f"drives {used} and disks {sorted(disks)}")
    cards = of("10")
    for item in cards:
        need(item.get("Connection") in networks and item.get("ResourceSubType") in SUBTYPES["10"], f"{item}")
        need(item.get("AutomaticAllocation") in ("true", "false"), f"{item}")
        need("Address" not in item or re.fullmatch(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", item["Address"]), f"{item}")
    known = {"3", "4", "10", "15", "17", *CONTROLLERS}
    need(all(item["ResourceType"] in known for item in items), "an Item of an unknown type")
    return {"cards": cards, "processors": int(processor["VirtualQuantity"]), "memory": int(memory["VirtualQuantity"]),
            "media": of("15")}


def check_files(files, disks, directory):
    if directory:
        for name, size in files.values():
            path = os.path.join(directory, name)
            need(os.path.isfile(path), f"there is no {name}")
            need(size is not None and int(size) == os.stat(path).st_size, f"{name} has {os.stat(path).st_size} bytes, not {size}")
    return {"disks": list(disks.values())}
