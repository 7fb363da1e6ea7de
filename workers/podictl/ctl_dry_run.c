/*
 * ctl_dry_run: a workflow is tried on a server, one request after another.
 *
 *     upload.. -> prompt -> history.. -> view.. -> history delete
 *
 * Each run of the flow asks one thing; what comes of it decides what the next
 * run asks.  Promises: nothing of it is a job, costs points or is of a tenant;
 * a prompt that was sent, or may have been, is taken out of the server's queue
 * and history whatever happens, as long as the server answers: also when it is
 * told to stop (SIGINT, SIGTERM), once; the second time it ends.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_dry.h"
#include "banned.h"


#define RUN_EVERY   200                 /* ms, between two looks */
#define RUN_GRACE   5000                /* to stop, once it was asked to */


static void run_listen(void);
static void run_told(int signum);
static void run_woken(void *data);
static podi_rc_t run_uploaded(podi_flow_t *f, ctl_dry_t *d,
    const podi_http_reply_t *reply);
static podi_rc_t run_sent(podi_flow_t *f, ctl_dry_t *d,
    const podi_http_reply_t *reply);
static podi_rc_t run_seen(podi_flow_t *f, ctl_dry_t *d,
    const podi_http_reply_t *reply);
static podi_rc_t run_ended(ctl_dry_t *d);
static podi_rc_t run_viewed(ctl_dry_t *d, const podi_http_reply_t *reply,
    const podi_fail_t *fail);
static void run_next_file(ctl_dry_t *d);
static podi_rc_t run_over(podi_flow_t *f, ctl_dry_t *d);


static volatile sig_atomic_t  run_is_told;


podi_rc_t
ctl_dry_wait(podi_flow_t *f, void *ctx)
{
    ctl_t      *ctl = ctx;
    ctl_dry_t  *d = ctl->state;

    run_listen();

    if (d->stage != DRY_POLL) {
        return PODI_OK;
    }

    if (ctl->nap == NULL) {
        ctl->nap = ctl->uv.io.timer(&ctl->uv.io, PODI_TIMER_WORK, run_woken,
                                    d);
    }

    if (ctl->nap == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ctl->uv.io.arm(ctl->nap, RUN_EVERY);

    return podi_flow_wait(f, &d->nap, NULL);
}


/* heard with the next look, which is soon */

static void
run_listen(void)
{
    struct sigaction  action;
    static int        listens;

    if (listens) {
        return;
    }

    listens = 1;
    memset(&action, 0, sizeof(action));
    action.sa_handler = run_told;
    action.sa_flags = (int) SA_RESETHAND;

    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
}


static void
run_told(int signum)
{
    (void) signum;

    run_is_told = 1;
}


static void
run_woken(void *data)
{
    ctl_dry_t  *d = data;

    podi_op_done(&d->nap, NULL, NULL);
}


podi_rc_t
ctl_dry_read(podi_flow_t *f, void *ctx)
{
    ctl_t                    *ctl = ctx;
    podi_rc_t                 rc = PODI_OK;
    ctl_dry_t                *d = ctl->state;
    const podi_http_reply_t  *reply = f->result;

    switch (d->stage) {

    case DRY_UPLOAD:
        rc = run_uploaded(f, d, reply);
        break;

    case DRY_PROMPT:
        rc = run_sent(f, d, reply);
        break;

    case DRY_POLL:
        rc = run_seen(f, d, reply);
        break;

    case DRY_VIEW:
        rc = run_viewed(d, reply, &f->fail);
        break;

    case DRY_UNQUEUE:
        d->stage = d->targeted ? DRY_INTERRUPT : DRY_FORGET;
        break;

    case DRY_INTERRUPT:
        d->stage = DRY_POLL;
        d->until = podi_time_mono() + RUN_GRACE;
        break;

    default:
        d->stage = DRY_END;
    }

    if (rc != PODI_OK) {
        return rc;
    }

    return run_over(f, d);
}


/* nothing has been sent that anybody would run */

static podi_rc_t
run_uploaded(podi_flow_t *f, ctl_dry_t *d, const podi_http_reply_t *reply)
{
    if (reply == NULL) {
        return PODI_ERROR;
    }

    if (reply->status != 200
        || podi_comfy_uploaded(&reply->body, d->ctl->mem, &d->names[d->at])
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_EXECUTOR_FAILED, NULL,
                         "the server did not take %s (status %u)",
                         d->ctl->more[d->at], reply->status);
    }

    if (++d->at < d->n_inputs) {
        return PODI_OK;
    }

    d->stage = DRY_PROMPT;

    return ctl_dry_body(d, &f->fail);
}


