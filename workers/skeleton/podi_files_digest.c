/*
 * podi_files: what a process or a peer left behind, measured by a thread.
 *
 *     loop -> thread: read, hash -> loop: answer
 *
 * The process that decodes strangers' bytes is not asked for the digest that
 * names its result: whoever broke it could name it like another one.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "podi_uv_io.h"
#include "podi_files.h"
#include "banned.h"

#define DIGEST_PIECE  65536

/* lives until the thread is done, which may be after the flow has gone */

typedef struct {
    podi_op_t         op;
    podi_flow_t      *flow;
    uv_work_t         work;
    int               fd;           /* its own */
    unsigned          ok:1;
    podi_digest_t     digest;
} digest_t;


static void digest_work(uv_work_t *work);
static podi_rc_t digest_read(digest_t *d, podi_mem_t *mem);
static void digest_done(uv_work_t *work, int status);
static void digest_cancel(podi_op_t *op);
static void digest_free(digest_t *d);


podi_rc_t
podi_files_digest(podi_flow_t *f, podi_job_t *job, int fd)
{
    digest_t      *d;
    podi_uv_io_t  *uv;

    d = calloc(1, sizeof(digest_t));
    if (d == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    d->flow = f;
    d->work.data = d;
    d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    uv = podi_worker_io(job->worker)->loop;

    if (d->fd == -1
        || uv_queue_work(uv->loop, &d->work, digest_work, digest_done) != 0)
    {
        digest_free(d);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the result could not be measured");
    }

    return podi_flow_wait(f, &d->op, digest_cancel);
}


static void
digest_work(uv_work_t *work)
{
    digest_t      *d = work->data;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    d->ok = (digest_read(d, podi_arena_mem(arena)) == PODI_OK);
    podi_arena_free(&arena);
}


static podi_rc_t
digest_read(digest_t *d, podi_mem_t *mem)
{
    ssize_t         n;
    podi_hash_t    *hash;
    unsigned char  *piece, sha256[PODI_HASH_LEN_MAX];

    piece = podi_mem_alloc(mem, DIGEST_PIECE);

    if (piece == NULL
        || podi_hash_begin(mem, PODI_HASH_SHA256, &hash) != PODI_OK)
    {
        return PODI_ERROR;
    }

    for ( ;; ) {
        n = pread(d->fd, piece, DIGEST_PIECE, (off_t) d->digest.bytes);

        if (n < 0) {
            return PODI_ERROR;
        }

        if (n == 0) {
            break;
        }

        if (podi_hash_add(hash, piece, (size_t) n) != PODI_OK) {
            return PODI_ERROR;
        }

        d->digest.bytes += n;
    }

    if (podi_hash_end(hash, sha256) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_hex_encode(d->digest.sha256, sha256, PODI_SHA256_LEN);
    d->digest.type = podi_files_sniff(d->fd);

    return PODI_OK;
}


static void
digest_done(uv_work_t *work, int status)
{
    digest_t       *d = work->data;
    podi_fail_t     fail;
    podi_digest_t  *digest;

    if (d->op.flow == NULL) {
        digest_free(d);                 /* cancelled meanwhile */
        return;
    }

    digest = podi_mem_alloc(d->flow->mem, sizeof(podi_digest_t));

    if (status != 0 || !d->ok || digest == NULL) {
        (void) podi_fail(&fail, PODI_E_INTERNAL, NULL,
                         "the result could not be read");
        podi_op_done(&d->op, NULL, &fail);
        digest_free(d);
        return;
    }

    *digest = d->digest;
    podi_op_done(&d->op, digest, NULL);
    digest_free(d);
}


/* the thread goes on; its answer will find nobody */

static void
digest_cancel(podi_op_t *op)
{
    digest_t  *d = podi_list_owner(op, digest_t, op);

    (void) uv_cancel((uv_req_t *) &d->work);
}


static void
digest_free(digest_t *d)
{
    if (d->fd != -1) {
        (void) close(d->fd);
    }

    free(d);
}
