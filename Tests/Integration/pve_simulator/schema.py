"""The API schema of one version of Proxmox VE: which call exists, and which parameters it takes."""
import json
import os
import pathlib
import re

from .errors import Refused
from .formats import check_format, parse_properties

# 8.3 has no schema of its own: that of 8.4 stands in, and what it lacks is refused where it is done.
FILES = {"7.4": "api-schema-7.4.json", "8.3": "api-schema-8.4.json", "8.4": "api-schema-8.4.json",
         "9.2": "api-schema-9.2.json"}
REST = {"{volume}", "{cidr}"}  # these take what is left of a path, slashes too


class SchemaMissing(Exception):
    pass


def find_schema(version, vectors=None):
    """The schema's file: in `vectors`, or in `../shared/vectors` beside the checkout."""
    root = pathlib.Path(__file__).resolve().parents[3]
    places = [vectors] if vectors else [os.environ.get("EXEAT_VECTORS"), root.parent / "shared/vectors",
                                        root.parent.parent / "shared/vectors"]
    for place in filter(None, places):
        for path in (pathlib.Path(place) / "proxmox" / FILES[version], pathlib.Path(place) / FILES[version]):
            if path.exists():
                return path
    raise SchemaMissing(f"{FILES[version]} is in none of {[str(place) for place in places if place]}")


def pattern_of(text):
    """A Perl pattern as Python's; `(?^:` resets flags and means a plain group here."""
    return re.compile(re.sub(r"\(\?\^[a-z]*:", "(?:", text).replace(r"\z", r"\Z"))


class Schema:
    def __init__(self, version, vectors=None):
        with open(find_schema(version, vectors)) as file:
            document = json.load(file)
        self.version = version
        self.release = document["version"] if document["version"].startswith(version) else version + ".5"
        self.tree = {}
        for method in document["methods"]:
            node = self.tree
            for part in method["path"].strip("/").split("/") if method["path"] != "/" else []:
                node = node.setdefault(part, {})
            node.setdefault("", {})[method["method"]] = method

    def find(self, verb, path):
        """The method and the parameters in its path; 501 as the real server for what does not exist."""
        found = self._descend(self.tree, [part for part in path.split("/") if part != ""], {})
        if not found or verb not in found[0].get("", {}):
            raise Refused(501, f"Method '{verb} {path}' not implemented")
        return found[0][""][verb], found[1]

    def _descend(self, node, parts, values):
        if not parts:
            return node, values
        if parts[0] in node and parts[0] != "":
            return self._descend(node[parts[0]], parts[1:], values)
        for name, child in node.items():
            if name in REST:
                return child, {**values, name[1:-1]: "/".join(parts)}
            if name.startswith("{"):
                return self._descend(child, parts[1:], {**values, name[1:-1]: parts[0]})
        return None

    def verify(self, method, values):
        """Gives back the values in their types, or refuses with an error for each bad parameter."""
        parameters = method.get("parameters") or {}
        properties = parameters.get("properties") or {}
        errors, result = {}, {}
        for name, value in values.items():
            definition = self.definition(properties, name)
            if definition is None:
                if parameters.get("additionalProperties", 1) in (0, False):
                    errors[name] = ("property is not defined in schema and the schema does not allow "
                                    "additional properties")
                else:
                    result[name] = value
                continue
            try:
                result[name] = self.value(definition, value)
            except ValueError as error:
                errors[name] = str(error)
            needed = definition.get("requires")
            if needed and needed not in values:
                errors[needed] = f"missing property - '{name}' requires this property"
        for name, definition in properties.items():
            if name not in values and not name.endswith("[n]") and not definition.get("optional"):
                errors[name] = "property is missing and it is not optional"
        if errors:
            raise Refused(400, "Parameter verification failed.", errors)
        return result

    @staticmethod
    def definition(properties, name):
        if name in properties:
            return properties[name]
        found = re.fullmatch(r"([a-z_-]+?)(0|[1-9]\d{0,2})", name)
        definition = found and properties.get(found[1] + "[n]")
        if definition:
            limit = re.search(r"n is 0 to (\d+)", definition.get("description", ""))
            highest = int(limit[1]) if limit else {"net": 31, "unused": 255, "mp": 255, "ide": 3, "sata": 5,
                                                   "virtio": 15, "scsi": 30, "hostpci": 15, "usb": 13,
                                                   "serial": 3, "parallel": 2}.get(found[1], 255)
            if int(found[2]) <= highest:
                return definition
        return None

    def value(self, definition, value):
        kind = definition.get("type", "string")
        if kind == "array":
            items = value if isinstance(value, list) else [value]
            return [self.value(definition.get("items") or {}, item) for item in items]
        if isinstance(value, (list, dict)):
            raise ValueError(f"type check ('{kind}') failed - got {type(value).__name__}")
        if isinstance(value, bool):
            value = "1" if value else "0"
        text = str(value)
        if kind == "boolean":
            if re.fullmatch(r"(?i)1|on|yes|true", text):
                return 1
            if re.fullmatch(r"(?i)0|off|no|false", text):
                return 0
            raise ValueError(f"type check ('boolean') failed - got '{text}'")
        if kind in ("integer", "number"):
            if not re.fullmatch(r"[+-]?\d+" if kind == "integer" else r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text):
                raise ValueError(f"type check ('{kind}') failed - got '{text}'")
            result = int(text) if kind == "integer" else float(text)
            if "minimum" in definition and result < float(definition["minimum"]):
                raise ValueError(f"value must have a minimum value of {definition['minimum']}")
            if "maximum" in definition and result > float(definition["maximum"]):
                raise ValueError(f"value must have a maximum value of {definition['maximum']}")
            return result
        self.check_text(definition, text)
        return text

    def check_text(self, definition, text):
        if "minLength" in definition and len(text) < int(definition["minLength"]):
            raise ValueError(f"value must be at least {definition['minLength']} characters long")
        if "maxLength" in definition and len(text) > int(definition["maxLength"]):
            raise ValueError(f"value may only be {definition['maxLength']} characters long")
        if definition.get("pattern") and not pattern_of("^(?:" + definition["pattern"] + ")$").search(text):
            raise ValueError("value does not match the regex pattern")
        if definition.get("enum") and text not in [str(one) for one in definition["enum"]]:
            raise ValueError(f"value '{text}' does not have a value in the enumeration "
                             f"'{', '.join(str(one) for one in definition['enum'])}'")
        form = definition.get("format")
        if isinstance(form, str):
            try:
                check_format(form, text)
            except ValueError as error:
                raise ValueError(f"invalid format - {error}\n") from None
        elif form:
            self.check_properties(form, text)

    def check_properties(self, form, text):
        default = next((key for key, one in form.items() if one.get("default_key")), None)
        try:
            values = parse_properties(text, default)
        except ValueError as error:
            raise ValueError(f"invalid format - {error}\n") from None
        problems = []
        for key, value in list(values.items()):
            definition = form.get(key)
            if definition and "alias" in definition:
                if "keyAlias" in definition:
                    values[definition["keyAlias"]] = key
                values[definition["alias"]] = value
                definition = form.get(definition["alias"])
            if definition is None:
                problems.append(f"{key}: property is not defined in schema and the schema does not allow "
                                "additional properties")
                continue
            try:
                self.value(definition, value)
            except ValueError as error:
                problems.append(f"{key}: {error}")
        problems += [f"{key}: property is missing and it is not optional" for key, one in form.items()
                     if key not in values and not one.get("optional") and "alias" not in one]
        if problems:
            raise ValueError("invalid format - format error\n" + "\n".join(problems) + "\n")
