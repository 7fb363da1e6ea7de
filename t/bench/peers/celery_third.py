"""Jobs of a third party in Celery on Redis: sent, polled, fetched, stored.

    celery -A celery_third worker -P POOL -c N       THIRD_CONF is JSON
    python3 celery_third.py N                        sends N jobs

A pool of threads or greenlets waits between polls; of few processes each poll
is a task of its own, with a countdown.  conf['done'] gets a "D" for each job
that is over; it is there, and empty, when the worker is ready.
"""

import json
import os
import sys
import threading
import time

import celery
import requests
from celery.signals import worker_ready

CONF = json.loads(os.environ['THIRD_CONF'])
LOCAL = threading.local()

app = celery.Celery('third', broker='redis+socket://%s?virtual_host=%d'
                    % (CONF['redis'], CONF['db']))
app.conf.update(
    task_ignore_result=True, worker_prefetch_multiplier=CONF['ahead'],
    worker_hijack_root_logger=False, worker_redirect_stdouts=False,
    worker_send_task_events=False, worker_enable_remote_control=False)


def http():
    if not hasattr(LOCAL, 'session'):
        LOCAL.session = requests.Session()
        LOCAL.session.trust_env = False     # else it looks for ~/.netrc
    return LOCAL.session


def begin():
    answer = http().post(CONF['base'] + '/third/jobs',
                         json={'image': 'http://store/input'},
                         headers={'Authorization': 'Bearer test-key'})
    return answer.json()['id']


def look(job):
    """True when it is over, and stored."""
    answer = http().get(CONF['base'] + '/third/jobs/' + job,
                        headers={'Authorization': 'Bearer test-key'}).json()
    if answer['status'] != 'succeeded':
        return False
    made = http().get(answer['output'][0])
    http().put('%s/b/t/r/%s' % (CONF['base'], job),
               data=made.content).raise_for_status()
    out = os.open(CONF['done'], os.O_WRONLY | os.O_APPEND)
    os.write(out, b'D')
    os.close(out)
    return True


@app.task(name='whole')
def whole():
    job = begin()
    time.sleep(CONF['every'])
    while not look(job):
        time.sleep(CONF['every'])


@app.task(name='first')
def first():
    again.apply_async((begin(),), countdown=CONF['every'])


@app.task(name='again')
def again(job):
    if not look(job):
        again.apply_async((job,), countdown=CONF['every'])


@worker_ready.connect(weak=False)
def ready(**_):
    open(CONF['done'], 'w').close()


if __name__ == '__main__':
    task = first if CONF['apart'] else whole
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(int(sys.argv[1])):
            task.apply_async(producer=producer)
