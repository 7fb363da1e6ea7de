/*
 * ctl_show: settings that are in force, and who says so.
 *
 *     nginx.conf ----> rows of a list <---- the database (channels, rates)
 *     workers.conf --'        '--> a table for people, or JSON
 *
 * A row that is put over another one takes its place.
 */

#ifndef CTL_SHOW_H
#define CTL_SHOW_H


#include "ctl.h"
#include "podi_directive.h"


typedef enum {
    CTL_SHOW_FILE,
    CTL_SHOW_DATABASE,
    CTL_SHOW_DEFAULT
} ctl_show_from_e;

typedef struct ctl_show_row_s  ctl_show_row_t;

struct ctl_show_row_s {
    ctl_show_row_t    *next;
    const char        *section;         /* "channel" */
    podi_str_t         name;            /* "partner" */
    podi_str_t         setting;         /* "max_role" */
    podi_str_t         value;
    ctl_show_from_e    from;
    podi_str_t         origin;          /* "/etc/podi/podi-http.conf:12" */
};

typedef struct {
    podi_mem_t              *mem;
    podi_fail_t             *fail;
    podi_directive_t        *root;
    const podi_directive_t  *http;
    ctl_show_row_t          *first;
    ctl_show_row_t         **end;
} ctl_show_t;


/* beside the others of its name; value: any bytes, copied.  ERROR: no memory */
podi_rc_t ctl_show_add(ctl_show_t *s, const ctl_show_row_t *row);

/* NULL: there is none */
ctl_show_row_t *ctl_show_find(const ctl_show_t *s, const char *section,
    const podi_str_t *name, const char *setting);

/* words of a directive, from the first-th on, with blanks between them */
podi_rc_t ctl_show_words(ctl_show_t *s, const podi_directive_t *d,
    size_t first, podi_str_t *ret_text);
podi_rc_t ctl_show_line(ctl_show_t *s, const podi_directive_t *d,
    podi_str_t *ret_origin);
/* a row out of one line of nginx.conf */
podi_rc_t ctl_show_file(ctl_show_t *s, const char *section,
    const podi_str_t *name, const podi_str_t *setting,
    const podi_str_t *value, const podi_directive_t *d);
podi_rc_t ctl_show_preset(ctl_show_t *s, const char *section,
    const podi_str_t *name, const char *setting, const char *value);
/*
 * `show` of each directive of http with that name, and of each row.  ERROR: as
 * soon as it says so.
 */
podi_rc_t ctl_show_directives(ctl_show_t *s, const char *name,
    podi_rc_t (*show)(ctl_show_t *s, const podi_directive_t *d));
podi_rc_t ctl_show_rows(ctl_show_t *s, const podi_pg_result_t *res,
    podi_rc_t (*show)(ctl_show_t *s, const podi_pg_result_t *res, int row));

/* of http; a switch that is off when nobody says so */
int ctl_show_is_on(const ctl_show_t *s, const char *name);

/* what is secret in a value becomes *** */
podi_rc_t ctl_show_hide(ctl_show_t *s, const podi_str_t *setting,
    podi_str_t *value);

/* the parts, each in a file of its own */
podi_rc_t ctl_show_gateway(ctl_show_t *s);
podi_rc_t ctl_show_channels(ctl_show_t *s, const podi_pg_result_t *res);
podi_rc_t ctl_show_limits(ctl_show_t *s, const podi_pg_result_t *res);
podi_rc_t ctl_show_workers(ctl_show_t *s, const char *path);


#endif /* CTL_SHOW_H */
