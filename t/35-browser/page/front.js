/*
 * front: what a front end of PODI needs, in a page of the tests.
 *
 *     index.html?api=https://localhost:8443      another origin than the page's
 *
 *     sign in -> call() -> put() -> Watch -> picture()
 *
 * The token is kept in memory; cookies are the browser's business.  Nothing
 * here waits without a deadline.
 */

'use strict';

const api = new URLSearchParams(location.search).get('api') || '';
const PATIENCE = 20000;

let token = null;


/* one request of the interface: status, body, and how to look at a header */

async function call(method, path, json, more = {}) {
    const headers = {};

    if (token !== null && !more.anonymous) {
        headers.Authorization = 'Bearer ' + (more.token || token);
    }

    if (method === 'POST') {
        headers['Idempotency-Key'] = more.key || crypto.randomUUID();
    }

    if (json !== undefined && json !== null) {
        headers['Content-Type'] = 'application/json';
    }

    const answer = await fetch(api + path, {
        method: method, headers: headers, credentials: 'include',
        body: headers['Content-Type'] ? JSON.stringify(json) : undefined,
    });
    const text = await answer.text();

    return { status: answer.status, body: text ? JSON.parse(text) : null,
             trace: answer.headers.get('X-Trace-Id'),
             server: answer.headers.get('Server') };
}


async function must(status, ...request) {
    const answer = await call(...request);

    if (answer.status !== status) {
        throw new Error(request.slice(0, 2).join(' ') + ': ' + answer.status
                        + ' ' + JSON.stringify(answer.body));
    }

    return answer.body;
}


async function signIn(login, password) {
    const body = await must(200, 'POST', '/v1/auth/login',
                            { login: login, password: password },
                            { anonymous: true });

    token = body.access_token;
    return body;
}


/* the status alone; a new token is kept */

async function refresh() {
    const answer = await call('POST', '/v1/auth/refresh', null,
                              { anonymous: true });

    if (answer.status === 200) {
        token = answer.body.access_token;
    }

    return answer.status;
}


/* the permit says what to send; two of its headers are the browser's own */

async function put(permit, bytes) {
    const headers = { ...permit.headers };

    delete headers['content-length'];
    delete headers.host;

    const answer = await fetch(permit.url, { method: permit.method,
                                             headers: headers, body: bytes });

    return { status: answer.status, etag: answer.headers.get('ETag') };
}


/* announce, put, complete: the media as it is then */

async function upload(name, bytes) {
    const list = await must(201, 'POST', '/v1/media/uploads', { items: [
        { name: name, type: 'image/jpeg', bytes: bytes.size } ] });
    const item = list.items[0];
    const stored = await put(item.upload, bytes);

    if (stored.status !== 200) {
        throw new Error('the store answers ' + stored.status);
    }

    return must(200, 'POST', '/v1/media/' + item.media_id + '/complete');
}


/* an EventSource, with all that it ever said */

class Watch {
    constructor(path, types) {
        this.source = new EventSource(api + path, { withCredentials: true });
        this.seen = [];                 /* events with a name and data */
        this.broken = 0;                /* errors, which have none */
        this.opened = 0;
        this.waiting = [];

        for (const type of types) {
            this.source.addEventListener(type, event => this.take(event));
        }

        this.source.onopen = () => { this.opened++; this.look(); };
        this.source.onerror = event => {
            if (event.data === undefined) {
                this.broken++;
            }
            this.look();
        };
    }

    take(event) {
        this.seen.push({ type: event.type, id: event.lastEventId,
                         body: JSON.parse(event.data) });
        this.look();
    }

    look() {
        this.waiting = this.waiting.filter(one => !one());
    }

    /* what the code finds, as soon as it does */
    until(what, code) {
        return new Promise((resolve, reject) => {
            const late = setTimeout(() => reject(new Error(
                what + ' did not come; seen: '
                + this.seen.map(e => e.type + ' ' + e.id).join(', ')
                + '; state ' + this.source.readyState)), PATIENCE);
            const one = () => {
                const found = code(this);

                if (found) {
                    clearTimeout(late);
                    resolve(found);
                }
                return found;
            };

            this.waiting.push(one);
            this.look();
        });
    }

    event(type, like = () => true) {
        return this.until(type, w => w.seen.find(
            e => e.type === type && like(e.body)));
    }

    closed() {
        return this.until('the end', w =>
            w.source.readyState === EventSource.CLOSED);
    }

    /* the numbers of the facts, in the order in which they came */
    numbers() {
        return this.seen.filter(e => e.body.seq).map(e => +e.id);
    }
}


/* a picture in the page, as large as the browser finds it */

async function picture(url) {
    const image = document.createElement('img');

    image.src = url;
    document.body.append(image);
    await image.decode();

    return image.naturalWidth + 'x' + image.naturalHeight;
}


/* what a page reads of a download */

async function download(url, range) {
    const answer = await fetch(url, range ? { headers: { Range: range } } : {});
    const bytes = await answer.arrayBuffer();
    const digest = await crypto.subtle.digest('SHA-256', bytes);

    return { status: answer.status, bytes: bytes.byteLength,
             etag: answer.headers.get('ETag'),
             range: answer.headers.get('Content-Range'),
             sha256: Array.from(new Uint8Array(digest),
                                b => b.toString(16).padStart(2, '0'))
                          .join('') };
}
