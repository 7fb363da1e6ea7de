/*
 * podi_sign_verify: is this request what the owner of the key signed?
 *
 *     target -> path, query -> the claim (query or header form)
 *            -> key, scope, times, headers -> sign again -> compare
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_sign_alg.h"
#include "podi_sign_target.h"
#include "podi_sign_verify.h"
#include "banned.h"


#define PODI_SIGN_SKEW  ((podi_usec_t) 15 * 60 * 1000000)


/* what a request says about its signature, in either form */

typedef struct {
    podi_sign_target_t   target;
    podi_str_t           algorithm;
    podi_str_t           credential;
    podi_str_t           date;
    podi_str_t           expires;
    podi_str_t           headers;
    podi_str_t           token;
    podi_str_t           payload_hash;
    podi_str_t           signature;
    podi_usec_t          time;
    podi_s3_error_e      malformed;     /* the form's own error */
    unsigned             in_query:1;
} podi_sign_claim_t;


static podi_s3_error_e podi_sign_claim(const podi_sign_incoming_t *in,
    podi_sign_claim_t *c, const char **why);
static podi_s3_error_e podi_sign_claim_query(podi_sign_claim_t *c,
    const char **why);
static podi_s3_error_e podi_sign_claim_header(const podi_sign_incoming_t *in,
    podi_sign_claim_t *c, podi_str_t header, const char **why);
static podi_s3_error_e podi_sign_check_cred(const podi_sign_incoming_t *in,
    podi_sign_claim_t *c, const podi_sign_cred_t **ret_cred,
    const char **why);
static podi_s3_error_e podi_sign_check_time(const podi_sign_incoming_t *in,
    podi_sign_claim_t *c, podi_usec_t *ret_expires, const char **why);
static podi_s3_error_e podi_sign_check_headers(
    const podi_sign_incoming_t *in, const podi_sign_claim_t *c,
    podi_mem_t *mem, podi_sign_request_t *req, const char **why);
static podi_s3_error_e podi_sign_compare(const podi_sign_incoming_t *in,
    const podi_sign_claim_t *c, podi_mem_t *mem, podi_sign_verified_t *v);
static podi_s3_error_e podi_sign_no(const char **why, podi_s3_error_e error,
    const char *text);
static podi_rc_t podi_sign_header(const podi_sign_incoming_t *in,
    const char *name, podi_str_t *ret_value);
static int podi_sign_is_hash(const podi_str_t *s);


podi_s3_error_e
podi_sign_verify(const podi_sign_incoming_t *in, podi_mem_t *mem,
    podi_sign_verified_t *ret)
{
    podi_s3_error_e    error;
    podi_sign_claim_t  c;

    memset(ret, 0, sizeof(podi_sign_verified_t));
    memset(&c, 0, sizeof(podi_sign_claim_t));
    ret->detail = "";

    error = podi_sign_target(&in->target, mem, &c.target, &ret->detail);

    if (error == PODI_S3_NONE) {
        error = podi_sign_claim(in, &c, &ret->detail);
    }

    if (error == PODI_S3_NONE) {
        error = podi_sign_check_time(in, &c, &ret->expires, &ret->detail);
    }

    if (error == PODI_S3_NONE) {
        error = podi_sign_check_cred(in, &c, &ret->cred, &ret->detail);
    }

    if (error == PODI_S3_NONE) {
        error = podi_sign_compare(in, &c, mem, ret);
    }

    if (error != PODI_S3_NONE) {
        return error;
    }

    ret->path = c.target.path;
    ret->query = c.target.query;
    ret->n_query = podi_sign_target_strip(&c.target,
                                          podi_sign_aws4.header_prefix);
    ret->signed_headers = c.headers;
    ret->payload_hash = c.payload_hash;

    return PODI_S3_NONE;
}


