/*
 * ctl_key: secrets that nobody has seen.
 *
 *     random -> the form of its kind -> a new file of mode 0600
 *
 *     context   "k<hex> <64 hex digits>"     podi_context_key_file
 *     token     EC P-256, PKCS#8 PEM         podi_token_key_file
 *     refresh   64 hex digits                podi_refresh_key_file
 *     store     "PODI<id>:<40 hex digits>"   key_file of a store
 *     secret    48 hex digits                passwords
 *     kek       64 hex digits                kek_file
 *
 * A file that is there is never overwritten.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "podi_id.h"
#include "ctl.h"
#include "banned.h"

#define KEY_TEXT_MAX  512

typedef struct {
    const char  *kind;
    const char  *before;        /* printed in front of the bytes */
    unsigned     id;            /* random bytes of a name, */
    const char  *between;       /* what follows it, */
    unsigned     bytes;         /* and of the secret itself */
} key_form_t;


static int key_text(const key_form_t *form, char *dst, size_t size);
static int key_pem(char *dst, size_t size);
static int key_hex(char *dst, size_t size, unsigned bytes);
static int key_store(const char *path, const char *text);


static const key_form_t  key_forms[] = {
    { "context", "k", 3, " ", 32 },
    { "chain", "c", 3, " ", 32 },
    { "refresh", "", 0, "", 32 },
    { "store", "PODI", 8, ":", 20 },
    { "secret", "", 0, "", 24 },
    { "kek", "", 0, "", 32 },
    { NULL, NULL, 0, NULL, 0 }
};


int
ctl_key_make(ctl_t *ctl)
{
    int                code;
    char               text[KEY_TEXT_MAX];
    const key_form_t  *form;

    code = -1;

    if (strcmp(ctl->values[0], "token") == 0) {
        code = key_pem(text, sizeof(text));

    } else {
        for (form = key_forms; form->kind != NULL; form++) {
            if (strcmp(ctl->values[0], form->kind) == 0) {
                code = key_text(form, text, sizeof(text));
                break;
            }
        }

        if (form->kind == NULL) {
            (void) fprintf(stderr, "podictl: there is no key of kind %s\n",
                           ctl->values[0]);
            return CTL_USAGE;
        }
    }

    if (code == 0) {
        code = key_store(ctl->values[1], text);

    } else {
        (void) fprintf(stderr, "podictl: no randomness\n");
    }

    podi_wipe(text, sizeof(text));

    return code == 0 ? CTL_OK : CTL_REFUSED;
}


static int
key_text(const key_form_t *form, char *dst, size_t size)
{
    int   n;
    char  id[64], secret[128];

    if (key_hex(id, sizeof(id), form->id) != 0
        || key_hex(secret, sizeof(secret), form->bytes) != 0)
    {
        return -1;
    }

    n = snprintf(dst, size, "%s%s%s%s\n", form->before, id, form->between,
                 secret);
    podi_wipe(secret, sizeof(secret));

    return n > 0 && (size_t) n < size ? 0 : -1;
}


static int
key_hex(char *dst, size_t size, unsigned bytes)
{
    unsigned char  random[32];

    if (bytes > sizeof(random) || 2 * bytes >= size
        || podi_random(random, bytes) != PODI_OK)
    {
        return -1;
    }

    podi_hex_encode((unsigned char *) dst, random, bytes);
    dst[2 * bytes] = '\0';
    podi_wipe(random, sizeof(random));

    return 0;
}


static int
key_pem(char *dst, size_t size)
{
    int        n;
    BIO       *bio;
    EVP_PKEY  *key;

    n = -1;
    key = EVP_EC_gen("P-256");
    bio = BIO_new(BIO_s_secmem());

    if (key != NULL && bio != NULL
        && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
           == 1)
    {
        n = BIO_read(bio, dst, (int) size - 1);
    }

    BIO_free(bio);
    EVP_PKEY_free(key);

    if (n <= 0) {
        return -1;
    }

    dst[n] = '\0';

    return 0;
}


static int
key_store(const char *path, const char *text)
{
    int      fd;
    size_t   len = strlen(text);

    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd == -1) {
        (void) fprintf(stderr, "podictl: %s: %s\n", path, strerror(errno));
        return -1;
    }

    if (write(fd, text, len) != (ssize_t) len || fsync(fd) == -1
        || close(fd) == -1)
    {
        (void) fprintf(stderr, "podictl: %s: %s\n", path, strerror(errno));
        (void) unlink(path);
        return -1;
    }

    return 0;
}
