// The burn-down of N no-op jobs by another queue on PostgreSQL:
//
//     node peers.mjs pg-boss|graphile-worker MODULES CONNINFO N IN_FLIGHT CONNECTIONS
//
// Jobs are fetched and completed one by one; nothing is batched.  Prints
// {"version", "rate", "errors"}; rate is jobs a second from the first start
// to the last completion.

import { createRequire } from 'node:module';

const [, , peer, modules, conninfo, ...numbers] = process.argv;
const [total, inFlight, connections] = numbers.map(Number);
const require = createRequire(modules + '/');
const version = (name) => require(name + '/package.json').version;
const [, host, user, database] =
    conninfo.match(/host=(\S+) user=(\S+) dbname=(\S+)/);

let errors = 0;


async function pgBoss() {
    const { default: PgBoss } = await import(require.resolve('pg-boss'));
    const boss = new PgBoss({ host, user, database, max: connections,
                              supervise: false, schedule: false });

    boss.on('error', () => errors++);
    await boss.start();
    await boss.createQueue('noop');
    await boss.purgeQueue('noop');
    await boss.insert(Array.from({ length: total },
                                 () => ({ name: 'noop', data: {} })));

    const start = process.hrtime.bigint();
    let done = 0;

    await Promise.all(Array.from({ length: inFlight }, async () => {
        for (;;) {
            const [job] = await boss.fetch('noop');
            if (!job) return;
            await boss.complete('noop', job.id);
            done++;
        }
    }));

    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (done !== total) errors++;
    await boss.stop({ graceful: false, wait: false });
    return done / seconds;
}


async function graphile() {
    const { run, runMigrations } =
        await import(require.resolve('graphile-worker'));
    const { default: pg } = await import(require.resolve('pg'));
    const { EventEmitter } = await import('node:events');
    // one more, which only listens
    const pool = new pg.Pool({ host, user, database, max: connections + 1 });
    const quiet = { scope: () => quiet };

    for (const level of ['error', 'warn', 'info', 'debug']) {
        quiet[level] = (text) => { if (level === 'error') errors++; };
    }

    await runMigrations({ pgPool: pool, logger: quiet });
    await pool.query(`select graphile_worker.add_job('noop')
                        from generate_series(1, $1)`, [total]);

    let start, end, done = 0, finished;
    const all = new Promise((resolve) => { finished = resolve; });
    const events = new EventEmitter();

    events.on('job:start', () => { start ??= process.hrtime.bigint(); });
    events.on('job:error', () => errors++);

    const runner = await run({ pgPool: pool, concurrency: inFlight, events,
                               logger: quiet, pollInterval: 100,
                               noHandleSignals: true,
                               taskList: { noop: async () => {
                                   if (++done === total) finished();
                               } } });

    await all;
    for (;;) {
        const { rows } = await pool.query(
            'select count(*)::int as n from graphile_worker.jobs');
        end = process.hrtime.bigint();
        if (rows[0].n === 0) break;
    }
    await runner.stop();
    await pool.end();
    return total / (Number(end - start) / 1e9);
}


const rate = await (peer === 'pg-boss' ? pgBoss() : graphile());
console.log(JSON.stringify({ version: version(peer), rate, errors }));
process.exit(0);
