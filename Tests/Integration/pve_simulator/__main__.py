"""Starts the simulator, prints one line of JSON that says how to reach it, and runs until it is ended."""
import argparse
import json
import signal
import sys
import threading

from . import SchemaMissing, Simulator
from .sample import fill


def main():
    parser = argparse.ArgumentParser(prog="pve_simulator", description="A simulator of Proxmox VE, for tests.")
    parser.add_argument("--directory", required=True, help="where its state goes; made where it is not there")
    parser.add_argument("--version", choices=["7.4", "8.4", "9.2"], default="8.4")
    parser.add_argument("--nodes", default="pve1", help="names, with commas between them")
    parser.add_argument("--port", type=int, default=0, help="of the first node; 0 takes a free one")
    parser.add_argument("--vectors", help="the folder with proxmox/api-schema-*.json; ../shared/vectors else")
    parser.add_argument("--delay", type=float, default=3.0, help="seconds that an answer 401 waits")
    parser.add_argument("--password", default="root-password", help="of root@pam")
    parser.add_argument("--no-ssh", action="store_true", help="without an sshd")
    parser.add_argument("--sample", action="store_true", help="with a few guests to begin with")
    arguments = parser.parse_args()
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    try:
        simulator = Simulator(arguments.directory, arguments.version, arguments.nodes.split(","), arguments.port,
                              arguments.delay, arguments.vectors, arguments.password, not arguments.no_ssh)
    except SchemaMissing as missing:
        print(f"SKIPPED pve_simulator: the API schema is not there: {missing}", file=sys.stderr)
        return 77
    with simulator as pve:
        token = pve.add_token()
        if arguments.sample:
            fill(pve)
        print(json.dumps({**pve.description(), "token": token}), flush=True)
        stop.wait()
    return 0


sys.exit(main())
