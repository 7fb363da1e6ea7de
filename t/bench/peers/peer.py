"""What the peers in Python have in common; the roles of peer.mjs.

    python3 PEER.py ROLE CONF

A driver has wipe(), add(jobs), send(job) and work(note, settled): note(letter,
id) for the log, settled(id) when the completion is stored.
"""

import json
import os
import sys
import threading
import time

CONF = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}


def say(**answer):
    print(json.dumps(answer), flush=True)


def jobs(n):
    return [{'id': '%s%d' % (CONF['prefix'], i),
             'tenant': CONF.get('tenant', i % CONF['tenants'])}
            for i in range(n)]


class Count:
    """The jobs that one process has done."""

    def __init__(self):
        self.lock = threading.Lock()
        self.first = None
        self.done = self.errors = 0
        self.log = -1
        if CONF.get('log'):
            self.log = os.open(CONF['log'],
                               os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, what, job):
        if self.log != -1:
            os.write(self.log, b'%s %s %d %d\n' % (
                what.encode(), job.encode(), time.time_ns(), os.getpid()))

    def run(self, job):
        if self.first is None:
            self.first = time.monotonic()
        self.note('S', job)
        if CONF['work_ms']:
            time.sleep(CONF['work_ms'] / 1000)
        self.note('E', job)

    def settled(self, job):
        self.note('D', job)
        with self.lock:
            self.done += 1
            last = self.done == CONF['until']
        if last:
            say(done=self.done, errors=self.errors,
                seconds=time.monotonic() - self.first)
            os._exit(0)


def fill(driver):
    driver.wipe()
    driver.add(jobs(CONF['n']))
    say(filled=CONF['n'])


def produce(driver):
    start = time.time_ns()
    sent = []

    for i, job in enumerate(jobs(round(CONF['rate'] * CONF['seconds']))):
        due = start + int(i * 1e9 / CONF['rate'])
        time.sleep(max(0, due - time.time_ns()) / 1e9)
        driver.send(job)
        sent.append((job['id'], due))
    for job, due in sent:
        say(id=job, due=str(due))


def run(driver):
    role = sys.argv[1]

    if role == 'work':
        driver.work(Count())
    else:
        {'fill': fill, 'produce': produce}[role](driver)
