/*
 * redact: secrets are hidden, by their names and by their looks; the rest
 * stays as it is.
 */

#include "tap.h"
#include "podi_redact.h"
#include "banned.h"


static void
is(const char *text, const char *want)
{
    char        *copy = strdup(text);
    podi_str_t   got = { podi_redact(copy, strlen(copy)),
                         (unsigned char *) copy };

    is_str(got, want, text);
    free(copy);
}


int
main(void)
{
    char      text[64];
    size_t    i, n;
    unsigned  bad = 0;

    is("Authorization: Bearer abc.def", "Authorization: ***");
    is("authorization=\"Basic dXNlcjp3b3Jk\"", "authorization=\"***\"");
    is("GET /x?api_key=abc&n=1", "GET /x?api_key=***&n=1");
    is("{\"access_token\":\"abcdef\",\"n\":1}",
       "{\"access_token\":\"***\",\"n\":1}");
    is("password = hunter2, next", "password = ***, next");
    is("&X-Amz-Signature=0123abcd&X-Amz-Date=1",
       "&X-Amz-Signature=***&X-Amz-Date=1");
    is("Authorization: Token abc def", "Authorization: ***");
    is("Proxy-Authorization: ApiKey a:b\r\nHost: x",
       "Proxy-Authorization: ***\r\nHost: x");
    is("curl -H 'authorization: Key abc' url",
       "curl -H 'authorization: ***' url");
    is("authorization failed for user", "authorization *** for user");
    is("Cookie: a=bcd; sid=efg\nnext", "Cookie: ***\nnext");
    is("Set-Cookie: sid=efg; Path=/; HttpOnly", "Set-Cookie: ***");
    is("{\\\"token\\\":\\\"abcdef\\\",\\\"n\\\":1}",
       "{\\\"token\\\":\\\"***\\\",\\\"n\\\":1}");
    is("\"{\\\"Authorization\\\":\\\"Token abc\\\"}\"",
       "\"{\\\"Authorization\\\":\\\"***\\\"}\"");
    is("GET /v1?key=abcdef&n=1", "GET /v1?key=***&n=1");
    is("monkey=banana", "monkey=banana");
    is("by AIzaSyA0123456789abcdefghijklmnopqrstu", "by ***");
    is("hf_0123456789abcdefgh, r8_0123456789abcdefgh", "***, ***");
    is("sk-proj-0123456789abcdef and sk_live_0123456789abcdef", "*** and ***");
    is("redis://user:word@host/0", "redis://***@host/0");
    is("https://host/a@b", "https://host/a@b");
    is("key sk-live-0123456789abcdef0 failed", "key *** failed");
    is("task-0123456789abcdef0123 failed", "task-0123456789abcdef0123 failed");
    is("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "***");
    is("AKIAIOSFODNN7EXAMPLE is wrong", "*** is wrong");
    is("AKIA and eyJust are short", "AKIA and eyJust are short");
    is("step 3 of 20, 640x480", "step 3 of 20, 640x480");
    is("the token", "the token");
    is("token: ab", "token: ");
    is("", "");

    /* any bytes at all, read from an exact block: for the sanitizers */

    for (n = 0; n < sizeof(text); n++) {
        char  *copy = malloc(n ? n : 1);

        for (i = 0; i < n; i++) {
            copy[i] = "token=://@ sk-"[(i * 7 + n) % 14];
        }

        bad += podi_redact(copy, n) > n;
        free(copy);
    }

    is_int(bad, 0, "never longer than it was");

    return tap_done();
}
