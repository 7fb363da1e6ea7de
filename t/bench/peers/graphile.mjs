// graphile-worker on PostgreSQL, nothing batched.  A named queue runs one job
// at a time; a limit of n for a tenant is n named queues of its own.  A lock
// of a dead worker is kept for four hours.
//
// It says that a job is complete before the row is removed, so the removal
// itself is watched.

import { EventEmitter } from 'node:events';
import { conf, fail, load, run as role } from './peer.mjs';

const { run, runMigrations } = await import(load.resolve('graphile-worker'));
const { default: pg } = await import(load.resolve('pg'));
const quiet = { scope: () => quiet };
let pool, turn = 0;

for (const level of ['error', 'warn', 'info', 'debug']) {
    quiet[level] = (text) => { if (level === 'error') fail(text); };
}


function queueName(job) {
    return conf.limit > 0 ? `${job.tenant}-${turn++ % conf.limit}` : null;
}


function add(jobs) {
    return pool.query(
        `select graphile_worker.add_job('noop', j -> 'data',
                                        queue_name => j ->> 'queue')
           from json_array_elements($1) j`,
        [JSON.stringify(jobs.map((data) => (
            { data, queue: queueName(data) })))]);
}


// what removes a row: the id, or a list of them, is its first value
function watch(removed) {
    const { query } = pg.Client.prototype;

    pg.Client.prototype.query = function (what, ...rest) {
        const answer = query.call(this, what, ...rest);

        if (/delete from .*_private_jobs/.test(what?.text)) {
            answer.then(() => [what.values[0]].flat().forEach(removed), fail);
        }
        return answer;
    };
}


await role({
    async open() {
        // one more, which only listens
        pool = new pg.Pool({ ...conf.pg, max: conf.connections + 1 });
        pool.on('error', fail);
        await runMigrations({ pgPool: pool, logger: quiet });
    },

    async wipe() {
        await pool.query('truncate graphile_worker._private_jobs,'
                         + ' graphile_worker._private_job_queues cascade');
    },

    add,

    send(job) {
        return add([job]);
    },

    async work(job, settled) {
        const events = new EventEmitter();
        const ids = new Map();

        events.on('job:start', ({ job: j }) => ids.set(j.id, j.payload.id));
        events.on('job:error', ({ error }) => fail(error));
        watch((id) => {
            settled(ids.get(String(id)));
            ids.delete(String(id));
        });
        await run({ pgPool: pool, concurrency: conf.in_flight, events,
                    logger: quiet, pollInterval: 1000, noHandleSignals: true,
                    taskList: { noop: (payload) => job(payload.id) } });
    },

    close() {
        return pool.end();
    },
});
