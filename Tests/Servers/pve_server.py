#!/usr/bin/env python3
"""Starts the simulator of Proxmox VE for tests in Swift.

    pve_server.py FOLDER DIRECTORY VERSION    FOLDER holds the module pve_simulator

Prints one line of JSON with what a client must know, then carries out the `pveum` commands that come
on standard input, with "done" for each. Ends with its standard input.
"""
import json
import os
import shlex
import sys

sys.path.insert(0, sys.argv[1])
from pve_simulator import Simulator  # noqa: E402

TOTP = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def pveum(access, words):
    options = dict(zip(words[4::2], words[5::2]))
    if words[:3] == ["pveum", "role", "add"]:
        access.roles[words[3]] = set(options["--privs"].split())
    elif words[:3] == ["pveum", "acl", "modify"]:
        access.grant(words[3], options.get("--tokens") or options["--users"], options["--roles"],
                     int(options["--propagate"]))
    else:
        return "unknown"
    return "done"


with Simulator(sys.argv[2], version=sys.argv[3], delay=0.05, ssh=False) as pve:
    pve.access.add_user("exeat@pve", "user-password")
    pve.access.add_user("totp@pve", "user-password")
    pve.access.totp["totp@pve"] = TOTP
    known = {"url": pve.url, "fingerprint": pve.fingerprint, "ca": pve.ca, "node": pve.nodes[0],
             "totp": TOTP, "token": pve.access.add_token("exeat@pve", "export"),
             "expired": pve.access.add_token("exeat@pve", "old", expire=1)}
    print(json.dumps(known), flush=True)
    for line in sys.stdin:
        print(pveum(pve.access, shlex.split(line)), flush=True)
    os._exit(0)
