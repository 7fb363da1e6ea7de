/*
 * podi_presign: a URL that carries its own permission.
 *
 *     which headers -> query with all but the signature -> sign -> URL
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_buf.h"
#include "podi_sign_alg.h"
#include "banned.h"


#define PODI_PRESIGN_OWN  7             /* parameters of ours, at most */


typedef struct {
    podi_pair_t  pairs[PODI_SIGN_PAIRS_MAX];
    size_t       n;
} podi_presign_list_t;


static podi_rc_t podi_presign_headers(const podi_sign_alg_t *alg,
    const podi_presign_t *what, podi_mem_t *mem, podi_presign_list_t *headers,
    podi_str_t *ret_names);
static podi_rc_t podi_presign_query(const podi_sign_alg_t *alg,
    const podi_sign_cred_t *cred, const podi_presign_t *what,
    const podi_str_t *names, podi_mem_t *mem, podi_presign_list_t *query);
static void podi_presign_put(podi_presign_list_t *list, const char *name,
    const podi_str_t *value);
static podi_rc_t podi_presign_host(const podi_str_t *origin,
    podi_str_t *ret_host);


podi_rc_t
podi_presign(const podi_sign_alg_t *alg, const podi_sign_cred_t *cred,
    const podi_presign_t *what, podi_mem_t *mem, podi_str_t *ret_url)
{
    podi_buf_t            b;
    podi_str_t            names;
    podi_signature_t      sig;
    podi_presign_list_t   headers, query;
    podi_sign_request_t   req;

    podi_assert(what->expires >= 1
                && what->expires <= PODI_SIGN_EXPIRES_MAX);

    if (what->n_headers >= PODI_SIGN_PAIRS_MAX
        || what->n_query > PODI_SIGN_PAIRS_MAX - PODI_PRESIGN_OWN
        || podi_presign_headers(alg, what, mem, &headers, &names) != PODI_OK
        || podi_presign_query(alg, cred, what, &names, mem, &query)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    memset(&req, 0, sizeof(req));

    req.method = what->method;
    req.bucket = what->bucket;
    req.path = what->path;
    req.query = query.pairs;
    req.n_query = query.n;
    req.headers = headers.pairs;
    req.n_headers = headers.n;
    req.payload_hash = podi_str_c("UNSIGNED-PAYLOAD");
    req.time = what->time;

    if (alg->picks_headers) {
        req.additional = names;
    }

    if (podi_sign(alg, cred, &req, mem, &sig) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);

    podi_buf_add_str(&b, &what->origin);
    podi_buf_add_uri(&b, &what->path, 1);
    podi_buf_add_byte(&b, '?');
    podi_buf_add_str(&b, &sig.query);
    podi_buf_printf(&b, "&%s=" PODI_STR_FMT, alg->q_signature,
                    podi_str_arg(&sig.signature));

    return podi_buf_take(&b, ret_url);
}


/* the headers to sign, and the list of names that the URL must state */

static podi_rc_t
podi_presign_headers(const podi_sign_alg_t *alg, const podi_presign_t *what,
    podi_mem_t *mem, podi_presign_list_t *headers, podi_str_t *ret_names)
{
    size_t           i;
    podi_str_t       lines, host, none = podi_null_str;
    podi_sign_alg_t  all;
    podi_pair_t      stated[PODI_SIGN_PAIRS_MAX];
    size_t           n = 0;

    headers->n = 0;

    if (podi_presign_host(&what->origin, &host) != PODI_OK) {
        return PODI_ERROR;
    }

    if (!alg->picks_headers) {
        podi_presign_put(headers, "host", &host);
    }

    for (i = 0; i < what->n_headers; i++) {
        headers->pairs[headers->n++] = what->headers[i];
    }

    for (i = 0; i < headers->n; i++) {
        if (!podi_sign_is_default(alg, &headers->pairs[i].name)) {
            stated[n++] = headers->pairs[i];
        }
    }

    /* the list is sorted and joined as the dialect that signs all does it */

    all = *alg;
    all.picks_headers = 0;

    return podi_sign_headers(&all, stated, n, &none, mem, &lines, ret_names);
}


static podi_rc_t
podi_presign_query(const podi_sign_alg_t *alg, const podi_sign_cred_t *cred,
    const podi_presign_t *what, const podi_str_t *names, podi_mem_t *mem,
    podi_presign_list_t *query)
{
    size_t          i;
    podi_str_t      s, scope;
    unsigned char   date[PODI_AMZ_DATE_LEN];

    query->n = 0;

    for (i = 0; i < what->n_query; i++) {
        query->pairs[query->n++] = what->query[i];
    }

    podi_time_amz(what->time, date);

    s = podi_str_c(alg->name);
    podi_presign_put(query, alg->q_algorithm, &s);

    if (podi_sign_scope(alg, cred, date, mem, &scope) != PODI_OK
        || podi_mem_printf(mem, &s, PODI_STR_FMT "/" PODI_STR_FMT,
                           podi_str_arg(&cred->access_key),
                           podi_str_arg(&scope)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_presign_put(query, alg->q_credential, &s);

    if (podi_mem_printf(mem, &s, "%.*s", PODI_AMZ_DATE_LEN,
                        (const char *) date) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_presign_put(query, alg->q_date, &s);

    if (podi_mem_printf(mem, &s, "%u", what->expires) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_presign_put(query, alg->q_expires, &s);

    if (names->len) {
        podi_presign_put(query, alg->q_headers, names);
    }

    if (cred->token.len) {
        podi_presign_put(query, alg->q_token, &cred->token);
    }

    return PODI_OK;
}


static void
podi_presign_put(podi_presign_list_t *list, const char *name,
    const podi_str_t *value)
{
    list->pairs[list->n].name = podi_str_c(name);
    list->pairs[list->n].value = *value;
    list->n++;
}


static podi_rc_t
podi_presign_host(const podi_str_t *origin, podi_str_t *ret_host)
{
    size_t  skip;

    if (podi_str_has_prefix(origin, "https://")) {
        skip = sizeof("https://") - 1;

    } else if (podi_str_has_prefix(origin, "http://")) {
        skip = sizeof("http://") - 1;

    } else {
        return PODI_ERROR;
    }

    ret_host->data = origin->data + skip;
    ret_host->len = origin->len - skip;

    if (ret_host->len == 0
        || memchr(ret_host->data, '/', ret_host->len) != NULL)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}
