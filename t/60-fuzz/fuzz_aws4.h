/*
 * fuzz_aws4: AWS Signature Version 4 by the book, by another hand than the
 * library's.
 */

#ifndef PODI_FUZZ_AWS4_H
#define PODI_FUZZ_AWS4_H


#include "podi_sign.h"


#define AWS4_ACCESS   "AKIAIOSFODNN7EXAMPLE"
#define AWS4_SECRET   "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define AWS4_HEADERS  16
#define AWS4_PAIRS    256

/* one request, as nginx gives it to the store */

typedef struct {
    podi_str_t   method;
    podi_str_t   target;
    podi_pair_t  headers[AWS4_HEADERS];     /* names in lower case */
    size_t       n;
} aws4_request_t;

/* how it says that it is signed; what comes twice, as it comes first */

typedef struct {
    podi_str_t   path;
    podi_pair_t  query[AWS4_PAIRS];         /* decoded */
    size_t       n;
    podi_str_t   list;                      /* of signed headers */
    podi_str_t   date;
    podi_str_t   payload;
    int          in_query;
} aws4_parts_t;


/* 0: it does not say how it is signed */
int aws4_parts(const aws4_request_t *r, aws4_parts_t *p);

/* NULL data: there is none; else the first, decoded */
podi_str_t aws4_param(const aws4_parts_t *p, const char *name);
podi_str_t aws4_header(const aws4_request_t *r, const char *name);

/* what stands behind a word, up to a byte or to the end */
podi_str_t aws4_between(const podi_str_t *s, const char *from, char to);

/* the canonical request, and its signature in us-east-1 and s3 */
podi_str_t aws4_canonical(const aws4_request_t *r, const aws4_parts_t *p);
podi_str_t aws4_sign(const aws4_parts_t *p, const podi_str_t *canonical);


#endif /* PODI_FUZZ_AWS4_H */
