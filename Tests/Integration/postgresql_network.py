#!/usr/bin/env python3
"""A network that is cut in silence in the middle of an export and of an import: noticed within a
minute or so, told, and the same command ends well once it is back.

Exeat runs in a network namespace of its own; the cut gives the other side a wrong hardware address, so
packets vanish and nothing is closed. Needs root.
"""
import subprocess
import time

from postgresql_kit import *

# Sixty seconds, and what a loaded machine takes beside.
NOTICED = 150


class Line:
    """A pair of virtual interfaces between this namespace and another."""

    def __init__(self):
        number = os.getpid() % 250
        self.space = f"exeat-test-{os.getpid()}"
        # As those of containers, which whoever takes down the facts of this machine meanwhile passes over.
        self.here, self.there = f"vethh{os.getpid()}"[:15], f"vetht{os.getpid()}"[:15]
        self.server, self.client = f"10.213.{number}.1", f"10.213.{number}.2"

    def ip(self, *words, inside=False, check=True):
        space = ["-n", self.space] if inside else []
        done = subprocess.run(["ip", *space, *words], capture_output=True, text=True) if shutil.which("ip") else None
        if check and (done is None or done.returncode != 0):
            raise Skip(f"no network namespaces here: {done.stderr.strip() if done else 'ip is not installed'}")

    def open(self):
        self.ip("netns", "add", self.space)
        self.ip("link", "add", self.here, "type", "veth", "peer", "name", self.there, "netns", self.space)
        self.ip("addr", "add", self.server + "/30", "dev", self.here)
        self.ip("link", "set", self.here, "up")
        self.ip("addr", "add", self.client + "/30", "dev", self.there, inside=True)
        self.ip("link", "set", self.there, "up", inside=True)
        self.ip("link", "set", "lo", "up", inside=True)

    def cut(self):
        for address, device, inside in ((self.client, self.here, False), (self.server, self.there, True)):
            self.ip("neigh", "replace", address, "lladdr", "02:00:00:00:00:01", "dev", device, "nud", "permanent",
                    inside=inside)

    def mend(self):
        for address, device, inside in ((self.client, self.here, False), (self.server, self.there, True)):
            self.ip("neigh", "del", address, "dev", device, inside=inside)

    def close(self):
        self.ip("netns", "del", self.space, check=False)
        self.ip("link", "del", self.here, check=False)

    @property
    def prefix(self):
        return ("ip", "netns", "exec", self.space)


def reach(world, cluster, database):
    return cluster.conninfo(database).replace(f"host={cluster.path}", f"host={world.line.server}")


def cut_in_the_middle(world, command, has_begun):
    """Starts a command, cuts the line once it has begun, and gives back what it said and how long it took."""
    process = world.start(*command, prefix=world.line.prefix)
    deadline = time.time() + 60
    while not has_begun() and process.poll() is None and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    expect(process.poll() is None, "it had ended before the cut")
    world.line.cut()
    start = time.time()
    try:
        _, err = process.communicate(timeout=NOTICED)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        world.line.mend()
        raise AssertionError(f"not noticed within {NOTICED} s")
    took = time.time() - start
    world.line.mend()
    err = err.decode()
    expect(process.returncode == 1, f"ended with {process.returncode}: {err}")
    expect("same command again" in err, err)
    return err, took


def an_export_notices(world):
    plan = world.database_plan("cut.yaml", reach(world, world.source, "dpi"),
                               limits="workers: 2, bandwidth: 4MiB/s")
    command = ("export", plan, "--output", world.at("cut"))
    err, took = cut_in_the_middle(world, command, lambda: os.path.exists(world.at("cut/.exeat-run/source-0/database")))
    expect("session that held the moment" in err or "connection to the server is lost" in err, err)
    print(f"  [noticed after {took:.0f} s]", end=" ")
    result = world.run("export", world.database_plan("cut.yaml", reach(world, world.source, "dpi")), "--output",
                       world.at("cut"), prefix=world.line.prefix)
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(world.verify("cut").status == 0, "verify")


def an_import_notices(world):
    connection = reach(world, world.target, "dpi")
    slow = world.database_import("slow.yaml", connection, more="limits: { workers: 2, bandwidth: 4MiB/s }\n")
    command = ("import", world.at("cut"), slow, "--work", world.at("cut.work"))
    rows = lambda: world.target.sql("dpi", "SELECT 1 FROM exeat_import.done WHERE unit LIKE 'rows %' LIMIT 1", check=False) == "1"
    err, took = cut_in_the_middle(world, command, rows)
    expect("lost" in err or "cannot send" in err or "could not" in err, err)
    print(f"  [noticed after {took:.0f} s]", end=" ")
    # The server has noticed as well, or does at its next probe: no session of before is in the way for long.
    start = time.time()
    result = world.run(*command, prefix=world.line.prefix, timeout=300)
    expect(result.status == 0, f"{result.status} {result.err}")
    expect(time.time() - start < 240, "a session of before was in the way")
    expect(world.target.digests("dpi") == world.source.digests("dpi"), "rows differ")


def main():
    suite = DatabaseSuite()
    world = suite.world
    world.line = Line()
    try:
        world.source = world.cluster("source")
        world.target = world.cluster("target")
        for cluster in (world.source, world.target):
            with open(os.path.join(cluster.data, "pg_hba.conf"), "a") as file:
                file.write(f"host all all {world.line.client}/32 trust\n")
            cluster.configure("listen_addresses = '*'\n")
            cluster.stop("fast")
            cluster.start()
        fill_hostile(world.source)
        suite.case("an export notices", lambda world: (world.line.open(), an_export_notices(world)))
        suite.case("an import notices", an_import_notices)
    finally:
        world.line.close()
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
