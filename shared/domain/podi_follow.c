/*
 * podi_follow: what to do next about a prompt that was sent.
 */

#include <string.h>

#include "podi_follow.h"
#include "banned.h"


#define PODI_FOLLOW_DEAF    4
#define PODI_FOLLOW_SILENT  3
#define PODI_FOLLOW_MOVES   2


static podi_act_e podi_follow_look(podi_follow_t *f);
static podi_act_e podi_follow_rest(podi_follow_t *f,
    const podi_follow_conf_t *conf, podi_msec_t *ret_wait);
static podi_act_e podi_follow_over(podi_follow_t *f, podi_act_e act);
static podi_act_e podi_follow_absent(podi_follow_t *f,
    const podi_follow_conf_t *conf, podi_msec_t now, podi_msec_t *ret_wait);
static podi_act_e podi_follow_there(podi_follow_t *f,
    const podi_follow_conf_t *conf, int runs, podi_msec_t now,
    podi_msec_t *ret_wait);
static void podi_follow_moves(podi_follow_t *f,
    const podi_follow_conf_t *conf, podi_msec_t now);
static podi_act_e podi_follow_stands(podi_follow_t *f,
    const podi_follow_conf_t *conf, podi_msec_t now, podi_msec_t *ret_wait);
static podi_act_e podi_follow_nothing(podi_follow_t *f,
    const podi_follow_conf_t *conf, podi_msec_t now, podi_msec_t *ret_wait);


void
podi_follow_begin(podi_follow_t *f, int known, podi_msec_t now)
{
    memset(f, 0, sizeof(*f));
    f->known = known != 0;
    f->heard_at = now;
    f->sign_at = now;
}


podi_act_e
podi_follow_see(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_see_e see, podi_msec_t now, podi_msec_t *ret_wait)
{
    int  asked = f->state <= PODI_FOLLOW_AGAIN;

    switch (see) {

    case PODI_SEE_ABSENT:
        return asked ? podi_follow_absent(f, conf, now, ret_wait)
                     : PODI_ACT_NOTHING;

    case PODI_SEE_END:
        return asked && f->state != PODI_FOLLOW_QUEUE
               ? podi_follow_over(f, PODI_ACT_FINISH) : PODI_ACT_NOTHING;

    case PODI_SEE_STANDS:
        return f->state == PODI_FOLLOW_QUEUE
               ? podi_follow_stands(f, conf, now, ret_wait)
               : PODI_ACT_NOTHING;

    case PODI_SEE_WAITS:
        podi_follow_moves(f, conf, now);
        f->stands = 0;
        return f->state == PODI_FOLLOW_QUEUE
               ? podi_follow_there(f, conf, 0, now, ret_wait)
               : PODI_ACT_NOTHING;

    case PODI_SEE_RUNS:
        f->stands = 0;
        f->waits = 0;
        return f->state == PODI_FOLLOW_QUEUE
               ? podi_follow_there(f, conf, 1, now, ret_wait)
               : PODI_ACT_NOTHING;

    case PODI_SEE_NOTHING:
        return asked ? podi_follow_nothing(f, conf, now, ret_wait)
                     : PODI_ACT_NOTHING;

    case PODI_SEE_STOPPED:
        if (f->state != PODI_FOLLOW_STOP) {
            return PODI_ACT_NOTHING;
        }

        f->delay = 0;
        return podi_follow_rest(f, conf, ret_wait);

    case PODI_SEE_SIGN:
        f->sign_at = now;
        return PODI_ACT_NOTHING;

    case PODI_SEE_CANCEL:
        f->cancel = 1;
        break;

    case PODI_SEE_TIME:
    case PODI_SEE_HINT:
        break;
    }

    return f->state == PODI_FOLLOW_REST ? podi_follow_look(f)
                                        : PODI_ACT_NOTHING;
}


static podi_act_e
podi_follow_look(podi_follow_t *f)
{
    f->state = PODI_FOLLOW_HISTORY;

    return PODI_ACT_HISTORY;
}


/* each wait is half as long again as the one before */

