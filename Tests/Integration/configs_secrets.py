#!/usr/bin/env python3
"""A tree full of planted secrets goes out: no value is in anything clear, decoys stay readable, files still parse.

The tree is in configs_corpus.py and configs_corpus_systems.py. Everything here goes through the real exporter.
"""
import configparser
import glob
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
import xml.etree.ElementTree

import yaml

import configs_corpus_systems  # fills FILES
from configs_corpus import FILES
from robustness_kit import *

# One value in several files.
EQUAL = "gleich-7-77"
MARKS = re.compile("[«»‹›]")


def encoding(path):
    return "latin-1" if "latin1" in path else "utf-8"


def planted(kind):
    """All (path, value) between marks of a kind."""
    pattern = re.compile("«(.*?)»" if kind == "secret" else "‹(.*?)›", re.DOTALL)
    for path, text in FILES.items():
        for value in pattern.findall(text):
            yield path, MARKS.sub("", value).encode(encoding(path))


def stores():
    """Files that are secrets as a whole, made by the tools that use them where they are here."""
    yield "etc/krb5.keytab", b"\x05\x02\x00\x00\x00\x3c\x00\x01\x00\x07EXAMPLE-kEyTaB-material\x00\x12"
    yield "srv/keys/vault.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5KDBX-planted-material" + bytes(64)
    yield "etc/java/app.jks", b"\xfe\xed\xfe\xed\x00\x00\x00\x02JKS-planted-material" + bytes(64)
    yield "var/lib/samba/private/secrets.tdb", b"TDB file\n\x00TDB-planted-material" + bytes(64)
    yield "etc/elastic/elasticsearch.keystore", b"\x3f\xd7\x6c\x17\x14elasticsearch.keystore-planted" + bytes(16)
    yield "root/.vnc/passwd", b"\x17\x52\x6b\x06\x23\x4e\x58\x07"
    yield "etc/app/utf16.reg", '\ufeff[HKLM]\r\n"Password"="hunter2-utf16"\r\n"Host"="db.example"\r\n'.encode("utf-16-le")
    if shutil.which("openssl"):
        made = subprocess.run(
            "cd $(mktemp -d) && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k -out c 2>/dev/null"
            " && openssl pkcs12 -export -inkey k -in c -passout pass:x -out p && openssl pkcs8 -topk8 -nocrypt -in k -outform DER -out d"
            " && openssl x509 -in c -outform DER -out x && cat p && echo -n SPLIT && cat d && echo -n SPLIT && cat x; rm -rf $PWD",
            shell=True, capture_output=True, check=True).stdout.split(b"SPLIT")
        yield "etc/pki/server.p12", made[0]
        yield "etc/pki/server.der", made[1]
        yield "etc/pki/server.cer", made[2]


def make_tree_of_secrets(root):
    for path, text in FILES.items():
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(MARKS.sub("", text).encode(encoding(path)))
    for path, text in {"etc/equal/a.ini": f"password = {EQUAL}\n", "etc/equal/b.json": json.dumps({"password": EQUAL}),
                       "etc/equal/c.yaml": f"db:\n  password: '{EQUAL}'\n", "etc/equal/d.ini": "password = gleich-8\n"}.items():
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as file:
            file.write(text)
    whole = dict(stores())
    for path, content in whole.items():
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
    return whole


def plan(world, name, secrets, encrypt=False):
    seal = f', encrypt-to: ["{world.recipient}"]' if encrypt else ""
    return world.write(
        name, "exeat: 1\nrun: { purpose: trial }\nsources:\n"
        f"  systeme: {{ kind: configs, root: {world.at('machine')}, paths: [ /etc, /root, /srv, /opt, /var ], secrets: {secrets},\n             accept: [ facts ] }}\n"
        f"archive: {{ name: trial, sign-with: {world.at('keys/ours')}{seal} }}\n")


def clear_contents(directory):
    """All bytes below a directory; frames of zstd also as they are inside."""
    for folder, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as file:
                    content = file.read()
            except OSError:
                continue
            yield path, content
            if name.endswith(".zst"):
                yield path, subprocess.run(["zstd", "-dcqf", path], capture_output=True).stdout


