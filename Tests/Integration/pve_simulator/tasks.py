"""Tasks: threads with a log and an end, named by UPIDs."""
import subprocess
import threading
import time
import traceback

from .errors import Refused, TaskFailed
from .routes import route


class Interrupted(Exception):
    """Raised inside the work of a task that was stopped or killed."""


class Task:
    def __init__(self, tasks, node, kind, identifier, who):
        self.tasks, self.node, self.kind, self.identifier, self.who = tasks, node, kind, identifier, who
        self.started, self.ended = int(time.time()), None
        self.pid, self.pstart = tasks.next_pid(), 0x1000 + int(time.monotonic() * 100) % 0xFFFFFF
        self.upid = (f"UPID:{node}:{self.pid:08X}:{self.pstart:08X}:{self.started:08X}:{kind}:"
                     f"{identifier}:{who}:")
        self.lines, self.warnings, self.status, self.exit = [], 0, "running", None
        self.stop, self.killed = threading.Event(), False
        self.children, self.lock = [], threading.Lock()
        self.listener = None  # a function for each line, where the command line prints the log

    def log(self, text):
        for line in str(text).split("\n"):
            self.lines.append(line)
            if self.listener:
                self.listener(line)

    def warn(self, text):
        self.warnings += 1
        self.log(f"WARN: {text}")

    def check(self):
        if self.stop.is_set():
            raise Interrupted()

    def run(self, command, **options):
        """A child process that ends with the task. Returns the process."""
        with self.lock:
            self.check()
            child = subprocess.Popen(command, **options)
            self.children.append(child)
        return child

    def command(self, *command):
        """Runs a program to its end; its messages go to the log; fails the task where it fails."""
        child = self.run([str(one) for one in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = child.communicate()[0].decode("utf-8", "replace").strip()
        self.check()
        if child.returncode:
            raise TaskFailed(f"{command[0]} failed: {output}")
        return output

    def end(self):
        with self.lock:
            self.stop.set()
            for child in self.children:
                if child.poll() is None:
                    child.kill()

    def work(self, function):
        try:
            self.tasks.simulator.faults.happen(f"task {self.kind}", self)
            function(self)
            self.exit = f"WARNINGS: {self.warnings}" if self.warnings else "OK"
            self.log(f"TASK {self.exit}")
        except Interrupted:
            self.exit = "unexpected status" if self.killed else "interrupted by signal"
            if not self.killed:
                self.log("TASK ERROR: interrupted by signal")
        except (TaskFailed, Refused) as error:
            self.exit = str(error)
            self.log(f"TASK ERROR: {error}")
        except Exception as error:
            traceback.print_exc()
            self.exit = f"simulator: {error!r}"
            self.log(f"TASK ERROR: {self.exit}")
        finally:
            for child in self.children:
                if child.poll() is None:
                    child.kill()
                    child.wait()
                for pipe in (child.stdin, child.stdout, child.stderr):
                    if pipe:
                        try:
                            pipe.close()
                        except OSError:
                            pass
            self.ended = int(time.time())
            self.status = "stopped"

    def wait(self, timeout=60):
        end = time.monotonic() + timeout
        while self.status == "running":
            if time.monotonic() > end:
                raise TimeoutError(self.upid)
            time.sleep(0.02)
        return self.exit

    def summary(self):
        result = {"upid": self.upid, "node": self.node, "pid": self.pid, "pstart": self.pstart,
                  "starttime": self.started, "type": self.kind, "id": self.identifier,
                  "user": self.who.split("!")[0]}
        if "!" in self.who:
            result["tokenid"] = self.who.split("!")[1]
        if self.ended:
            result.update(endtime=self.ended, status=self.exit)
        return result


class Tasks:
    def __init__(self, simulator):
        self.simulator, self.all = simulator, {}
        self.pid, self.lock = 0x2000, threading.Lock()

    def next_pid(self):
        with self.lock:
            self.pid += 1
            return self.pid

    def start(self, node, kind, identifier, who, work, listener=None):
        task = Task(self, node, kind, identifier, who)
        task.listener = listener
        self.all[task.upid] = task
        threading.Thread(target=task.work, args=(work,), daemon=True).start()
        return task

    def find(self, node, upid):
        task = self.all.get(upid)
        if task is None or task.node != node:
            if not upid.startswith("UPID:"):
                raise Refused(400, "Parameter verification failed.", {"upid": "unable to parse worker upid"})
            raise Refused(500, "no such task")
        return task


def readable(call):
    task = call.simulator.tasks.find(call.node, call["upid"])
    if task.who.split("!")[0] != call.who.split("!")[0]:
        call.require(f"/nodes/{call.node}", "Sys.Audit")
    return task


@route("GET", "/nodes/{node}/tasks")
def list_tasks(call):
    result = []
    see_all = call.may(f"/nodes/{call.node}", "Sys.Audit")
    source = call.get("source", "archive")
    for task in reversed(list(call.simulator.tasks.all.values())):
        if task.node != call.node or (task.who.split("!")[0] != call.who.split("!")[0] and not see_all):
            continue
        if source != "all" and (source == "active") != (task.status == "running"):
            continue
        if call.get("typefilter") not in (None, task.kind) or \
                str(call.get("vmid", task.identifier)) != task.identifier:
            continue
        if call.get("userfilter", "") not in task.who or (call.get("errors") and (
                task.exit in (None, "OK"))):
            continue
        if not call.get("since", 0) <= task.started <= call.get("until", 1 << 40):
            continue
        result.append(task.summary())
    call.extra["total"] = len(result)
    start = call.get("start", 0)
    return result[start:start + call.get("limit", 50)]


@route("GET", "/cluster/tasks")
def cluster_tasks(call):
    return [task.summary() for task in reversed(list(call.simulator.tasks.all.values()))
            if task.who.split("!")[0] == call.who.split("!")[0]
            or call.may(f"/nodes/{task.node}", "Sys.Audit")][:25]


@route("GET", "/nodes/{node}/tasks/{upid}/status")
def task_status(call):
    task = readable(call)
    result = task.summary()
    result["status"] = task.status
    if task.exit is not None and task.status == "stopped":
        result["exitstatus"] = task.exit
    result.pop("endtime", None)
    return result


@route("GET", "/nodes/{node}/tasks/{upid}/log")
def task_log(call):
    task = readable(call)
    lines = list(task.lines)
    if call.get("download"):
        return Download("\n".join(lines).encode() + b"\n", f"task-{task.node}-{task.kind}.log")
    call.extra["total"] = len(lines)
    start, limit = call.get("start", 0), call.get("limit", 50)
    part = lines[start:start + limit] if limit else lines[start:]
    return [{"n": start + number + 1, "t": line} for number, line in enumerate(part)] or [
        {"n": 1, "t": "no content"}]


class Download:
    """An answer that is a file and not JSON."""

    def __init__(self, data, name):
        self.data, self.name = data, name


@route("DELETE", "/nodes/{node}/tasks/{upid}")
def stop_task(call):
    task = call.simulator.tasks.find(call.node, call["upid"])
    if task.who.split("!")[0] != call.who.split("!")[0]:
        call.require(f"/nodes/{call.node}", "Sys.Modify")
    task.end()
    return None


@route("GET", "/nodes/{node}/tasks/{upid}")
def task_index(call):
    return [{"name": "log"}, {"name": "status"}]
