/*
 * podi_setting: a daemon's settings, read from one file into a table.
 *
 *     [common]                 for every daemon
 *     pg = host=${PODI_VAR}/pg dbname=podi user=podi_worker
 *     [podi_imaged]            for this one; wins over [common]
 *     concurrency = 2
 *     [podi_imaged:big]        for the one that is started with -n big; wins
 *     memory = 8g              over both
 *
 * One setting a line; '#' begins a comment at the start of a line or after a
 * blank; ${NAME} is taken from the environment and must be there.  A name
 * that no table knows, a value of the wrong type or out of its range, and a
 * section that no daemon has refuse the whole file with a sentence that
 * names file and line.  Nothing is changed by a file that is refused.
 */

#ifndef PODI_SETTING_H
#define PODI_SETTING_H


#include "podi_fail.h"
#include "podi_mem.h"
#include "podi_time.h"


typedef enum {
    PODI_MSEC,          /* podi_msec_t: "250ms" "5s" "10m" "2h" */
    PODI_SIZE,          /* uint64_t, bytes: "64k" "32m" "1g" "512" */
    PODI_INT,           /* int64_t */
    PODI_BOOL,          /* int: "on" "off" */
    PODI_TEXT,          /* const char *; may be empty unless min is "1" */
    PODI_PATH           /* const char *: absolute, or empty unless min is "1" */
} podi_setting_e;

typedef struct {
    const char      *name;
    podi_setting_e   type;
    void            *where;
    const char      *value;         /* when the file does not say */
    const char      *min;           /* as text of the same type; NULL: none */
    const char      *max;
} podi_setting_t;

#define podi_null_setting  { NULL, PODI_INT, NULL, NULL, NULL, NULL }


/*
 * `common` is what every daemon knows, `own` what this one (section
 * [daemon]) adds; own may be NULL.  `instance` names a section
 * [daemon:instance] that must be there; NULL: there is none.  Values are
 * written through `where`; texts live in mem.  `check`, when there is one,
 * judges what no row can say of itself: it sees the common values, and may
 * refuse (ERROR) while own's are still the old ones.  Whoever has a check lets
 * common point at values that he can throw away.  ERROR: CONFIG, fail->detail
 * is the sentence.
 */

typedef struct {
    const char            *path;
    const char            *daemon;
    const char            *instance;
    const podi_setting_t  *common;
    const podi_setting_t  *own;
    podi_rc_t            (*check)(void *data, podi_fail_t *fail);
    void                  *data;
} podi_settings_t;

PODI_MUSTCHECK podi_rc_t podi_settings_read(const podi_settings_t *settings,
    podi_mem_t *mem, podi_fail_t *fail);

/* of an instance: 1 to 32 of a-z 0-9 _ -, the first a letter or a digit */
int podi_setting_is_instance(const podi_str_t *name);

/* one row; *ret_wrong says what to write.  Stores nothing unless told */
PODI_MUSTCHECK podi_rc_t podi_setting_value(const podi_setting_t *row,
    const char *value, int store, podi_str_t *ret_wrong, podi_mem_t *mem);


#endif /* PODI_SETTING_H */
