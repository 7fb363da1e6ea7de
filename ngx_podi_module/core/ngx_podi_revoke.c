/*
 * ngx_podi_revoke: who is out, and whose ends are known, in shared memory.
 *
 *     (kind, issuer, id) -> 16 bytes of SHA-256 -> two sets of 8 -> until,
 *                                                                  before
 *
 * Of its two sets an entry goes into the emptier one, so that nobody who fills
 * the table by chance or by intent fills a single set long before the others.
 * Where both are full, those who fall into its first one are asked for, until
 * the feed has read everything again.
 *
 * A reader takes no lock: an entry is written before its `until` is, and a
 * place is used again only when its old entry has expired.  So a writer that
 * is killed half-way leaves a free place.
 */

#include "ngx_podi_shm.h"
#include "podi_hash.h"


static podi_rc_t ngx_podi_mark(ngx_podi_mark_e kind, const podi_str_t *issuer,
    const podi_str_t *id, u_char *ret_mark);
static ngx_uint_t ngx_podi_is_covered(const ngx_podi_shm_t *shm,
    const ngx_podi_identity_t *who, const ngx_podi_marks_t *marks);
static ngx_uint_t ngx_podi_is_marked(const ngx_podi_shm_t *shm,
    const ngx_podi_marks_t *marks, time_t issued);
static ngx_uint_t ngx_podi_is_blind(const ngx_podi_shm_t *shm,
    const ngx_podi_marks_t *marks);
static void ngx_podi_revoked_put(ngx_podi_shm_t *shm, const u_char *id,
    const ngx_podi_revocation_t *what);


podi_rc_t
ngx_podi_marks_make(const ngx_podi_identity_t *who,
    ngx_podi_marks_t *ret_marks)
{
    ngx_uint_t         i;
    podi_str_t         none = podi_null_str;
    const podi_str_t  *issuer;
    const podi_str_t  *ids[NGX_PODI_MARKS];

    ids[NGX_PODI_MARK_TENANT] = &who->tenant;
    ids[NGX_PODI_MARK_USER] = &who->user;
    ids[NGX_PODI_MARK_SESSION] = &who->session;
    ids[NGX_PODI_MARK_TOKEN] = &who->token;
    ids[NGX_PODI_MARK_CHANNEL] = &who->channel;

    ret_marks->has = 0;

    for (i = 0; i < NGX_PODI_MARKS; i++) {

        if (ids[i]->len == 0) {
            continue;
        }

        issuer = (i == NGX_PODI_MARK_CHANNEL) ? &none : &who->issuer;

        if (ngx_podi_mark(i, issuer, ids[i], ret_marks->ids[i]) != PODI_OK) {
            return PODI_ERROR;
        }

        ret_marks->has |= 1u << i;
    }

    return PODI_OK;
}


/*
 * Whoever may choose an id must not be able to hit another's mark.  DECLINED:
 * it is too long to have one.
 */

