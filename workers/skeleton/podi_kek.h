/*
 * podi_kek: the key-encryption key, and the keys of providers under it.
 *
 *     $CREDENTIALS_DIRECTORY/podi_kek, or kek_file (0600)
 *         --> 32 bytes --> seals and opens rows of provider_key
 *
 * It is outside the database, and what is in the database opens in its own
 * row only: under its id, for its provider, by its name.  Nothing here logs,
 * and no failure says more of a key than which one it is.
 */

#ifndef PODI_KEK_H
#define PODI_KEK_H


#include "podi_seal.h"
#include "podi_worker.h"


/* a row of sys.provider_keys, or one that is to become one */
typedef struct {
    podi_str_t  key_id;             /* lower case */
    podi_str_t  provider;
    podi_str_t  name;
    podi_str_t  kek;                /* which key it is sealed under */
    podi_str_t  sealed;             /* in hex */
} podi_kek_row_t;


/*
 * What systemd hands over goes before the file; `file` may be empty.  CONFIG
 * with a sentence: there is none, it is open to others, or no 32 bytes in hex
 * or base64.
 */
PODI_MUSTCHECK podi_rc_t podi_kek_read(const char *file, podi_mem_t *mem,
    podi_secret_t **ret_kek, podi_fail_t *fail);

/* the one that a daemon is set to have; NULL: none is named, or handed over */
PODI_MUSTCHECK podi_rc_t podi_kek_of(podi_worker_t *w,
    podi_secret_t **ret_kek, podi_fail_t *fail);

/* fills row->kek and row->sealed; ERROR: it names what is no name */
PODI_MUSTCHECK podi_rc_t podi_kek_seal(const podi_secret_t *kek,
    podi_kek_row_t *row, const podi_str_t *text, podi_mem_t *mem,
    podi_fail_t *fail);

/* CONFIG: it was sealed under another key, or does not open */
PODI_MUSTCHECK podi_rc_t podi_kek_open(const podi_secret_t *kek,
    const podi_kek_row_t *row, podi_mem_t *mem, podi_secret_t **ret_text,
    podi_fail_t *fail);

/*
 * A string of such a text, which is JSON; of what was read on the way nothing
 * is left.  DECLINED: it has none, or an empty one.
 */
PODI_MUSTCHECK podi_rc_t podi_kek_member(const podi_secret_t *text,
    const char *name, podi_mem_t *mem, podi_secret_t **ret_value);


#endif /* PODI_KEK_H */