static podi_rc_t
run_sent(podi_flow_t *f, ctl_dry_t *d, const podi_http_reply_t *reply)
{
    podi_comfy_answer_t       answer;
    static const podi_str_t   nothing = podi_null_str;

    if (reply == NULL && !f->fail.uncertain) {
        return PODI_ERROR;
    }

    if (podi_comfy_answer(reply != NULL ? (int) reply->status : 0,
                          reply != NULL ? &reply->type : &nothing,
                          reply != NULL ? &reply->body : &nothing,
                          d->ctl->mem, &answer) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    /* older servers give it an id of their own */
    if (answer.prompt_id.len > 0) {
        if (!podi_comfy_is_id(&answer.prompt_id)) {
            return podi_fail(&f->fail, PODI_E_EXECUTOR_FAILED, NULL,
                             "the server took it under an id that is none; it "
                             "may run there still");
        }

        d->ref = answer.prompt_id;
    }

    switch (answer.class) {

    case PODI_COMFY_ACCEPTED:
        d->stage = DRY_POLL;
        return PODI_OK;

    case PODI_COMFY_PARTIAL:
    case PODI_COMFY_UNKNOWN:
        d->stage = DRY_UNQUEUE;
        (void) podi_fail(&d->fail, PODI_E_EXECUTOR_FAILED, NULL,
                         PODI_STR_FMT, podi_str_arg(&answer.sentence));
        return PODI_OK;

    default:
        return podi_fail(&f->fail, answer.class == PODI_COMFY_BUSY
                         ? PODI_E_UNAVAILABLE : PODI_E_EXECUTOR_REFUSED,
                         NULL, PODI_STR_FMT "%s" PODI_STR_FMT,
                         podi_str_arg(&answer.node),
                         answer.node.len > 0 ? ": " : "",
                         podi_str_arg(&answer.sentence));
    }
}


/* one that does not answer may come back, as long as there is time */

static podi_rc_t
run_seen(podi_flow_t *f, ctl_dry_t *d, const podi_http_reply_t *reply)
{
    podi_str_t  body;

    if (reply != NULL && reply->status == 200) {
        if (podi_mem_dup(d->ctl->mem, &reply->body, &body) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        if (podi_comfy_history(&body, &d->ref, d->ctl->mem,
                               &d->history) == PODI_OK
            && d->history.end != PODI_COMFY_ABSENT)
        {
            return run_ended(d);
        }
    }

    if (podi_time_mono() < d->until
        && (!run_is_told || d->fail.error != PODI_E_NONE))
    {
        return PODI_OK;
    }

    if (d->fail.error != PODI_E_NONE) {
        d->stage = DRY_FORGET;
        return PODI_OK;
    }

    d->stage = DRY_UNQUEUE;
    (void) podi_fail(&d->fail, PODI_E_DEADLINE, "timeout", "it %s%s",
                     run_is_told ? "was to be stopped"
                     : "did not end in time", d->targeted ? ""
                     : "; if it runs, it goes on: this server stops whatever "
                       "runs, or nothing");
    return PODI_OK;
}


static podi_rc_t
run_ended(ctl_dry_t *d)
{
    podi_comfy_history_t  *h = &d->history;

    d->stage = DRY_FORGET;

    if (d->fail.error != PODI_E_NONE) {
        return PODI_OK;
    }

    if (h->end == PODI_COMFY_DONE) {
        d->at = (size_t) -1;
        run_next_file(d);
        return PODI_OK;
    }

    if (h->end == PODI_COMFY_INTERRUPTED) {
        (void) podi_fail(&d->fail, PODI_E_EXECUTOR_FAILED, NULL,
                         "somebody stopped it");
        return PODI_OK;
    }

    (void) podi_fail(&d->fail, PODI_E_EXECUTOR_FAILED, NULL,
                     "node " PODI_STR_FMT " (" PODI_STR_FMT "): " PODI_STR_FMT,
                     podi_str_arg(&h->node), podi_str_arg(&h->class_type),
                     podi_str_arg(&h->sentence));
    return PODI_OK;
}


static podi_rc_t
run_viewed(ctl_dry_t *d, const podi_http_reply_t *reply,
    const podi_fail_t *fail)
{
    int  bad = reply == NULL || reply->status != 200 || reply->bytes == 0;

    if (d->fd != -1) {
        bad = close(d->fd) != 0 || bad;
        d->fd = -1;
    }

    if (!bad) {
        run_next_file(d);
        return PODI_OK;
    }

    d->stage = DRY_FORGET;

    if (reply == NULL) {
        d->fail = *fail;
    } else {
        (void) podi_fail(&d->fail, PODI_E_EXECUTOR_FAILED, NULL,
                         "a file that was made could not be fetched");
    }

    return PODI_OK;
}


/* and when there is none: that is all */

static void
run_next_file(ctl_dry_t *d)
{
    for (d->at++; d->at < d->history.files_n; d->at++) {

        if (podi_comfy_wants(d->mapping, &d->history.files[d->at])) {
            d->stage = DRY_VIEW;
            return;
        }
    }

    d->stage = DRY_FORGET;
}


static podi_rc_t
run_over(podi_flow_t *f, ctl_dry_t *d)
{
    if (d->stage != DRY_END) {
        d->ctl->again = 1;
        return PODI_DONE;
    }

    if (d->fail.error == PODI_E_NONE) {
        (void) printf("{\"ended\":\"" PODI_STR_FMT "\"}\n",
                      podi_str_arg(&d->prompt_id));
        return PODI_DONE;
    }

    f->fail = d->fail;

    return PODI_ERROR;
}
