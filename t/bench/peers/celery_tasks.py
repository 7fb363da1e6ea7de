"""Celery on Redis, without results.

One in flight is the solo pool, more are threads.  A queue a tenant, which
Celery serves in turn, when tenants are to be told apart.  With a lease, jobs
are acknowledged late and come back after its visibility timeout; processes
run them then, because the pool of threads, whose loop looks at late
acknowledgements every other second, would take a handful of jobs in that.
"""

import celery
from celery.signals import worker_ready
from kombu import Queue

import peer

CONF = peer.CONF
LEASE = CONF['lease_ms'] / 1000
NAMES = ['q%d' % i for i in range(CONF['tenants'])]

app = celery.Celery('peers', broker='redis+socket://:%s@%s' % (
    CONF['password'], CONF['redis']))
app.conf.update(
    task_ignore_result=True, task_queues=[Queue(name) for name in NAMES],
    task_acks_late=CONF['late'], worker_prefetch_multiplier=1,
    broker_transport_options={'visibility_timeout': LEASE},
    worker_hijack_root_logger=False, worker_redirect_stdouts=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False)
count = None


class Counted(celery.Task):
    def on_success(self, value, task, args, kwargs):
        count.settled(args[0])

    def on_failure(self, *_):
        count.errors += 1


@app.task(name='noop', base=Counted)
def noop(job):
    count.run(job)


class Driver:
    def wipe(self):
        with app.connection_for_write() as connection:
            connection.default_channel.client.flushdb()

    def add(self, jobs):
        with app.producer_pool.acquire(block=True) as producer:
            for job in jobs:
                self.send(job, producer)

    def send(self, job, producer=None):
        noop.apply_async((job['id'],), queue=NAMES[job['tenant']],
                         producer=producer)

    def work(self, counter):
        global count
        count = counter

        @worker_ready.connect(weak=False)
        def ready(**_):
            peer.say(ready=True)

        kind = 'prefork' if CONF['late'] else 'threads'
        pool = ['-P', 'solo'] if CONF['in_flight'] == 1 else \
            ['-P', kind, '-c', str(CONF['in_flight'])]
        app.worker_main(['--quiet', 'worker', '-l', 'ERROR', '--without-gossip',
                         '--without-mingle', '--without-heartbeat', '-n',
                         'w%d@peers' % peer.os.getpid()] + pool)


if __name__ == '__main__':
    peer.run(Driver())
