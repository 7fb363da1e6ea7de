/*
 * sign_verify: a target that differs from the signed one is not accepted,
 * unless it decodes to the same path and parameters.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_sign_verify.h"
#include "banned.h"


#define NOW  INT64_C(1369353600000000)

/* the example of the S3 reference, but for the bucket in the host */
#define FUZZ_QUERY                                                           \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256"                                       \
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"     \
    "%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"        \
    "&X-Amz-SignedHeaders=host&X-Amz-Signature="                             \
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"


const char *const  fuzz_seeds[] = {
    "/test.txt?" FUZZ_QUERY,
    "/a%20b/%E4%BD%99?x&y=%2F&" FUZZ_QUERY,
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
    "aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
    "Signature="
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    NULL
};

const char *const  fuzz_words[] = {
    "&", "=", "%2F", "%2f", "%00", "X-Amz-", "X-Amz-Signature=",
    "X-Amz-SignedHeaders=", "host", ";", "AWS4-HMAC-SHA256 ", ", ",
    "Credential=", "Signature=", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_str_t              s;
    podi_pair_t             headers[4];
    podi_secret_t          *secret;
    podi_s3_error_e         error;
    podi_sign_cred_t        cred;
    podi_sign_verified_t    v;
    podi_sign_incoming_t    in;

    memset(&in, 0, sizeof(in));
    memset(&cred, 0, sizeof(cred));

    s = podi_str_c("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    fuzz_assert(podi_secret_make(fuzz_mem(), &s, &secret) == PODI_OK);

    cred.access_key = podi_str_c("AKIAIOSFODNN7EXAMPLE");
    cred.secret = secret;
    cred.region = podi_str_c("us-east-1");
    cred.service = podi_str_c("s3");

    headers[0].name = podi_str_c("Host");
    headers[0].value = podi_str_c("examplebucket.s3.amazonaws.com");
    headers[1].name = podi_str_c("x-amz-date");
    headers[1].value = podi_str_c("20130524T000000Z");
    headers[2].name = podi_str_c("x-amz-content-sha256");
    headers[2].value = podi_str_c("UNSIGNED-PAYLOAD");
    headers[3].name = podi_str_c("Authorization");
    headers[3].value = fuzz_str(data, size);

    in.method = podi_str_c("GET");
    in.headers = headers;
    in.creds = &cred;
    in.n_creds = 1;
    in.now = NOW;

    in.target = fuzz_str(data, size);
    in.n_headers = 1;

    error = podi_sign_verify(&in, fuzz_mem(), &v);
    fuzz_assert(error != PODI_S3_NONE || podi_str_eq_c(&v.path, "/test.txt"));

    in.target = podi_str_c("/test.txt");
    in.n_headers = 4;

    error = podi_sign_verify(&in, fuzz_mem(), &v);
    fuzz_assert(error != PODI_S3_NONE);

    return 0;
}
