"""Sizes and numbers as people write them."""
import re

_factors = {
    "": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}


def parse(text):
    """Bytes of a size such as 2GiB."""
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text.strip())
    if not match or match[2].upper() not in _factors:
        raise ValueError(f"not a size: {text}")
    return int(match[1]) * _factors[match[2].upper()]


def size(count):
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def mebibytes(count):
    return f"{count / 2**20:.0f}"


def number(count):
    """An integer with thin groups of thousands."""
    return f"{count:,}".replace(",", " ")
