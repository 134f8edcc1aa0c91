#!/usr/bin/env python3
"""Names of patients, tables, hosts and files are in no public file of an archive, of its documents, of their copies.

Names are planted in a tree, in a database of PostgreSQL where one is installed, in targets and mappings. In an archive that is encrypted no
file may hold one; of one in clear, what may travel alone: journal, catalogue, seal, tag files, receipts and later documents.
"""
import base64
import json
import os
import pathlib
import shutil

import dossier_kit
from dossier_kit import Desk
from support import Cases, Skipped, exeat, run, scratch, write

cases = Cases()
PLANTED = ["Zephirine", "Quatrebarbes", "kanotix-host", "patient_zzyzx", "vauquelin"]
PUBLIC = ["exeat/journal.jsonl", "exeat/catalogue.json", "bag-info.txt", "bagit.txt", "VERIFY.txt", "manifest-sha256.txt",
          "tagmanifest-sha256.txt", "proof"]


def files(archive, names):
    for name in names:
        path = pathlib.Path(archive, name)
        for found in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            yield found


def clean(archive, names):
    looked = 0
    for path in files(archive, names):
        looked += 1
        content = path.read_bytes()
        for word in PLANTED:
            for form in [word, word.lower(), word.upper(), base64.b64encode(word.encode()).decode().rstrip("="),
                         word.encode().hex()]:
                assert form.encode() not in content, f"{path} holds {form}"
                assert form not in str(path.relative_to(archive)), f"{path} is named {form}"
    assert looked, "there is nothing to look at"
    return looked


def sources(desk, cluster):
    tree = desk.at("kanotix-host-share")
    os.makedirs(os.path.join(tree, "Quatrebarbes Zephirine"))
    write(os.path.join(tree, "Quatrebarbes Zephirine", "irm-patient_zzyzx.txt"), "Zephirine Quatrebarbes\n")
    os.mkfifo(os.path.join(tree, "vauquelin.pipe"))
    os.symlink("/srv/kanotix-host", os.path.join(tree, "link-vauquelin"))
    open(os.path.join(tree, "vauquelin.tmp"), "w").close()
    text = f"""
  share: {{ kind: files, path: {tree}, exclude: {{ paths: ["*.tmp"], reason: temporary }},
           declared: [ {{ category: shares, legal: exportable-data }},
                       {{ category: temporary files, objects: "*.tmp", exempt: {{ ground: internal, clause: "annex 1" }} }} ] }}
  second: {{ kind: files, path: {desk.at("alpha")} }}"""
    if cluster:
        text += f"""
  base: {{ kind: postgresql, connection: "host={cluster.path} port={cluster.port} dbname=vauquelin user=postgres" }}"""
    return text


def export(desk, name, text, encrypt):
    recipient = pathlib.Path(desk.at("hospital.agepub")).read_text().strip()
    plan = write(desk.at(f"{name}.yaml"), f"""exeat: 1
run:
  purpose: end-of-contract
  contract: E26
  provider: {{ name: Hoster SA }}{dossier_kit.PAST}
sources:{text}
archive: {{ name: {name}, sign-with: hoster{f', encrypt-to: [ {recipient} ]' if encrypt else ''} }}
""")
    exeat("export", plan, "--output", desk.at(name), cwd=desk.work).expect(0, 2)
    return desk.at(name)


def life(desk, archive, cluster):
    target = desk.at("vauquelin-target-" + os.path.basename(archive))
    lines = f"""
  share: {{ kind: files, path: {target}/share }}
  second: {{ kind: files, path: {target}/second }}"""
    if cluster:
        lines += f"""
  base: {{ kind: postgresql, connection: "host={cluster.path} port={cluster.port} dbname=quatrebarbes_{os.path.basename(archive)} user=postgres", map: {{ roles: {{ patient_zzyzx: zephirine }} }} }}"""
    plan = write(desk.at("in.yaml"), f"""exeat: 1
trust: trust.json
sign-with: hospital
decrypt-with: hospital.agekey
targets:{lines}
""")
    os.makedirs(target)
    exeat("import", archive, plan, "--work", desk.at("work-" + os.path.basename(archive)), cwd=desk.work).expect(0, 2)
    desk.attest("accept", archive, "hospital").expect(0)
    desk.attest("request-erasure", archive, "director").expect(0)
    desk.erase(archive).expect(0)


def main(desk, cluster):
    text = sources(desk, cluster)
    for encrypt in [True, False]:
        name = "sealed" if encrypt else "clear"
        with cases.case(f"no planted name is in a public file of a {name} archive of several sources"):
            archive = export(desk, name, text, encrypt)
            life(desk, archive, cluster)
            desk.verify(archive).expect(0)
            if encrypt:
                assert clean(archive, ["."]) > 20
            assert clean(archive, PUBLIC) > 15
        with cases.case(f"… nor in what status and the copy of the proof of it say ({name})"):
            # With the names in clear, verify tells which table has passed.
            for result in [desk.status(archive).output] + ([desk.verify(archive).output] if encrypt else []):
                for word in PLANTED:
                    assert word.lower().encode() not in result.lower(), f"the output holds {word}"
            copy = desk.at(name + "-proof")
            exeat("report", archive, "--proof-only", "--output", copy, "--trust", desk.at("trust.json")).expect(0)
            clean(copy, ["."] if encrypt else PUBLIC)
        with cases.case(f"the lists of the {name} archive hold the names, so that the search can fail"):
            plain = exeat("inspect", archive, "share", "--decrypt-with", desk.at("hospital.agekey"), "--json").expect(0)
            assert b"Quatrebarbes" in plain.output


with scratch("exeat-privacy-") as work:
    os.chmod(work, 0o755)
    desk = Desk(work)
    cluster = None
    with cases.case("a database with planted names"):
        if not shutil.which("setpriv") or not pathlib.Path("/usr/lib/postgresql").exists():
            raise Skipped("no PostgreSQL server is installed (Scripts/setup)")
        import postgresql_kit
        cluster = postgresql_kit.Cluster(os.path.join(work, "pg"))
        for database, statement in [
                ("postgres", "CREATE ROLE patient_zzyzx"), ("postgres", "CREATE DATABASE vauquelin"),
                ("vauquelin", 'CREATE TABLE "patient_zzyzx" (name text)'),
                ("vauquelin", "INSERT INTO patient_zzyzx VALUES ('Zephirine Quatrebarbes')"),
                ("vauquelin", "ALTER TABLE patient_zzyzx OWNER TO patient_zzyzx")]:
            cluster.sql(database, statement)
    try:
        main(desk, cluster)
    finally:
        if cluster:
            cluster.close()
cases.finish()
