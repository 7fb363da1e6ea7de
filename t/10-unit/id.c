/*
 * podi_id: form, order, parsing.
 */

#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "podi_id.h"
#include "podi_time.h"
#include "banned.h"


static const struct {
    const char  *text;
    podi_rc_t    rc;
}  parses[] = {
    { "018f0000-0000-7000-8000-000000000000", PODI_OK },
    { "018F0000-ABCD-7000-8000-000000000000", PODI_OK },
    { "00000000-0000-0000-0000-000000000000", PODI_OK },
    { "018f0000-0000-7000-8000-00000000000", PODI_ERROR },
    { "018f0000-0000-7000-8000-0000000000000", PODI_ERROR },
    { "018f0000x0000-7000-8000-000000000000", PODI_ERROR },
    { "018f0000-0000-7000-8000-00000000000g", PODI_ERROR },
    { "018f0000-0000-7000-80000-00000000000", PODI_ERROR },
    { "{18f0000-0000-7000-8000-00000000000}", PODI_ERROR },
    { "", PODI_ERROR },
};


static unsigned equal_names(void);
static int is_foreseen(void);


int
main(void)
{
    unsigned        i, ascending = 1, formed = 1;
    podi_id_t       id, last;
    podi_str_t      s;
    podi_usec_t     before;
    unsigned char   a[32], b[32];

    before = podi_time_now() / 1000;
    memset(&last, 0, sizeof(last));

    for (i = 0; i < 100000; i++) {
        if (podi_id_make(&id) != PODI_OK) {
            break;
        }

        ascending &= memcmp(last.text, id.text, PODI_ID_LEN) < 0;
        formed &= id.text[14] == '7'
                  && strchr("89ab", id.text[19]) != NULL;
        last = id;
    }

    is_int(i, 100000, "made");
    ok(ascending, "ids of one process ascend, within a millisecond too");
    ok(formed, "version 7, variant 10");

    s = podi_id_str(&id);
    is_int(podi_id_parse(&s, &last), PODI_OK, "an id of ours is a UUID");

    (void) snprintf((char *) a, sizeof(a), "%08llx-%04llx",
                    (unsigned long long) before >> 16,
                    (unsigned long long) before & 0xffff);
    ok(memcmp(id.text, a, 13) >= 0, "it begins with the time");

    for (i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
        s = str(parses[i].text);
        ok(podi_id_parse(&s, &id) == parses[i].rc, "parse \"%s\"",
           parses[i].text);
    }

    s = str(parses[1].text);
    ok(podi_id_parse(&s, &id) == PODI_OK, "upper case is read");
    is_str(podi_id_str(&id), "018f0000-abcd-7000-8000-000000000000",
           "and folded");

    ok(podi_random(a, 32) == PODI_OK && podi_random(b, 32) == PODI_OK
       && memcmp(a, b, 32) != 0, "two draws differ");
    is_int(equal_names(), 0, "no two names of 16 bytes are equal");
    ok(podi_random_name(a, 8) == PODI_OK && !is_foreseen(),
       "a child does not get the names of its parent");

    return tap_done();
}


/* more than a stock of them; one that comes again comes within a stock */

static unsigned
equal_names(void)
{
    unsigned       i, k, equal = 0;
    unsigned char  names[200][16];

    for (i = 0; i < 200; i++) {
        if (podi_random_name(names[i], 16) != PODI_OK) {
            return 200;
        }

        for (k = 0; k < i; k++) {
            equal += (memcmp(names[i], names[k], 16) == 0);
        }
    }

    return equal;
}


/* the child says what it would use, and its parent draws after it */

static int
is_foreseen(void)
{
    int            ends[2];
    pid_t          pid;
    unsigned char  ours[16] = { 0 }, its[16] = { 0 };

    if (pipe(ends) != 0) {
        return 1;
    }

    pid = fork();

    if (pid == 0) {
        _exit(podi_random_name(its, 16) != PODI_OK
              || write(ends[1], its, 16) != 16);
    }

    (void) close(ends[1]);

    if (pid == -1 || podi_random_name(ours, 16) != PODI_OK
        || read(ends[0], its, 16) != 16)
    {
        return 1;
    }

    (void) close(ends[0]);
    (void) waitpid(pid, NULL, 0);

    return memcmp(ours, its, 16) == 0;
}
