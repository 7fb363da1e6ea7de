"""RQ on Redis: one job at a time in one SimpleWorker, which does not fork.

Nothing brings back a job whose worker died, and nothing tells tenants apart.
"""

import redis
from rq import Queue, SimpleWorker

import peer

CONF = peer.CONF
count = None


def noop(job):
    count.run(job)


class Counted(SimpleWorker):
    def handle_job_success(self, job, *rest, **named):
        super().handle_job_success(job, *rest, **named)
        count.settled(job.args[0])

    def handle_job_failure(self, *rest, **named):
        count.errors += 1
        super().handle_job_failure(*rest, **named)


class Driver:
    def __init__(self):
        self.redis = redis.Redis(unix_socket_path=CONF['redis'],
                                 password=CONF['password'])
        self.queue = Queue('q', connection=self.redis)

    def wipe(self):
        self.redis.flushdb()

    def add(self, jobs):
        self.queue.enqueue_many([
            Queue.prepare_data('rq_tasks.noop', (job['id'],), result_ttl=0)
            for job in jobs])

    def send(self, job):
        self.queue.enqueue('rq_tasks.noop', job['id'], result_ttl=0)

    def work(self, counter):
        global count
        count = counter
        peer.say(ready=True)
        Counted([self.queue], connection=self.redis).work(logging_level='ERROR')


if __name__ == '__main__':
    # the worker looks the task up by the name of this module
    import rq_tasks

    peer.run(rq_tasks.Driver())
