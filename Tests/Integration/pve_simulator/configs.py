"""Files under etc-pve: guests' configurations, with snapshots and pending changes, and section files."""
import re
import urllib.parse

DISK = re.compile(r"^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0|unused\d+)$")
BUS_DISK = re.compile(r"^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0)$")
MOUNT = re.compile(r"^(?:rootfs|mp\d+)$")


class GuestConfig:
    """The main section in `values`, `[PENDING]` in `pending`, snapshots in `snapshots`."""

    def __init__(self, text=""):
        self.values, self.pending, self.snapshots, self.comments = {}, {}, {}, []
        section, description = self.values, []
        for line in text.splitlines():
            found = re.fullmatch(r"\[(.+)\]", line.strip())
            if found:
                name = found[1]
                section = self.pending if name.upper() == "PENDING" else self.snapshots.setdefault(name, {})
            elif line.startswith("#"):
                if section is self.values:
                    description.append(urllib.parse.unquote(line[1:]))
                else:
                    section["description"] = section.get("description", "") + urllib.parse.unquote(line[1:]) + "\n"
            elif line.strip():
                key, _, value = line.partition(":")
                if key.startswith("lxc."):
                    section.setdefault("lxc", []).append([key, value.strip()])
                else:
                    section[key.strip()] = value.strip()
        if description:
            self.values["description"] = "\n".join(description) + "\n"

    def text(self):
        parts = [self._section(self.values)]
        if self.pending:
            parts.append("[PENDING]\n" + self._section(self.pending))
        parts += [f"[{name}]\n" + self._section(values) for name, values in self.snapshots.items()]
        return "\n".join(parts)

    @staticmethod
    def _section(values):
        lines = []
        for line in str(values.get("description", "")).splitlines():
            lines.append("#" + urllib.parse.quote(line, safe=" !\"$&'()*+,-./:;<=>?@[]^_`{|}~"))
        for key in sorted(values):
            if key == "lxc":
                lines += [f"{name}: {value}" for name, value in values[key]]
            elif key != "description":
                lines.append(f"{key}: {values[key]}")
        return "".join(line + "\n" for line in lines)


def section_file(sections):
    """`type: id` and indented keys, as storage.cfg and its kin are written."""
    text = []
    for identifier, (kind, values) in sections.items():
        text.append(f"{kind}: {identifier}\n")
        text += [f"\t{key} {value}\n" for key, value in values.items() if value is not None]
        text.append("\n")
    return "".join(text)


def size_text(size):
    for unit, factor in (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def parse_size(text):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", str(text))
    return int(float(found[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}[found[2]])
