/*
 * ctl_provider: descriptions of providers, before somebody uses them.
 *
 *     provider check FILE...:  file -> podi_provider_load -> ok, or a place
 *
 * Exit: 0 all are good, 1 one is not, 3 one cannot be read.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "podi_buf.h"
#include "podi_provider.h"
#include "banned.h"


static int provider_read(ctl_t *ctl, const char *path, podi_str_t *ret_text);
static int provider_check(ctl_t *ctl, const char *path);


int
ctl_provider_check(ctl_t *ctl)
{
    int  i, one, code;

    code = provider_check(ctl, ctl->values[0]);

    for (i = 0; i < ctl->n_more; i++) {
        one = provider_check(ctl, ctl->more[i]);
        code = one > code ? one : code;
    }

    return code;
}


static int
provider_check(ctl_t *ctl, const char *path)
{
    size_t                     i;
    podi_str_t                 text, name;
    podi_fail_t                fail;
    podi_provider_t           *p;
    const podi_provider_op_t  *op;

    if (provider_read(ctl, path, &text) != 0) {
        (void) fprintf(stderr, "podictl: \"%s\" cannot be read: %s\n", path,
                       strerror(errno));
        return CTL_UNAVAILABLE;
    }

    if (podi_provider_load(path, &text, ctl->mem, &p, &fail) != PODI_OK) {

        if (fail.error != PODI_E_CONFIG) {
            return ctl_failed(&fail);
        }

        (void) printf("%s\n", fail.detail);
        return CTL_REFUSED;
    }

    name = podi_provider_name(p);
    (void) printf("%s: ok: " PODI_STR_FMT ":", path, podi_str_arg(&name));

    for (i = 0; (op = podi_provider_op_at(p, i)) != NULL; i++) {
        name = podi_provider_facts(op)->name;
        (void) printf(" " PODI_STR_FMT, podi_str_arg(&name));
    }

    (void) printf("\n");

    return CTL_OK;
}


/* a larger one is read so far that the limit is seen */

static int
provider_read(ctl_t *ctl, const char *path, podi_str_t *ret_text)
{
    FILE           *f;
    size_t          n;
    podi_buf_t      b;
    unsigned char   part[4096];

    f = fopen(path, "rb");
    if (f == NULL) {
        return -1;
    }

    podi_buf_init(&b, ctl->mem);

    while (b.len <= PODI_PROVIDER_FILE_MAX
           && (n = fread(part, 1, sizeof(part), f)) > 0)
    {
        podi_buf_add(&b, part, n);
    }

    n = (size_t) ferror(f);
    (void) fclose(f);

    return n == 0 && podi_buf_take(&b, ret_text) == PODI_OK ? 0 : -1;
}
