// What the peers from npm have in common: their roles, and the tongue in which
// they speak with the measurement (peer.py speaks it, too).
//
//     node PEER.mjs ROLE CONF         CONF is JSON; answers are lines of JSON
//
//     fill     empties the queue, then adds n jobs at once        {"filled"}
//     produce  adds a job each 1/rate s, busy or not        {"id", "due"}...
//     work     does jobs, in_flight at once                  {"ready"}, and
//              after `until` of them  {"done", "seconds", "errors"}, the end
//
// A job is {id, tenant}: the tenant of CONF, or each in turn.  While a log is
// given, work writes there "S|E|D id ns pid": started, its work is over, its
// completion is stored.
//
// A driver says how it is done:
//
//     open()  wipe()  add(jobs)  send(job)  close()
//     work(run, settled)     run(id) is the job; settled(id), once its
//                            completion is stored

import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

export const conf = JSON.parse(process.argv[3]);
export const load = createRequire(conf.modules + '/');
export { sleep };

let errors = 0;


export function fail(error) {
    errors++;
    process.stderr.write(`${error?.message ?? error}\n`);
}


function say(answer) {
    return new Promise((done) => {
        process.stdout.write(JSON.stringify(answer) + '\n', done);
    });
}


// the wall clock; a double holds its microseconds, not its nanoseconds
function now() {
    return performance.timeOrigin + performance.now();
}


function ns(ms) {
    return String(BigInt(Math.round(ms * 1000)) * 1000n);
}


function jobs(n) {
    return Array.from({ length: n }, (_, i) => (
        { id: `${conf.prefix}${i}`, tenant: conf.tenant ?? i % conf.tenants }));
}


async function fill(driver) {
    await driver.wipe();

    for (let rest = jobs(conf.n); rest.length; rest = rest.slice(500)) {
        await driver.add(rest.slice(0, 500));
    }
    await say({ filled: conf.n });
}


async function produce(driver) {
    const start = now();
    const all = jobs(Math.round(conf.rate * conf.seconds));
    const sent = [];

    for (let i = 0; i < all.length; i++) {
        const due = start + i * 1000 / conf.rate;
        const early = due - now();

        if (early > 0) await sleep(early);
        sent.push(driver.send(all[i]).then(() => [all[i].id, due]));
    }
    for (const [id, due] of await Promise.all(sent)) {
        await say({ id, due: ns(due) });
    }
}


async function work(driver) {
    const log = conf.log ? openSync(conf.log, 'a') : -1;
    const note = (what, id) => {
        if (log !== -1) {
            writeSync(log, `${what} ${id} ${ns(now())} ${process.pid}\n`);
        }
    };
    let first, done = 0, over;
    const all = new Promise((resolve) => { over = resolve; });

    await driver.work(async (id) => {
        first ??= now();
        note('S', id);
        if (conf.work_ms) await sleep(conf.work_ms);
        note('E', id);
    }, (id) => {
        note('D', id);
        if (++done === conf.until) over();
    });
    await say({ ready: true });

    await all;
    await say({ done, seconds: (now() - first) / 1000, errors });
    process.exit(0);
}


export async function run(driver) {
    process.on('unhandledRejection', fail);
    await driver.open();
    await { fill, produce, work }[process.argv[2]](driver);

    if (process.argv[2] !== 'work') {
        await driver.close();
        process.exit(errors ? 1 : 0);
    }
}
