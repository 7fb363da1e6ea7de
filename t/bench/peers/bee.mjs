// Bee-Queue on Redis: no limits, no tenants; nothing about a job that is over
// is kept.

import { conf, fail, load, run } from './peer.mjs';

const Queue = load('bee-queue');
let queue;


await run({
    async open() {
        queue = new Queue('q', {
            redis: { path: conf.redis, password: conf.password },
            isWorker: process.argv[2] === 'work',
            getEvents: false, sendEvents: false, storeJobs: false,
            removeOnSuccess: true, removeOnFailure: true,
            stallInterval: conf.lease_ms });
        queue.on('error', fail);
        await queue.ready();
    },

    wipe() {
        return queue.destroy();
    },

    async add(jobs) {
        const failed = await queue.saveAll(jobs.map((j) => queue.createJob(j)));

        for (const error of failed.values()) fail(error);
    },

    send(job) {
        return queue.createJob(job).save();
    },

    async work(job, settled) {
        queue.on('succeeded', (j) => settled(j.data.id));
        queue.on('failed', (j, error) => fail(error));
        queue.process(conf.in_flight, (j) => job(j.data.id));
        queue.checkStalledJobs(conf.lease_ms);
    },

    close() {
        return queue.close();
    },
});
