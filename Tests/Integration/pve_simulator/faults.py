"""What goes wrong on purpose. Each fault says how often it strikes; then things are well again."""
import re
import threading
import time


class Faults:
    def __init__(self):
        self.before_calls = []   # [pattern, function, times]
        self.cuts = []           # [pattern, bytes, times]
        self.down = set()        # nodes
        self.hooks = []          # [event, function, times]
        self.full = {}           # storage → bytes that still fit
        self.warnings = 0        # warnings that the next task of vzdump ends with
        self.truncate_backup = None  # bytes that the next backup file keeps
        self.backup_pause = 0    # seconds that each backup pauses after its first piece
        self.lock = threading.Lock()

    def before(self, pattern, function, times=1):
        """Calls `function(call line)` before a request that matches, such as `POST /nodes/.*/vzdump`."""
        self.before_calls.append([re.compile(pattern), function, times])

    def slow(self, pattern, seconds, times=1):
        self.before(pattern, lambda line: time.sleep(seconds), times)

    def refuse(self, pattern, status, reason, times=1):
        from .errors import Refused

        def no(line):
            raise Refused(status, reason)
        self.before(pattern, no, times)

    def cut(self, pattern, after, times=1):
        """Ends the connection after so many bytes of the answer."""
        self.cuts.append([re.compile(pattern), after, times])

    def node_down(self, node):
        self.down.add(node)

    def node_up(self, node):
        self.down.discard(node)

    def storage_full(self, storage, after=0):
        """Backups and uploads to the storage fail once so many further bytes are written."""
        self.full[storage] = after

    def storage_roomy(self, storage):
        self.full.pop(storage, None)

    def on(self, event, function, times=1):
        """Calls `function(subject)` at `task TYPE`, `backup started`, `backup piece`, `backup renamed`, `disk imported`."""
        self.hooks.append([event, function, times])

    def kill_task(self, event="backup piece"):
        """The next task is killed at the event: exit status `unexpected status`, what it left stays."""
        def kill(task):
            task.killed = True
            task.end()
        self.on(event, kill)

    # Called by the simulator.

    def _matching(self, table, text):
        with self.lock:
            for entry in table:
                if entry[2] > 0 and (entry[0].search(text) if hasattr(entry[0], "search") else entry[0] == text):
                    entry[2] -= 1
                    yield entry[1]

    def happen(self, event, subject):
        for function in list(self._matching(self.hooks, event)):
            function(subject)

    def request(self, line):
        for function in list(self._matching(self.before_calls, line)):
            function(line)

    def cut_after(self, line):
        return next(iter(list(self._matching(self.cuts, line))), None)

    def take_room(self, storage, count):
        """How many of `count` bytes still fit."""
        with self.lock:
            if storage not in self.full:
                return count
            fits = min(count, self.full[storage])
            self.full[storage] -= fits
            return fits