static podi_s3_error_e
podi_sign_claim(const podi_sign_incoming_t *in, podi_sign_claim_t *c,
    const char **why)
{
    int         in_query;
    podi_str_t  header;

    in_query = podi_sign_target_has(&c->target, podi_sign_aws4.q_algorithm)
               || podi_sign_target_has(&c->target, podi_sign_aws4.q_signature);

    if (podi_sign_header(in, "authorization", &header) != PODI_OK) {
        header.len = 0;
    }

    if (in_query) {
        c->in_query = 1;
        c->malformed = PODI_S3_BAD_QUERY;

        if (header.len) {
            return podi_sign_no(why, PODI_S3_BAD_REQUEST,
                                "signed in the query and in a header");
        }

        return podi_sign_claim_query(c, why);
    }

    c->malformed = PODI_S3_BAD_HEADER;

    if (header.len == 0) {
        return podi_sign_no(why, PODI_S3_ACCESS_DENIED, "not signed");
    }

    return podi_sign_claim_header(in, c, header, why);
}


static podi_s3_error_e
podi_sign_claim_query(podi_sign_claim_t *c, const char **why)
{
    const podi_sign_alg_t     *alg = &podi_sign_aws4;
    const podi_sign_target_t  *t = &c->target;

    if (podi_sign_target_one(t, alg->q_algorithm, &c->algorithm) != PODI_OK
        || podi_sign_target_one(t, alg->q_credential, &c->credential)
           != PODI_OK
        || podi_sign_target_one(t, alg->q_date, &c->date) != PODI_OK
        || podi_sign_target_one(t, alg->q_expires, &c->expires) != PODI_OK
        || podi_sign_target_one(t, alg->q_headers, &c->headers) != PODI_OK
        || podi_sign_target_one(t, alg->q_signature, &c->signature)
           != PODI_OK)
    {
        return podi_sign_no(why, PODI_S3_BAD_QUERY,
                            "a parameter is missing or occurs twice");
    }

    if (podi_sign_target_has(t, alg->q_token)
        && podi_sign_target_one(t, alg->q_token, &c->token) != PODI_OK)
    {
        return podi_sign_no(why, PODI_S3_BAD_TOKEN, "the token occurs twice");
    }

    c->payload_hash = podi_str_c("UNSIGNED-PAYLOAD");

    if (podi_sign_target_has(t, "X-Amz-Content-Sha256")
        && (podi_sign_target_one(t, "X-Amz-Content-Sha256", &c->payload_hash)
            != PODI_OK
            || !podi_sign_is_hash(&c->payload_hash)))
    {
        return podi_sign_no(why, PODI_S3_BAD_QUERY, "no such payload hash");
    }

    return PODI_S3_NONE;
}


/* AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=... */

static podi_s3_error_e
podi_sign_claim_header(const podi_sign_incoming_t *in, podi_sign_claim_t *c,
    podi_str_t header, const char **why)
{
    podi_str_t  part, name;

    if (!podi_str_split(&header, ' ', &c->algorithm)) {
        return podi_sign_no(why, PODI_S3_BAD_HEADER, "no scheme");
    }

    while (podi_str_split(&header, ',', &part)) {

        while (part.len && part.data[0] == ' ') {
            part.data++;
            part.len--;
        }

        if (!podi_str_split(&part, '=', &name) || part.data == NULL) {
            return podi_sign_no(why, PODI_S3_BAD_HEADER, "not name=value");
        }

        if (podi_str_eq_c(&name, "Credential")
            && c->credential.data == NULL)
        {
            c->credential = part;

        } else if (podi_str_eq_c(&name, "SignedHeaders")
                   && c->headers.data == NULL)
        {
            c->headers = part;

        } else if (podi_str_eq_c(&name, "Signature")
                   && c->signature.data == NULL)
        {
            c->signature = part;

        } else {
            return podi_sign_no(why, PODI_S3_BAD_HEADER,
                                "a part is unknown or occurs twice");
        }
    }

    if (podi_sign_header(in, "x-amz-date", &c->date) != PODI_OK) {
        return podi_sign_no(why, PODI_S3_ACCESS_DENIED, "no x-amz-date");
    }

    if (podi_sign_header(in, "x-amz-content-sha256", &c->payload_hash)
        != PODI_OK
        || !podi_sign_is_hash(&c->payload_hash))
    {
        return podi_sign_no(why, PODI_S3_BAD_REQUEST,
                            "x-amz-content-sha256 is missing, or is no hash");
    }

    if (podi_sign_header(in, "x-amz-security-token", &c->token) != PODI_OK) {
        c->token.len = 0;
    }

    return PODI_S3_NONE;
}


