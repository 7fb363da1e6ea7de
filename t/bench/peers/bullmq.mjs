// BullMQ on Redis.  A limit on a tenant is the global concurrency of a queue
// of the tenant's own; limits across queues, and groups, are sold as Pro.

import { conf, fail, load, run } from './peer.mjs';

const { Queue, Worker } = load('bullmq');
const connection = { path: conf.redis, password: conf.password,
                     maxRetriesPerRequest: null };
const queues = [];
const name = (tenant) => conf.limit ? `q${tenant}` : 'q';
const done = { removeOnComplete: true, removeOnFail: true };


await run({
    async open() {
        for (let i = 0; i < (conf.limit ? conf.tenants : 1); i++) {
            queues.push(new Queue(name(i), { connection }));
        }
    },

    async wipe() {
        for (const queue of queues) {
            await queue.obliterate({ force: true });
            await (conf.limit > 0 ? queue.setGlobalConcurrency(conf.limit)
                                  : queue.removeGlobalConcurrency());
        }
    },

    async add(jobs) {
        await Promise.all(queues.map((queue) => queue.addBulk(
            jobs.filter((job) => name(job.tenant) === queue.name)
                .map((job) => ({ name: 'noop', data: job, opts: done })))));
    },

    send(job) {
        const queue = queues.find((q) => q.name === name(job.tenant));

        return queue.add('noop', job, done);
    },

    async work(job, settled) {
        const concurrency = Math.ceil(conf.in_flight / queues.length);

        for (const queue of queues) {
            const worker = new Worker(queue.name, (j) => job(j.data.id), {
                connection, concurrency, lockDuration: conf.lease_ms,
                stalledInterval: conf.lease_ms });

            worker.on('completed', (j) => settled(j.data.id));
            worker.on('failed', (j, error) => fail(error));
            worker.on('error', fail);
            await worker.waitUntilReady();
        }
    },

    async close() {
        await Promise.all(queues.map((queue) => queue.close()));
    },
});
