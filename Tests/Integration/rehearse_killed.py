#!/usr/bin/env python3
"""Rehearsals that are killed, interrupted or run beside each other: what they started ends, and nothing stays."""
from rehearse_kit import *


def killed(world):
    """Killed in the middle: servers end by themselves, or the next rehearsal ends them."""
    prepared(world)
    for group in (False, True):
        process = subprocess.Popen(world.command(*world.arguments("archive", work="killed")), cwd=world.path,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   start_new_session=True)
        deadline = time.time() + 300
        place, sockets = None, []
        while not sockets and time.time() < deadline:
            time.sleep(0.02)
            place = next(iter(glob.glob(world.at("killed") + "/run-*")), "run-none")
            # From then on the server has memory that it shares with its children.
            sockets = glob.glob(f"/tmp/exeat-rehearsal-{os.path.basename(place)[4:]}/target-*/.s.PGSQL*")
        expect(sockets, "no server came up")
        world.marks()
        world.seen.add(os.path.basename(place)[4:])
        if group:
            kill_guardian(place)
        process.kill()
        process.wait()
        process.stderr.close()
        if group:
            expect(world.left("killed"), "nothing was left to be cleaned up")
            found, _ = world.rehearsed("archive", "--only", "partage", work="killed")
        world.nothing_left("killed")


def kill_guardian(place):
    """The shell that would clean up: nobody is left then but the servers."""
    for number in os.listdir("/proc"):
        try:
            words = open(f"/proc/{number}/cmdline").read()
        except OSError:
            continue
        if place in words and "trap" in words:
            os.kill(int(number), signal.SIGKILL)


def killed_anywhere(world):
    """Killed at any time, with or without the one who cleans up: the next rehearsal finds nothing in its way."""
    prepared(world)
    world.machines("dumps")
    world.exported("all", ["dpi", "portail", "partage", "journaux", "systeme", "hyperviseur"])
    began = time.time()
    world.rehearsed("all", work="anywhere")
    took = time.time() - began
    for step in range(8):
        process = subprocess.Popen(world.command(*world.arguments("all", work="anywhere")), cwd=world.path,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        time.sleep(took * (step + 0.5) / 8)
        places = glob.glob(world.at("anywhere") + "/run-*")
        world.marks()
        world.seen.update(os.path.basename(place)[4:] for place in places)
        for place in places if step % 2 else []:
            kill_guardian(place)
        process.kill()
        process.wait()
        if step % 2:
            world.rehearsed("all", "--only", "partage", work="anywhere")
        world.nothing_left("anywhere")
    world.rehearsed("all", work="anywhere")


def interrupted(world):
    """The first signal ends it, with nothing left and no receipt."""
    prepared(world)
    process = world.start(*world.arguments("archive", work="interrupted"))
    deadline = time.time() + 300
    while not glob.glob(world.at("interrupted") + "/run-*/processes/*") and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    text = process.stderr.read().decode()
    expect(process.wait(300) == 130, text)
    process.stderr.close()
    world.nothing_left("interrupted")
    expect(not glob.glob(world.at("interrupted") + "/receipt*"), "a receipt was written")


def at_once(world):
    """Several rehearsals in one folder: each has a receipt and a line of the history of its own."""
    prepared(world)
    running = [world.start(*world.arguments("archive", "--only", "partage", work="at-once")) for _ in range(4)]
    for process in running:
        text = process.stderr.read().decode()
        expect(process.wait(900) == 0, text)
        process.stderr.close()
    world.nothing_left("at-once")
    with open(world.at("at-once/history.jsonl")) as file:
        history = [json.loads(line) for line in file]
    names = sorted(os.path.basename(path) for path in glob.glob(world.at("at-once") + "/receipt-*.json"))
    expect(len(names) == 4 and sorted(line["receipt"] for line in history) == names, (names, history))
    for name in names:
        with open(world.at("at-once/" + name)) as file:
            predicate = json.load(file)["predicate"]
        report = world.at("at-once/" + name.replace("receipt", "report"))
        expect(predicate["reportSha256"] == content_of(report), f"{name} is of another report")
    expect(sorted(len(json.load(open(world.at("at-once/" + name)))["predicate"]["rehearsal"]["earlier"]) for name in names)
           == [0, 1, 2, 3], "the trend")


def foreign_folder(world):
    """What somebody else calls like a run is nothing of ours, and stays."""
    prepared(world)
    for name in ("run-202611270000", "run-mine"):
        world.write(f"foreign/{name}/results", "precious")
    os.makedirs(world.at("foreign/run-0123456789ab"))
    os.symlink(world.at("share"), world.at("foreign/run-ba9876543210"))
    result = world.run(*world.arguments("archive", "--only", "partage", work="foreign"))
    expect(result.status == 0 and "cleaned up" not in result.err, result.err)
    for name in ("run-202611270000", "run-mine"):
        expect(open(world.at(f"foreign/{name}/results")).read() == "precious", name)
    expect(os.path.isdir(world.at("foreign/run-0123456789ab")) and os.listdir(world.at("share")), "taken away")


def main():
    suite = RehearsalSuite()
    suite.case("killed", killed)
    suite.case("killed at any time", killed_anywhere)
    suite.case("interrupted", interrupted)
    suite.case("several at once", at_once)
    suite.case("a folder of somebody else", foreign_folder)
    suite.finish()


if __name__ == "__main__":
    main()