static podi_s3_error_e
podi_sign_check_time(const podi_sign_incoming_t *in, podi_sign_claim_t *c,
    podi_usec_t *ret_expires, const char **why)
{
    int64_t  expires;

    if (!podi_str_eq_c(&c->algorithm, podi_sign_aws4.name)) {
        return podi_sign_no(why, c->malformed, "another algorithm");
    }

    if (podi_time_amz_parse(&c->date, &c->time) != PODI_OK) {
        return podi_sign_no(why, c->malformed, "the date is malformed");
    }

    if (!c->in_query) {
        *ret_expires = c->time + PODI_SIGN_SKEW;

        if (c->time > in->now + PODI_SIGN_SKEW || *ret_expires < in->now) {
            return podi_sign_no(why, PODI_S3_TIME_SKEWED,
                                "more than 15 minutes off");
        }

        return PODI_S3_NONE;
    }

    if (podi_str_to_int64(&c->expires, &expires) != PODI_OK
        || expires < 1 || expires > PODI_SIGN_EXPIRES_MAX)
    {
        return podi_sign_no(why, PODI_S3_BAD_QUERY,
                            "expires is not within 1..604800");
    }

    if (c->time > in->now + PODI_SIGN_SKEW) {
        return podi_sign_no(why, PODI_S3_NOT_YET, "signed in the future");
    }

    *ret_expires = c->time + expires * 1000000;

    if (*ret_expires < in->now) {
        return podi_sign_no(why, PODI_S3_EXPIRED, "expired");
    }

    return PODI_S3_NONE;
}


static podi_s3_error_e
podi_sign_check_cred(const podi_sign_incoming_t *in, podi_sign_claim_t *c,
    const podi_sign_cred_t **ret_cred, const char **why)
{
    size_t                   i;
    podi_str_t               rest = c->credential, parts[5], day;
    const podi_sign_cred_t  *cred;

    for (i = 0; i < 5; i++) {
        if (!podi_str_split(&rest, '/', &parts[i])) {
            return podi_sign_no(why, c->malformed,
                                "the credential has not five parts");
        }
    }

    day.data = c->date.data;
    day.len = 8;

    if (rest.data != NULL || !podi_str_eq(&parts[1], &day)
        || !podi_str_eq_c(&parts[4], podi_sign_aws4.terminator))
    {
        return podi_sign_no(why, c->malformed,
                            "the credential's scope is wrong");
    }

    for (i = 0; i < in->n_creds; i++) {
        if (podi_str_eq(&in->creds[i].access_key, &parts[0])) {
            break;
        }
    }

    if (i == in->n_creds) {
        return podi_sign_no(why, PODI_S3_BAD_ACCESS_KEY, "no such key");
    }

    cred = &in->creds[i];

    if (!podi_str_eq(&cred->region, &parts[2])
        || !podi_str_eq(&cred->service, &parts[3]))
    {
        return podi_sign_no(why, c->malformed,
                            "for another region or service");
    }

    if (!podi_str_eq_ct(&cred->token, &c->token)) {
        return podi_sign_no(why, PODI_S3_BAD_TOKEN, "another token");
    }

    *ret_cred = cred;

    return PODI_S3_NONE;
}


