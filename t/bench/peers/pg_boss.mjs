// pg-boss on PostgreSQL: jobs are fetched and completed one by one, by as many
// loops as jobs may be in flight.  It polls; an idle loop waits for half a
// second, the shortest wait that its own work() takes.  A singleton policy
// bounds a key to one job, there are no other limits.

import { conf, fail, load, run, sleep } from './peer.mjs';

const { default: PgBoss } = await import(load.resolve('pg-boss'));
const lease = Math.ceil(conf.lease_ms / 1000);
const options = { expireInSeconds: lease, retryLimit: 5, retryDelay: 0 };
const worker = process.argv[2] === 'work';
let boss;


await run({
    async open() {
        boss = new PgBoss({ ...conf.pg, max: conf.connections, schedule: false,
                            supervise: worker, maintenanceIntervalSeconds: 1 });
        boss.on('error', fail);
        await boss.start();
    },

    async wipe() {
        await boss.createQueue('q', { policy: 'standard' });
        await boss.clearStorage();
    },

    add(jobs) {
        return boss.insert(jobs.map((data) => (
            { name: 'q', data, ...options })));
    },

    send(job) {
        return boss.send('q', job, options);
    },

    async work(job, settled) {
        const loop = async (first) => {
            await sleep(first);
            for (;;) {
                const [j] = await boss.fetch('q');

                if (!j) {
                    await sleep(500);
                    continue;
                }
                await job(j.data.id);
                await boss.complete('q', j.id);
                settled(j.data.id);
            }
        };

        for (let i = 0; i < conf.in_flight; i++) {
            loop(i * 500 / conf.in_flight).catch(fail);
        }
    },

    close() {
        return boss.stop({ graceful: false, wait: false });
    },
});