def expect_nothing_leaks(where, content):
    for path, value in planted("secret"):
        # Four digits stand in every digest; such values are looked for in their own file alone.
        expect(len(value) < 7 or value not in content, f"{value!r} of {path} is in {where}")
    for value in [EQUAL.encode(), b"EXAMPLE-kEyTaB", b"KDBX-planted", b"JKS-planted", b"TDB-planted", b"keystore-planted",
                  "hunter2-utf16".encode("utf-16-le")]:
        expect(value not in content, f"{value!r} is in {where}")


def nothing_leaks_into_anything_clear(world):
    make_tree_of_secrets(world.at("machine"))
    for mode in ("omit", "reference"):
        archive = f"bag-{mode}"
        result = world.run("export", plan(world, f"{mode}.yaml", mode), "--output", world.at(archive))
        expect(result.status == 0, f"{mode}: export ended with {result.status}: {result.err}{result.out.decode()}")
        expect_nothing_leaks("the output", result.out)
        expect_nothing_leaks("the errors", result.err.encode())
        for path, content in clear_contents(world.at(archive)):
            expect_nothing_leaks(path, content)
        shown = world.run("inspect", world.at(archive), "--json")
        expect_nothing_leaks("what inspect shows", shown.out + shown.err.encode())


def staged(world, mode):
    """The tree of an archive, imported; imported once for each mode."""
    target = world.at(f"staged-{mode}")
    if not os.path.exists(target):
        words = world.write(
            f"import-{mode}.yaml", f"exeat: 1\ntrust: {world.trust}\ndecrypt-with: {world.identity}\n"
            f"sign-with: {world.at('keys/ours')}\ntargets:\n"
            f"  systeme: {{ kind: configs, directory: {target}, root: {world.at('machine')} }}\n")
        result = world.run("import", world.at(f"bag-{mode}"), words, "--work", world.at(f"work-{mode}"))
        expect(result.status == 0, f"import ended with {result.status}: {result.err}")
        expect_nothing_leaks("the errors of the import", result.out + result.err.encode())
    return os.path.join(target, "tree")


def nothing_leaks_into_what_is_imported(world):
    staged(world, "omit")
    for directory in ("staged-omit", "work-omit"):
        for path, content in clear_contents(world.at(directory)):
            expect_nothing_leaks(path, content)


def each_file_has_lost_its_secrets_and_kept_the_rest(world):
    tree = staged(world, "omit")
    for path, value in planted("secret"):
        with open(os.path.join(tree, path), "rb") as file:
            expect(value not in file.read(), f"{value!r} is still in {path}")
    lost = []
    for path, value in planted("decoy"):
        with open(os.path.join(tree, path), "rb") as file:
            if value not in file.read():
                lost.append(f"{path}: {value!r}")
    expect(not lost, "\n".join(lost))
    for path, content in stores():
        with open(os.path.join(tree, path), "rb") as file:
            kept = file.read()
        if path.endswith(".cer"):
            expect(kept == content or kept.startswith(b"0\x82"), "a certificate was taken for a secret")
        elif path.endswith(".reg"):
            expect("db.example" in kept.decode("utf-16"), "a text in UTF-16 was not kept")
        else:
            expect(re.fullmatch(rb"EXEAT-REDACTED-[a-z-]+\n", kept), f"{path} is {kept[:60]!r}")


class AnyTag(yaml.SafeLoader):
    """Knows of `!vault` and the like only that they are there."""


AnyTag.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))


def parser(path):
    """What reads a file of that name; nil where nothing of Python does."""
    if path.endswith((".yaml", ".yml", ".kube/config")):
        return lambda text: list(yaml.load_all(text, Loader=AnyTag))
    if path.endswith((".json", ".tfstate")):
        return json.loads
    if path.endswith(".toml"):
        return tomllib.loads
    if path.endswith((".xml", ".plist", "web.config")):
        return lambda text: xml.etree.ElementTree.fromstring(text.encode())
    if path.endswith((".ini", ".cnf", "credentials", ".service", ".nmconnection", "sssd.conf")):
        return lambda text: configparser.ConfigParser(
            strict=False, interpolation=None, allow_no_value=True).read_string(text)
    if path.endswith(".py"):
        return lambda text: compile(text, path, "exec")
    if path.endswith((".sh", "_history", ".env")):
        return lambda text: subprocess.run(
            ["bash", "-n"], input=text.encode(), check=True, stderr=subprocess.DEVNULL)
    return None


