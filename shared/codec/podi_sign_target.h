/*
 * podi_sign_target: a raw request target, taken apart once.  Private to
 * podi_sign_verify.
 *
 * A path that a file system could misread is refused here: empty, "." and
 * ".." segments, control characters and backslashes, before or after the
 * decoding.
 */

#ifndef PODI_SIGN_TARGET_H
#define PODI_SIGN_TARGET_H


#include "podi_sign_verify.h"


typedef struct {
    podi_str_t    path;                 /* decoded */
    podi_pair_t  *query;                /* decoded; the signature, if any, */
    size_t        n_query;              /* is the last one */
    size_t        n_unsigned;           /* of them without the signature */
} podi_sign_target_t;


podi_s3_error_e podi_sign_target(const podi_str_t *raw, podi_mem_t *mem,
    podi_sign_target_t *ret, const char **why);

int podi_sign_target_has(const podi_sign_target_t *t, const char *name);

/* ERROR: not there, there twice, or empty */
podi_rc_t podi_sign_target_one(const podi_sign_target_t *t, const char *name,
    podi_str_t *ret_value);

/* drops the parameters of this prefix, in any case; gives how many remain */
size_t podi_sign_target_strip(podi_sign_target_t *t, const char *prefix);


#endif /* PODI_SIGN_TARGET_H */
