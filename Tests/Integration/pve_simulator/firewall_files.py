"""The text of `.fw` files, read and written."""
import re
import shlex

FLAGS = {"source": "-source", "dest": "-dest", "proto": "-p", "dport": "-dport", "sport": "-sport",
         "log": "-log", "iface": "-i", "icmp-type": "-icmp-type"}
BACK = {flag: key for key, flag in FLAGS.items()}


def empty():
    return {"options": {}, "rules": [], "aliases": {}, "ipset": {}, "groups": {}}


def parse(text):
    result, section, name = empty(), None, None
    for line in text.splitlines():
        line = line.strip()
        found = re.fullmatch(r"\[(\w+)(?:\s+([\w-]+))?\]\s*(?:#\s*(.*))?", line)
        if found:
            section, name = found[1].upper(), found[2]
            if section == "IPSET":
                result["ipset"][name] = {"comment": found[3], "members": {}}
            elif section == "GROUP":
                result["groups"][name] = {"comment": found[3], "rules": []}
        elif not line or line.startswith("#"):
            continue
        elif section == "OPTIONS":
            key, _, value = line.partition(":")
            result["options"][key.strip()] = int(value) if value.strip().isdigit() else value.strip()
        elif section == "RULES":
            result["rules"].append(parse_rule(line))
        elif section == "GROUP":
            result["groups"][name]["rules"].append(parse_rule(line))
        elif section == "ALIASES":
            line, _, comment = line.partition("#")
            alias, cidr = line.split()
            result["aliases"][alias] = {"cidr": cidr, **({"comment": comment.strip()} if comment else {})}
        elif section == "IPSET":
            line, _, comment = line.partition("#")
            cidr = line.strip().lstrip("!")
            result["ipset"][name]["members"][cidr] = {
                **({"nomatch": 1} if line.startswith("!") else {}),
                **({"comment": comment.strip()} if comment else {})}
    return result


def parse_rule(line):
    line, _, comment = line.partition("#")
    enable = 0 if line.startswith("|") else 1
    words = shlex.split(line.lstrip("|"))
    rule = {"enable": enable, "type": words[0].lower() if words[0] != "GROUP" else "group"}
    found = re.fullmatch(r"(\w+)\((\w+)\)", words[1])
    if found:
        rule.update(macro=found[1], action=found[2])
    else:
        rule["action"] = words[1]
    rule.update({BACK[flag]: value for flag, value in zip(words[2::2], words[3::2]) if flag in BACK})
    if comment.strip():
        rule["comment"] = comment.strip()
    return rule


def print_rule(rule):
    action = f"{rule['macro']}({rule['action']})" if rule.get("macro") else rule["action"]
    text = ("" if rule.get("enable") else "|") + f"{rule['type'].upper()} {action}"
    text += "".join(f" {flag} {rule[key]}" for key, flag in FLAGS.items() if rule.get(key))
    return text + (f" # {rule['comment']}" if rule.get("comment") else "")


def text_of(firewall):
    parts = []
    if firewall["options"]:
        parts.append("[OPTIONS]\n\n" + "".join(f"{key}: {value}\n" for key, value in firewall["options"].items()))
    if firewall["aliases"]:
        parts.append("[ALIASES]\n\n" + "".join(
            f"{name} {entry['cidr']}" + (f" # {entry['comment']}" if entry.get("comment") else "") + "\n"
            for name, entry in firewall["aliases"].items()))
    for name, entry in firewall["ipset"].items():
        parts.append(f"[IPSET {name}]" + (f" # {entry['comment']}" if entry.get("comment") else "") + "\n\n" + "".join(
            ("!" if one.get("nomatch") else "") + cidr + (f" # {one['comment']}" if one.get("comment") else "") + "\n"
            for cidr, one in entry["members"].items()))
    if firewall["rules"]:
        parts.append("[RULES]\n\n" + "".join(print_rule(rule) + "\n" for rule in firewall["rules"]))
    for name, entry in firewall["groups"].items():
        parts.append(f"[group {name}]" + (f" # {entry['comment']}" if entry.get("comment") else "") + "\n\n" + "".join(
            print_rule(rule) + "\n" for rule in entry["rules"]))
    return "\n".join(parts)