static podi_act_e
podi_follow_rest(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_msec_t *ret_wait)
{
    f->delay = f->delay ? f->delay + (f->delay + 1) / 2 : conf->poll;

    if (f->delay > conf->poll_max) {
        f->delay = conf->poll_max;
    }

    f->state = PODI_FOLLOW_REST;
    *ret_wait = f->delay;

    return PODI_ACT_WAIT;
}


static podi_act_e
podi_follow_over(podi_follow_t *f, podi_act_e act)
{
    f->state = PODI_FOLLOW_OVER;

    return act;
}


static podi_act_e
podi_follow_absent(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_msec_t now, podi_msec_t *ret_wait)
{
    f->heard_at = now;
    f->silent = 0;

    if (f->state == PODI_FOLLOW_HISTORY) {
        f->state = PODI_FOLLOW_QUEUE;
        return PODI_ACT_QUEUE;
    }

    if (f->state == PODI_FOLLOW_QUEUE) {
        f->state = PODI_FOLLOW_AGAIN;
        return PODI_ACT_HISTORY;
    }

    if (f->missed == 0 || now - f->missed_at >= conf->gap) {
        f->missed++;
        f->missed_at = now;
    }

    if (f->missed >= (f->known ? 2 : 3)) {
        return podi_follow_over(f, PODI_ACT_LOST);
    }

    f->state = PODI_FOLLOW_REST;
    *ret_wait = conf->gap - (now - f->missed_at);

    return PODI_ACT_WAIT;
}


static podi_act_e
podi_follow_there(podi_follow_t *f, const podi_follow_conf_t *conf, int runs,
    podi_msec_t now, podi_msec_t *ret_wait)
{
    podi_msec_t  idle = conf->idle * (f->deaf ? PODI_FOLLOW_DEAF : 1);

    f->heard_at = now;
    f->silent = 0;
    f->missed = 0;
    f->known = 1;

    if (runs && !f->runs) {
        f->runs = 1;
        f->sign_at = now;
        f->delay = 0;
    }

    if (runs && f->leaves) {
        f->leaves = 0;
        f->cancel = 0;
    }

    /* it went on by itself */
    if (f->stop && !f->cancel && now - f->sign_at < idle) {
        f->stop = 0;
    }

    if (f->stop && now - f->stop_at >= conf->grace) {
        return podi_follow_over(f, PODI_ACT_STUCK);
    }

    /* one that stopped waiting in between is asked for again, as it runs */
    if (f->cancel || (runs && now - f->sign_at >= idle)) {

        if (!f->stop) {
            f->stop = 1;
            f->stop_at = now;
        }

        f->state = PODI_FOLLOW_STOP;
        return runs ? PODI_ACT_INTERRUPT : PODI_ACT_DELETE;
    }

    return podi_follow_rest(f, conf, ret_wait);
}


/* who is before it may be a stranger's, and never end */

static void
podi_follow_moves(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_msec_t now)
{
    if (!f->waits || f->waited != f->ahead) {
        f->waits = 1;
        f->waited = f->ahead;
        f->moved_at = now;
    }

    if (!f->cancel && now - f->moved_at >= conf->idle * PODI_FOLLOW_MOVES) {
        f->cancel = 1;
        f->leaves = 1;
    }
}


/* between two prompts nothing runs for a moment */

static podi_act_e
podi_follow_stands(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_msec_t now, podi_msec_t *ret_wait)
{
    if (!f->stands) {
        f->stands = 1;
        f->stands_at = now;
    }

    if (!f->cancel && now - f->stands_at >= conf->idle) {
        return podi_follow_over(f, PODI_ACT_STUCK);
    }

    return podi_follow_there(f, conf, 0, now, ret_wait);
}


/*
 * What was missed before the silence counts no more: it may have come there,
 * and gone on, in between.
 */

static podi_act_e
podi_follow_nothing(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_msec_t now, podi_msec_t *ret_wait)
{
    f->silent++;

    if (f->silent >= PODI_FOLLOW_SILENT && now - f->heard_at >= conf->away) {
        return podi_follow_over(f, PODI_ACT_GONE);
    }

    f->missed = 0;

    return podi_follow_rest(f, conf, ret_wait);
}
