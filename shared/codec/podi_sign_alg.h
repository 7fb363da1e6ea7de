/*
 * podi_sign_alg: the facts in which the dialects differ, and the parts that
 * signing and presigning share.  Private to podi_sign*.c and, for dialects
 * that a description brings, to podi_provider_*.c.
 */

#ifndef PODI_SIGN_ALG_H
#define PODI_SIGN_ALG_H


#include "podi_sign.h"


struct podi_sign_alg_s {
    const char  *name;              /* "AWS4-HMAC-SHA256" */
    const char  *key_prefix;        /* "AWS4" */
    const char  *terminator;        /* "aws4_request" */
    const char  *header_prefix;     /* "x-amz-" */

    const char  *q_algorithm;       /* names of query parameters */
    const char  *q_credential;
    const char  *q_date;
    const char  *q_expires;
    const char  *q_headers;
    const char  *q_token;
    const char  *q_signature;

    unsigned     bucket_in_path:1;
    unsigned     bare_empty:1;      /* "name", not "name=", when empty */
    unsigned     collapse:1;        /* inner blanks of header values */
    unsigned     picks_headers:1;   /* signs x-oss-*, content-type and
                                       content-md5 unasked */
};


/* fills in query, canonical and signed_headers */
podi_rc_t podi_sign_canonical(const podi_sign_alg_t *alg,
    const podi_sign_request_t *req, podi_mem_t *mem, podi_signature_t *sig);

/*
 * The header block ("name:value" lines) and the ';' list of its names.  For
 * a dialect that picks, `additional` names what else is signed.
 */
podi_rc_t podi_sign_headers(const podi_sign_alg_t *alg,
    const podi_pair_t *headers, size_t n, const podi_str_t *additional,
    podi_mem_t *mem, podi_str_t *ret_lines, podi_str_t *ret_names);

/* is lower-case name an element of "a;b;c"? */
int podi_sign_in_list(const podi_str_t *list, const podi_str_t *name);

/* does the dialect sign this lower-case header unasked? */
int podi_sign_is_default(const podi_sign_alg_t *alg, const podi_str_t *name);

podi_rc_t podi_sign_lower(podi_mem_t *mem, const podi_str_t *s,
    podi_str_t *ret_lower);

/* "20261122/us-east-1/s3/aws4_request" */
podi_rc_t podi_sign_scope(const podi_sign_alg_t *alg,
    const podi_sign_cred_t *cred, const unsigned char *date, podi_mem_t *mem,
    podi_str_t *ret_scope);


#endif /* PODI_SIGN_ALG_H */
