"""Which backups a retention keeps."""
import re
import time

from .formats import parse_properties


def clock(seconds):
    return time.strftime("%H:%M:%S", time.gmtime(seconds))


def keep_options(text):
    return {key: int(value) for key, value in parse_properties(text).items()}


def prunable(names, keep):
    """What retention gives up, of names in order of time. Periods count from the newest, as PVE does."""
    kept, moments = set(), [(name, time.strptime(re.search(r"\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d", name)[0],
                                                 "%Y_%m_%d-%H_%M_%S")) for name in names]
    for option, form in (("keep-last", None), ("keep-hourly", "%Y%m%d%H"), ("keep-daily", "%Y%m%d"),
                         ("keep-weekly", "%G%V"), ("keep-monthly", "%Y%m"), ("keep-yearly", "%Y")):
        seen = {time.strftime(form, moment) for name, moment in moments if name in kept} if form else set()
        new = set()
        for name, moment in reversed(moments):
            period = time.strftime(form, moment) if form else name
            if len(new) >= keep.get(option, 0):
                break
            if name not in kept and period not in seen and period not in new:
                new.add(period)
                kept.add(name)
    return [name for name in names if name not in kept]