static podi_rc_t
ngx_podi_mark(ngx_podi_mark_e kind, const podi_str_t *issuer,
    const podi_str_t *id, u_char *ret_mark)
{
    u_char       text[1024], *p;
    uint32_t     head[2];
    podi_str_t   s;
    u_char       digest[PODI_SHA256_LEN];

    if (issuer->len > sizeof(text) / 4 || id->len > sizeof(text) / 2) {
        return PODI_DECLINED;
    }

    head[0] = (uint32_t) kind;
    head[1] = (uint32_t) issuer->len;

    p = ngx_cpymem(text, head, sizeof(head));
    p = ngx_podi_add(p, issuer);
    p = ngx_podi_add(p, id);

    s.data = text;
    s.len = (size_t) (p - text);

    if (podi_sha256(&s, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    ngx_memcpy(ret_mark, digest, NGX_PODI_MARK_LEN);

    return PODI_OK;
}


/*
 * Who has an id that is too long is asked for anyhow.  Without a hash it is not
 * known who is meant, and while somebody stands still with the lock nothing can
 * be written: all are asked for until the feed has told it again, and no cover
 * from before that is good any more.
 */

podi_rc_t
ngx_podi_revoke(const ngx_podi_revocation_t *what)
{
    u_char           id[NGX_PODI_MARK_LEN];
    podi_rc_t        rc;
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    if (shm == NULL) {
        return PODI_OK;
    }

    rc = ngx_podi_mark(what->kind, &what->issuer, &what->id, id);

    if (rc == PODI_DECLINED) {
        return PODI_OK;
    }

    if (rc != PODI_OK || ngx_podi_lock(&shm->lock) == NGX_BUSY) {
        shm->feed.blind_until = ngx_current_msec
                                + NGX_PODI_FEED_OVERLAP * 1000
                                + shm->feed.stale;
        return PODI_ERROR;
    }

    ngx_podi_revoked_put(shm, id, what);
    ngx_podi_unlock(&shm->lock);

    return PODI_OK;
}


/* under the lock */

static void
ngx_podi_revoked_put(ngx_podi_shm_t *shm, const u_char *id,
    const ngx_podi_revocation_t *what)
{
    ngx_uint_t          first;
    ngx_podi_named_t   *set, *other;
    ngx_atomic_uint_t   now, until, again;

    now = (ngx_atomic_uint_t) ngx_time();
    until = (ngx_atomic_uint_t) what->until;

    first = ngx_podi_named_at(id, 0, shm->sets);
    set = &shm->revoked[first];
    other = &shm->revoked[ngx_podi_named_at(id, 1, shm->sets)];

    if (ngx_podi_named_room(other, id, now)
        > ngx_podi_named_room(set, id, now))
    {
        set = other;
    }

    /* before the entry: who sees it must not think the table empty */

    shm->feed.last_until = ngx_max(shm->feed.last_until, until);
    ngx_memory_barrier();

    if (ngx_podi_named_put(set, id, what->before, until, now) == PODI_OK) {
        return;
    }

    /*
     * Until it has been read again, and no cover from before that is good any
     * more: then it is in, or lost once more.
     */

    again = ngx_current_msec + NGX_PODI_FEED_AGAIN + shm->feed.stale;

    shm->feed.lost_until = again;
    ngx_memory_barrier();
    shm->blind[first] = again;
}


void
ngx_podi_revoke_session(const podi_str_t *sid)
{
    ngx_podi_revocation_t  what;

    what.kind = NGX_PODI_MARK_SESSION;
    what.issuer = podi_str_c(NGX_PODI_ISSUER);
    what.id = *sid;
    what.before = 0;
    what.until = ngx_time() + NGX_PODI_TOKEN_LIFE + NGX_PODI_TOKEN_LEEWAY;

    (void) ngx_podi_revoke(&what);      /* the feed tells it as well */
}


ngx_uint_t
ngx_podi_is_out(const ngx_podi_marks_t *marks, time_t issued)
{
    const ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    return shm != NULL && ngx_podi_is_marked(shm, marks, issued);
}


/* the cover is looked at first: an end comes before the cover that knows it */

ngx_podi_revoked_e
ngx_podi_identity_state(const ngx_podi_identity_t *who)
{
    ngx_uint_t               covered;
    ngx_podi_shm_t          *shm;
    ngx_podi_marks_t         made;
    const ngx_podi_marks_t  *marks;

    shm = ngx_podi_shm();
    marks = who->marks;

    if (shm == NULL) {
        return NGX_PODI_UNKNOWN;
    }

    if (marks == NULL) {

        if (ngx_podi_marks_make(who, &made) != PODI_OK) {
            return NGX_PODI_UNKNOWN;
        }

        marks = &made;
    }

    covered = ngx_podi_is_covered(shm, who, marks);

    ngx_memory_barrier();

    if (ngx_podi_is_marked(shm, marks, who->issued)) {
        return NGX_PODI_REVOKED;
    }

    return covered ? NGX_PODI_LIVE : NGX_PODI_UNKNOWN;
}


static ngx_uint_t
ngx_podi_is_covered(const ngx_podi_shm_t *shm, const ngx_podi_identity_t *who,
    const ngx_podi_marks_t *marks)
{
    const u_char            *id;
    const ngx_podi_named_t  *set;

    if (shm->feed.blind_until > ngx_current_msec
        || ngx_podi_is_blind(shm, marks))
    {
        return 0;
    }

    if (who->ours) {
        id = marks->ids[NGX_PODI_MARK_TENANT];
        set = &shm->covered[ngx_podi_named_at(id, 0, NGX_PODI_TENANT_SETS)];

        return (marks->has & (1u << NGX_PODI_MARK_TENANT))
               && ngx_podi_named_has(set, id, 0, ngx_current_msec);
    }

    return shm->feed.fresh_until > ngx_current_msec || !ngx_podi_has_pg();
}


static ngx_uint_t
ngx_podi_is_blind(const ngx_podi_shm_t *shm, const ngx_podi_marks_t *marks)
{
    ngx_uint_t  i, n;

    if (shm->feed.lost_until <= ngx_current_msec) {
        return 0;
    }

    for (i = NGX_PODI_MARK_USER; i < NGX_PODI_MARKS; i++) {

        if (!(marks->has & (1u << i))) {
            continue;
        }

        n = ngx_podi_named_at(marks->ids[i], 0, shm->sets);

        if (shm->blind[n] > ngx_current_msec) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_podi_is_marked(const ngx_podi_shm_t *shm, const ngx_podi_marks_t *marks,
    time_t issued)
{
    ngx_uint_t          i, k, n;
    const u_char       *id;
    ngx_atomic_uint_t   now;

    now = (ngx_atomic_uint_t) ngx_time();

    if (shm->feed.last_until <= now) {
        return 0;
    }

    for (i = NGX_PODI_MARK_USER; i < NGX_PODI_MARKS; i++) {

        if (!(marks->has & (1u << i))) {
            continue;
        }

        id = marks->ids[i];

        for (k = 0; k < 2; k++) {
            n = ngx_podi_named_at(id, k, shm->sets);

            if (ngx_podi_named_has(&shm->revoked[n], id, issued, now)) {
                return 1;
            }
        }
    }

    return 0;
}


/* without room, or the lock, it is not covered: its people are asked for */

void
ngx_podi_feed_covers(const podi_str_t *tenant, ngx_msec_t until)
{
    u_char            id[NGX_PODI_MARK_LEN];
    ngx_uint_t        n;
    podi_str_t        ours = podi_string(NGX_PODI_ISSUER);
    ngx_podi_shm_t   *shm;

    shm = ngx_podi_shm();

    if (shm == NULL
        || ngx_podi_mark(NGX_PODI_MARK_TENANT, &ours, tenant, id) != PODI_OK
        || ngx_podi_lock(&shm->lock) == NGX_BUSY)
    {
        return;
    }

    n = ngx_podi_named_at(id, 0, NGX_PODI_TENANT_SETS);

    (void) ngx_podi_named_put(&shm->covered[n], id, 0, until,
                              ngx_current_msec);

    ngx_podi_unlock(&shm->lock);
}


void
ngx_podi_feed_fresh(ngx_msec_t read, ngx_msec_t until)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    if (shm != NULL) {
        shm->feed.fresh_until = until;
        shm->feed.synced = read;
    }
}


ngx_podi_feed_t *
ngx_podi_feed(void)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    return (shm == NULL) ? NULL : &shm->feed;
}


ngx_uint_t
ngx_podi_revoked_count(void)
{
    time_t           now;
    ngx_uint_t       i, k, n;
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();
    if (shm == NULL) {
        return 0;
    }

    now = ngx_time();
    n = 0;

    for (i = 0; i < shm->sets; i++) {
        for (k = 0; k < NGX_PODI_NAMED; k++) {
            n += ((time_t) shm->revoked[i].until[k] > now);
        }
    }

    return n;
}
