/*
 * podi_sign: request signatures: AWS4 and OSS4 of object stores, ACS3 and RPC
 * v1 of Alibaba Cloud's APIs.
 *
 *     request -> canonical text -> string to sign -> signature
 *
 * The first two differ by a table of facts (podi_sign_alg_t).  Pure: the
 * time comes in, nothing goes out.  Names and values are given decoded; the
 * path is given decoded as well (S3: each byte is kept, nothing is ever
 * normalised), but for the generic AWS mode, which takes it as on the wire.
 */

#ifndef PODI_SIGN_H
#define PODI_SIGN_H


#include "podi_fail.h"
#include "podi_mem.h"
#include "podi_secret.h"
#include "podi_time.h"


#define PODI_SIGN_EXPIRES_MAX  604800
#define PODI_SIGN_PAIRS_MAX    128

typedef struct podi_sign_alg_s  podi_sign_alg_t;

extern const podi_sign_alg_t  podi_sign_aws4;
extern const podi_sign_alg_t  podi_sign_oss4;

typedef struct {
    podi_str_t  name;
    podi_str_t  value;
} podi_pair_t;

typedef struct {
    podi_str_t            access_key;
    const podi_secret_t  *secret;
    podi_str_t            token;        /* of temporary credentials; or "" */
    podi_str_t            region;       /* "us-east-1", "cn-hangzhou" */
    podi_str_t            service;      /* "s3", "oss" */
} podi_sign_cred_t;

typedef struct {
    podi_str_t          method;
    podi_str_t          bucket;         /* OSS4 puts it before the path */
    podi_str_t          path;           /* "/key" */
    const podi_pair_t  *query;          /* all but the signature itself */
    size_t              n_query;
    const podi_pair_t  *headers;        /* AWS4: those to sign.  OSS4: all;
                                           it picks what it signs */
    size_t              n_headers;
    podi_str_t          additional;     /* OSS4: "abc;host", lower, sorted */
    podi_str_t          payload_hash;
    podi_usec_t         time;
    unsigned            generic:1;      /* AWS4, not S3: path encoded twice */
    unsigned            normalize:1;    /* with generic: dots and slashes */
} podi_sign_request_t;

typedef struct {
    podi_str_t  query;                  /* encoded and sorted */
    podi_str_t  canonical;
    podi_str_t  string_to_sign;
    podi_str_t  signed_headers;         /* "content-type;host" */
    podi_str_t  scope;                  /* "20261122/us-east-1/s3/..." */
    podi_str_t  signature;              /* lower-case hex */
} podi_signature_t;

/* ERROR: no memory, or more than PODI_SIGN_PAIRS_MAX pairs */
PODI_MUSTCHECK podi_rc_t podi_sign(const podi_sign_alg_t *alg,
    const podi_sign_cred_t *cred, const podi_sign_request_t *req,
    podi_mem_t *mem, podi_signature_t *ret_signature);

/*
 * Alibaba Cloud's.  ACS3 signs as AWS4 does, with the secret itself as its key
 * and without a scope; cred's region and service are not used.
 */
PODI_MUSTCHECK podi_rc_t podi_sign_acs3(const podi_sign_cred_t *cred,
    const podi_sign_request_t *req, podi_mem_t *mem,
    podi_signature_t *ret_signature);

/* RPC v1: all parameters, of query and form; the signature is base64 */
PODI_MUSTCHECK podi_rc_t podi_sign_acs_rpc(const podi_sign_cred_t *cred,
    const podi_str_t *method, const podi_pair_t *params, size_t n,
    podi_mem_t *mem, podi_signature_t *ret_signature);


/*
 * A URL that carries its own permission.  AWS4 signs host and all of
 * `headers`; OSS4 signs content-type, content-md5 and x-oss-* by itself and
 * the others as additional headers.  Whoever uses the URL must send them.
 */
typedef struct {
    podi_str_t          method;
    podi_str_t          origin;         /* "https://host" or with a port */
    podi_str_t          path;           /* "/bucket/key" or "/key", decoded */
    podi_str_t          bucket;         /* OSS4: when the path has it not */
    const podi_pair_t  *query;          /* more parameters, decoded */
    size_t              n_query;
    const podi_pair_t  *headers;        /* lower-case names, without host */
    size_t              n_headers;
    podi_usec_t         time;
    unsigned            expires;        /* seconds, 1..604800 */
} podi_presign_t;

PODI_MUSTCHECK podi_rc_t podi_presign(const podi_sign_alg_t *alg,
    const podi_sign_cred_t *cred, const podi_presign_t *what,
    podi_mem_t *mem, podi_str_t *ret_url);


#endif /* PODI_SIGN_H */
