#!/usr/bin/env python3
"""RESTORE.txt of a database is run by psql and zstd into an empty cluster, without Exeat, and the
result is compared by pg_dump and by digests that the servers take."""
import os
import shutil
import subprocess

from postgresql_kit import *


def shell(world, script, directory, cluster, **environment):
    """Runs a script of the archive against a cluster. Exeat is nowhere on the path."""
    done = subprocess.run(
        ["sh", script], cwd=directory, capture_output=True, timeout=300, stdin=subprocess.DEVNULL,
        env={"PATH": f"{binaries()}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": world.path,
             "PGHOST": cluster.path, "PGPORT": str(cluster.port), "PGUSER": "postgres", **environment})
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def expect_equal(source, target, secrets=False):
    """By what pg_dump and the servers say, not by what Exeat does."""
    ours, theirs = source.digests("dpi"), target.digests("dpi")
    expect(len(ours) > 15, f"only {len(ours)} tables were compared")
    expect(ours == theirs, f"rows differ: {[n for n in ours.keys() | theirs if ours.get(n) != theirs.get(n)]}")
    # What is left out on purpose is the secret of a user mapping.
    ours, theirs = ([line for line in cluster.dump("dpi", "--create")
                     if secrets or "mapping-secret" not in line] for cluster in (source, target))
    expect(len(ours) > 500, "hardly any definitions")
    expect(ours == theirs, f"definitions differ: {set(ours) ^ set(theirs)}")
    for what, statement in QUESTIONS.items():
        ours, theirs = source.sql("dpi", statement), target.sql("dpi", statement)
        expect(ours, f"the source has no {what}")
        expect(ours == theirs, f"{what} differ: {ours!r} and {theirs!r}")


QUESTIONS = {
    "large objects": "SELECT string_agg(oid || ' ' || lomowner::regrole || ' ' || md5(lo_get(oid)), ',' "
                     "ORDER BY oid) FROM pg_largeobject_metadata",
    "materialised views": "SELECT string_agg(oid::regclass || ' ' || relispopulated, ',' ORDER BY relname) "
                          "FROM pg_class WHERE relkind = 'm'",
    "sequences": "SELECT string_agg(schemaname || sequencename || coalesce(last_value::text, '-'), ',' "
                 "ORDER BY schemaname, sequencename) FROM pg_sequences",
    "roles": "SELECT string_agg(rolname || rolcanlogin || rolsuper || coalesce(rolconfig::text, ''), ',' "
             "ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'",
    "memberships": "SELECT string_agg(roleid::regrole || ' ' || member::regrole || ' ' || admin_option, ',' "
                   "ORDER BY roleid::regrole::text, member::regrole::text) FROM pg_auth_members WHERE roleid::regrole::text !~ '^pg_'",
    "settings": "SELECT string_agg(coalesce(rolname, '') || coalesce(datname, '') || setconfig::text, ',' "
                "ORDER BY rolname, datname) FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole "
                "LEFT JOIN pg_database d ON d.oid = setdatabase",
}


def restores_in_clear(world):
    target = world.cluster("clear-target")
    result = world.run("export", world.plan_path, "--output", world.at("clear"))
    expect(result.status == 0, result.err)
    status, said = shell(world, "RESTORE.txt", world.at("clear"), target, TO=world.at("clear-to"))
    expect(status == 0, f"{status}: {said[-2000:]}")
    expect_equal(world.source, target)
    # The comparison itself must be able to fail.
    target.sql("dpi", "UPDATE app.many SET value = value + 1e-9 WHERE id = 77777")
    try:
        expect_equal(world.source, target)
    except AssertionError as error:
        expect("many" in str(error), f"another difference: {error}")
    else:
        raise AssertionError("a changed row was not noticed")


def restores_encrypted(world):
    """RESTORE.txt decrypts; the commands with the real names come out with it."""
    target = world.cluster("sealed-target")
    plan = world.database_plan("sealed.yaml", world.source.conninfo("dpi"),
                               "secrets: sealed, accept: [foreign-tables]", encrypt=True)
    result = world.run("export", plan, "--output", world.at("sealed"))
    expect(result.status == 0, result.err)
    text = open(world.at("sealed/RESTORE.txt")).read()
    expect("every_type" not in text and "app_owner" not in text, "RESTORE.txt gives names away")
    to = world.at("sealed-to")
    status, said = shell(world, "RESTORE.txt", world.at("sealed"), target, TO=to, KEY=world.identity)
    expect(status == 0, f"{status}: {said[-2000:]}")
    status, said = shell(world, "restore.txt", to, target, TO=world.at("sealed-final"))
    expect(status == 0, f"{status}: {said[-2000:]}")
    expect_equal(world.source, target, secrets=True)
    passwords = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app_owner'"
    expect("SCRAM" in target.sql("postgres", passwords), "no password was restored")
    expect(world.source.sql("postgres", passwords) == target.sql("postgres", passwords), "passwords differ")


def stops_at_damage(world):
    """A segment that is cut off or an error of the server ends the script with a failure."""
    target = world.cluster("damaged-target")
    manifest = json.load(open(world.at("clear/exeat/manifest.json")))
    segments = [segment["path"] for artifact in manifest["sources"][0]["artifacts"]
                for segment in artifact["segments"]]
    largest = max(segments, key=lambda path: os.path.getsize(world.at(f"clear/{path}")))
    shutil.copytree(world.at("clear"), world.at("damaged"))
    os.truncate(world.at(f"damaged/{largest}"), os.path.getsize(world.at(f"damaged/{largest}")) - 9)
    status, said = shell(world, "RESTORE.txt", world.at("damaged"), target, TO=world.at("damaged-to"))
    expect(status != 0, f"a damaged segment was taken: {said[-500:]}")
    expect("premature end" in said, f"zstd's complaint is not to be seen: {said[-500:]}")
    # The tables are there already: CREATE fails.
    status, said = shell(world, "RESTORE.txt", world.at("clear"), target, TO=world.at("again-to"))
    expect(status != 0 and "already exists" in said, f"an error of the server was passed over: {said[-500:]}")


def main():
    suite = DatabaseSuite()
    world = suite.world
    try:
        world.source = world.cluster("source")
        fill_hostile(world.source)
        world.plan_path = world.database_plan("plan.yaml", world.source.conninfo("dpi"))
        suite.case("restores in clear", restores_in_clear)
        suite.case("stops at damage", stops_at_damage)
        if shutil.which("age"):
            suite.case("restores encrypted", restores_encrypted)
        else:
            print("restores encrypted: SKIPPED (no age)")
            suite.skipped += 1
    finally:
        for cluster in world.clusters:
            cluster.stop()
    suite.finish()


if __name__ == "__main__":
    main()
