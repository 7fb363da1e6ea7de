/*
 * ngx_podi_revoke: who is out, and whose ends are known, in shared memory.
 *
 *     (kind, issuer, id) -> 16 bytes of SHA-256 -> a set of 8 -> until, before
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
static ngx_uint_t ngx_podi_named_at(const u_char *id, ngx_uint_t sets);
static ngx_uint_t ngx_podi_named_has(const ngx_podi_named_t *set,
    const u_char *id, time_t issued);
static podi_rc_t ngx_podi_named_put(ngx_podi_named_t *set, const u_char *id,
    time_t before, time_t until);


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


/* whoever may choose an id must not be able to hit another's mark */

static podi_rc_t
ngx_podi_mark(ngx_podi_mark_e kind, const podi_str_t *issuer,
    const podi_str_t *id, u_char *ret_mark)
{
    u_char       text[1024], *p;
    uint32_t     head[2];
    podi_str_t   s;
    u_char       digest[PODI_SHA256_LEN];

    if (issuer->len > sizeof(text) / 4 || id->len > sizeof(text) / 2) {
        return PODI_ERROR;
    }

    head[0] = (uint32_t) kind;
    head[1] = (uint32_t) issuer->len;

    p = ngx_cpymem(text, head, sizeof(head));
    p = ngx_cpymem(p, issuer->data, issuer->len);
    p = ngx_cpymem(p, id->data, id->len);

    s.data = text;
    s.len = (size_t) (p - text);

    if (podi_sha256(&s, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    ngx_memcpy(ret_mark, digest, NGX_PODI_MARK_LEN);

    return PODI_OK;
}


/* what cannot be remembered leaves everybody to PostgreSQL */

void
ngx_podi_revoke(const ngx_podi_revocation_t *what)
{
    u_char             id[NGX_PODI_MARK_LEN];
    podi_rc_t          rc;
    ngx_podi_shm_t    *shm;
    ngx_slab_pool_t   *pool;
    ngx_atomic_uint_t  until;

    pool = ngx_podi_shm_pool();

    if (pool == NULL) {
        return;
    }

    shm = pool->data;
    until = (ngx_atomic_uint_t) what->until;

    rc = ngx_podi_mark(what->kind, &what->issuer, &what->id, id);

    ngx_shmtx_lock(&pool->mutex);

    if (rc == PODI_OK) {

        /* before the entry: who sees it must not think the table empty */

        shm->feed.last_until = ngx_max(shm->feed.last_until, until);
        ngx_memory_barrier();

        rc = ngx_podi_named_put(&shm->revoked[ngx_podi_named_at(id,
                                                                shm->sets)],
                                id, what->before, what->until);
    }

    if (rc != PODI_OK) {
        shm->feed.blind_until = ngx_max(shm->feed.blind_until, until);
    }

    ngx_shmtx_unlock(&pool->mutex);
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

    ngx_podi_revoke(&what);
}


ngx_podi_revoked_e
ngx_podi_session_state(const podi_str_t *sid)
{
    podi_str_t         ours = podi_string(NGX_PODI_ISSUER);
    ngx_podi_shm_t    *shm;
    ngx_podi_marks_t   marks;

    shm = ngx_podi_shm();
    marks.has = 1u << NGX_PODI_MARK_SESSION;

    if (shm == NULL
        || ngx_podi_mark(NGX_PODI_MARK_SESSION, &ours, sid,
                         marks.ids[NGX_PODI_MARK_SESSION])
           != PODI_OK)
    {
        return NGX_PODI_UNKNOWN;
    }

    return ngx_podi_is_marked(shm, &marks, 0) ? NGX_PODI_REVOKED
                                              : NGX_PODI_UNKNOWN;
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
    time_t                       now;
    const u_char                *id;
    const ngx_podi_named_t      *set;
    const ngx_podi_main_conf_t  *pmcf;

    now = ngx_time();

    if ((time_t) shm->feed.blind_until > now) {
        return 0;
    }

    if (who->ours) {
        id = marks->ids[NGX_PODI_MARK_TENANT];
        set = &shm->covered[ngx_podi_named_at(id, NGX_PODI_TENANT_SETS)];

        return (marks->has & (1u << NGX_PODI_MARK_TENANT))
               && ngx_podi_named_has(set, id, 0);
    }

    pmcf = ngx_podi_conf();

    return (time_t) shm->feed.fresh_until > now || pmcf->tenants.nelts == 0;
}


static ngx_uint_t
ngx_podi_is_marked(const ngx_podi_shm_t *shm, const ngx_podi_marks_t *marks,
    time_t issued)
{
    ngx_uint_t               i;
    const u_char            *id;
    const ngx_podi_named_t  *set;

    if ((time_t) shm->feed.last_until <= ngx_time()) {
        return 0;
    }

    for (i = NGX_PODI_MARK_USER; i < NGX_PODI_MARKS; i++) {

        if (!(marks->has & (1u << i))) {
            continue;
        }

        id = marks->ids[i];
        set = &shm->revoked[ngx_podi_named_at(id, shm->sets)];

        if (ngx_podi_named_has(set, id, issued)) {
            return 1;
        }
    }

    return 0;
}


/* without room it is not covered, and its people are asked for */

void
ngx_podi_feed_covers(const podi_str_t *tenant, time_t until)
{
    u_char            id[NGX_PODI_MARK_LEN];
    ngx_uint_t        n;
    podi_str_t        ours = podi_string(NGX_PODI_ISSUER);
    ngx_podi_shm_t   *shm;
    ngx_slab_pool_t  *pool;

    pool = ngx_podi_shm_pool();

    if (pool == NULL
        || ngx_podi_mark(NGX_PODI_MARK_TENANT, &ours, tenant, id) != PODI_OK)
    {
        return;
    }

    shm = pool->data;
    n = ngx_podi_named_at(id, NGX_PODI_TENANT_SETS);

    ngx_shmtx_lock(&pool->mutex);

    (void) ngx_podi_named_put(&shm->covered[n], id, 0, until);

    ngx_shmtx_unlock(&pool->mutex);
}


void
ngx_podi_feed_fresh(time_t read, time_t until)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    if (shm != NULL) {
        shm->feed.fresh_until = (ngx_atomic_uint_t) until;
        shm->feed.synced = (ngx_atomic_uint_t) read;
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


static ngx_uint_t
ngx_podi_named_at(const u_char *id, ngx_uint_t sets)
{
    uint32_t  n;

    ngx_memcpy(&n, id, sizeof(n));

    return n & (sets - 1);
}


static ngx_uint_t
ngx_podi_named_has(const ngx_podi_named_t *set, const u_char *id,
    time_t issued)
{
    time_t      now;
    ngx_uint_t  i;

    now = ngx_time();

    for (i = 0; i < NGX_PODI_NAMED; i++) {

        if ((time_t) set->until[i] > now
            && ngx_memcmp(set->ids[i], id, NGX_PODI_MARK_LEN) == 0
            && (set->before[i] == 0 || issued < (time_t) set->before[i]))
        {
            return 1;
        }
    }

    return 0;
}


/* under the lock; ERROR: there is no room */

static podi_rc_t
ngx_podi_named_put(ngx_podi_named_t *set, const u_char *id, time_t before,
    time_t until)
{
    time_t      now;
    ngx_int_t   place;
    ngx_uint_t  i;

    now = ngx_time();
    place = -1;

    for (i = 0; i < NGX_PODI_NAMED; i++) {

        if ((time_t) set->until[i] <= now) {
            place = (place == -1) ? (ngx_int_t) i : place;

        } else if (ngx_memcmp(set->ids[i], id, NGX_PODI_MARK_LEN) == 0) {

            /* what has been said is never taken back; 0 says most */

            if (before == 0 || set->before[i] == 0) {
                set->before[i] = 0;

            } else {
                set->before[i] = ngx_max(set->before[i],
                                         (ngx_atomic_uint_t) before);
            }

            set->until[i] = ngx_max(set->until[i],
                                    (ngx_atomic_uint_t) until);
            return PODI_OK;
        }
    }

    if (place == -1) {
        return PODI_ERROR;
    }

    set->until[place] = 0;
    ngx_memory_barrier();
    set->before[place] = (ngx_atomic_uint_t) before;
    ngx_memcpy(set->ids[place], id, NGX_PODI_MARK_LEN);
    ngx_memory_barrier();
    set->until[place] = (ngx_atomic_uint_t) until;

    return PODI_OK;
}