static podi_s3_error_e
podi_sign_compare(const podi_sign_incoming_t *in, const podi_sign_claim_t *c,
    podi_mem_t *mem, podi_sign_verified_t *v)
{
    podi_s3_error_e      error;
    podi_signature_t     sig;
    podi_sign_request_t  req;

    memset(&req, 0, sizeof(req));

    error = podi_sign_check_headers(in, c, mem, &req, &v->detail);
    if (error != PODI_S3_NONE) {
        return error;
    }

    req.method = in->method;
    req.path = c->target.path;
    req.payload_hash = c->payload_hash;
    req.time = c->time;
    req.query = c->target.query;
    req.n_query = c->target.n_unsigned;

    if (podi_sign(&podi_sign_aws4, v->cred, &req, mem, &sig) != PODI_OK) {
        return podi_sign_no(&v->detail, PODI_S3_INTERNAL, "no memory");
    }

    /* the list must be written as we write it: sorted, lower case, once */

    if (!podi_str_eq(&sig.signed_headers, &c->headers)) {
        return podi_sign_no(&v->detail, c->malformed,
                            "the list of signed headers is wrong");
    }

    if (!podi_str_eq_ct(&sig.signature, &c->signature)) {
        return podi_sign_no(&v->detail, PODI_S3_BAD_SIGNATURE,
                            "the signature differs");
    }

    return PODI_S3_NONE;
}


/* picks the signed headers; no x-amz-* may be there that nobody signed */

static podi_s3_error_e
podi_sign_check_headers(const podi_sign_incoming_t *in,
    const podi_sign_claim_t *c, podi_mem_t *mem, podi_sign_request_t *req,
    const char **why)
{
    size_t        i, n = 0;
    podi_str_t    name, host = podi_string("host");
    podi_pair_t  *picked;

    if (!podi_sign_in_list(&c->headers, &host)) {
        return podi_sign_no(why, c->malformed, "host is not signed");
    }

    picked = podi_mem_alloc(mem, (in->n_headers + 1) * sizeof(podi_pair_t));
    if (picked == NULL) {
        return podi_sign_no(why, PODI_S3_INTERNAL, "no memory");
    }

    for (i = 0; i < in->n_headers; i++) {
        if (podi_sign_lower(mem, &in->headers[i].name, &name) != PODI_OK) {
            return podi_sign_no(why, PODI_S3_INTERNAL, "no memory");
        }

        if (podi_sign_in_list(&c->headers, &name)) {
            picked[n++] = in->headers[i];

        } else if (podi_str_has_prefix(&name, podi_sign_aws4.header_prefix)) {
            return podi_sign_no(why, PODI_S3_HEADER_UNSIGNED,
                                "an x-amz-* header is not signed");
        }
    }

    if (n > PODI_SIGN_PAIRS_MAX) {
        return podi_sign_no(why, PODI_S3_BAD_REQUEST, "too many headers");
    }

    req->headers = picked;
    req->n_headers = n;

    return PODI_S3_NONE;
}


int
podi_sign_is_signed(const podi_sign_verified_t *v, const char *name)
{
    podi_str_t  s;

    s = podi_str_c(name);

    return podi_sign_in_list(&v->signed_headers, &s);
}


static podi_s3_error_e
podi_sign_no(const char **why, podi_s3_error_e error, const char *text)
{
    *why = text;

    return error;
}


/* the one header of this lower-case name; ERROR: none, or several */

static podi_rc_t
podi_sign_header(const podi_sign_incoming_t *in, const char *name,
    podi_str_t *ret_value)
{
    size_t             i, n, found = 0;
    const podi_str_t  *s;

    for (i = 0; i < in->n_headers; i++) {
        s = &in->headers[i].name;

        if (s->len != strlen(name)) {
            continue;
        }

        for (n = 0; n < s->len; n++) {
            if ((s->data[n] | 0x20) != (name[n] | 0x20)) {
                break;
            }
        }

        if (n == s->len) {
            *ret_value = in->headers[i].value;
            found++;
        }
    }

    return found == 1 ? PODI_OK : PODI_ERROR;
}


static int
podi_sign_is_hash(const podi_str_t *s)
{
    unsigned char  digest[32];

    return podi_str_eq_c(s, "UNSIGNED-PAYLOAD")
           || podi_hex_decode(digest, sizeof(digest), s) == PODI_OK;
}
