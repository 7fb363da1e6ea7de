/*
 * podi_sign_verify: the store's side of AWS4, query and header form.
 *
 * Reads the raw request target (never a normalised one), rebuilds the
 * canonical request and compares in constant time.  Whatever is wrong has
 * one of S3's own error codes, because clients look for them.  A Host that a
 * proxy rewrote is not what was signed: the caller passes the public one.
 */

#ifndef PODI_SIGN_VERIFY_H
#define PODI_SIGN_VERIFY_H


#include "podi_sign.h"


typedef enum {
#define PODI_S3_E(id, code, http, message)  PODI_S3_##id,
#include "podi_s3_errors.def"
#undef PODI_S3_E
    PODI_S3_LAST
} podi_s3_error_e;

typedef struct {
    const char  *code;                  /* "SignatureDoesNotMatch" */
    int          http;
    const char  *message;
} podi_s3_error_t;

typedef struct {
    podi_str_t               method;
    podi_str_t               target;    /* as received: "/b/k?X-Amz-..." */
    const podi_pair_t       *headers;   /* all that were received */
    size_t                   n_headers;
    const podi_sign_cred_t  *creds;     /* any of them; region and service
                                           are the store's */
    size_t                   n_creds;
    podi_usec_t              now;
} podi_sign_incoming_t;

typedef struct {
    const podi_sign_cred_t  *cred;
    podi_str_t               path;      /* decoded once: "/bucket/key" */
    podi_pair_t             *query;     /* decoded, without X-Amz-* */
    size_t                   n_query;
    podi_str_t               signed_headers;
    podi_str_t               payload_hash;   /* hex, or UNSIGNED-PAYLOAD */
    podi_usec_t              expires;   /* when the permission ends */
    const char              *detail;    /* for the log, when refused */
} podi_sign_verified_t;


/* PODI_S3_NONE: the request is what the key's owner signed */
PODI_MUSTCHECK podi_s3_error_e podi_sign_verify(
    const podi_sign_incoming_t *in, podi_mem_t *mem,
    podi_sign_verified_t *ret);

/* was this header (lower case) part of what was signed? */
int podi_sign_is_signed(const podi_sign_verified_t *v, const char *name);

/* never NULL */
const podi_s3_error_t *podi_s3_error(podi_s3_error_e error);


#endif /* PODI_SIGN_VERIFY_H */
