/*
 * podi_s3_error: the table of S3's error codes.
 */

#include "podi_sign_verify.h"
#include "banned.h"


static const podi_s3_error_t  podi_s3_errors[] = {
#define PODI_S3_E(id, code, http, message)  { code, http, message },
#include "podi_s3_errors.def"
#undef PODI_S3_E
};


const podi_s3_error_t *
podi_s3_error(podi_s3_error_e error)
{
    if ((unsigned) error >= PODI_S3_LAST) {
        error = PODI_S3_INTERNAL;
    }

    return &podi_s3_errors[error];
}