def files_still_parse(world):
    parsed = 0
    for mode in ("omit", "reference"):
        tree = staged(world, mode)
        for path in FILES:
            read = parser(path)
            if read is None:
                continue
            with open(os.path.join(world.at("machine"), path), encoding=encoding(path), newline="") as file:
                try:
                    read(file.read())
                except Exception:  # broken on purpose, or of another dialect
                    continue
            with open(os.path.join(tree, path), encoding=encoding(path), newline="") as file:
                text = file.read()
            try:
                read(text)
            except Exception as error:
                raise AssertionError(f"{mode}: {path} does not parse any more: {error}\n{text}")
            parsed += 1
    expect(parsed > 100, f"only {parsed} files were parsed")


def every_place_is_listed_and_no_value(world):
    staged(world, "reference")
    with open(world.at("staged-reference/secrets.json")) as file:
        text = file.read()
    expect_nothing_leaks("the list of secrets", text.encode())
    places = {}
    for place in json.loads(text)["places"]:
        places.setdefault(place.get("path"), []).append(place)
    missing = sorted({path for path, _ in planted("secret")} - set(places))
    expect(not missing, f"no place is listed for {missing}")
    wanted = [n for n, line in enumerate(FILES["etc/app/app.ini"].split("\n"), 1) if "«" in line]
    expect(sorted({p["line"] for p in places["etc/app/app.ini"]}) == wanted, str(places["etc/app/app.ini"]))


def equal_values_have_equal_references(world):
    tree = staged(world, "reference")
    found = {}
    for path in glob.glob(os.path.join(tree, "etc/equal/*")):
        with open(path) as file:
            found[os.path.basename(path)] = re.findall("EXEAT-REDACTED-password-[0-9a-f]{32}", file.read())
    expect(len(found) == 4 and all(len(values) == 1 for values in found.values()), str(found))
    expect(found["a.ini"] == found["b.json"] == found["c.yaml"] != found["d.ini"], str(found))


def a_run_that_is_killed_leaves_nothing_behind(world):
    archive = world.at("killed")
    path = plan(world, "killed.yaml", "omit")
    searched = 0
    for delay in (0.2, 0.6, 1.2, 2.5):
        process = world.start("export", path, "--output", archive)
        status = kill_after(process, delay)
        for place, content in clear_contents(archive):
            expect_nothing_leaks(f"{place} after {delay} s", content)
            searched += 1
        if status == 0:
            break
    expect(searched > 0, "nothing was there to search")
    if not os.path.isdir(os.path.join(archive, "proof")):
        result = world.run("export", path, "--output", archive)
        expect(result.status == 0, f"the run did not end well: {result.err}")
    for place, content in clear_contents(archive):
        expect_nothing_leaks(place, content)


def sealed_is_refused_without_encryption_and_keeps_all_with_it(world):
    refused = world.run("export", plan(world, "clear.yaml", "sealed"), "--output", world.at("clear"))
    expect(refused.status == 1 and "encrypt-to" in refused.err, f"{refused.status}: {refused.err}")
    expect(not os.path.exists(world.at("clear")), "something was written")
    result = world.run("export", plan(world, "sealed.yaml", "sealed", encrypt=True), "--output", world.at("bag-sealed"))
    expect(result.status == 0, f"export ended with {result.status}: {result.err}")
    expect_nothing_leaks("the errors", result.out + result.err.encode())
    for path, content in clear_contents(world.at("bag-sealed")):
        expect_nothing_leaks(path, content)
    tree = staged(world, "sealed")
    for folder in ("etc", "root", "srv", "opt", "var"):
        expect(tree_of(os.path.join(tree, folder)) == tree_of(os.path.join(world.at("machine"), folder)), f"{folder} differs")


if __name__ == "__main__":
    suite = Suite()
    for body in [
        nothing_leaks_into_anything_clear, nothing_leaks_into_what_is_imported, each_file_has_lost_its_secrets_and_kept_the_rest, files_still_parse,
        every_place_is_listed_and_no_value, equal_values_have_equal_references,
        sealed_is_refused_without_encryption_and_keeps_all_with_it, a_run_that_is_killed_leaves_nothing_behind,
    ]:
        suite.case(body.__name__.replace("_", " "), body)
    suite.finish()
