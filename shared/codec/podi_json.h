/*
 * podi_json: JSON from strangers, read strictly; jansson does the parsing.
 *
 * A text is refused when it is larger or deeper than allowed, holds a member
 * twice, a NUL or invalid UTF-8, or is neither an object nor an array.  An
 * object is read by a table of fields; a member that no row names is refused,
 * and every refusal names the member in fail->field.
 */

#ifndef PODI_JSON_H
#define PODI_JSON_H


#include <stddef.h>

#include <jansson.h>

#include "podi_buf.h"
#include "podi_fail.h"
#include "podi_id.h"
#include "podi_mem.h"
#include "podi_time.h"


#define PODI_JSON_DEPTH  32

typedef struct {
    size_t    size;                 /* bytes, at most */
    unsigned  depth;                /* 0: PODI_JSON_DEPTH */
} podi_json_limit_t;

typedef enum {
    PODI_JSON_STR,                  /* podi_str_t, borrowed from the object */
    PODI_JSON_INT64,                /* int64_t */
    PODI_JSON_BOOL,                 /* int */
    PODI_JSON_ID,                   /* podi_id_t */
    PODI_JSON_TIME,                 /* podi_usec_t, from RFC 3339 */
    PODI_JSON_OBJECT,               /* json_t *, borrowed */
    PODI_JSON_ARRAY                 /* json_t *, borrowed */
} podi_json_type_e;

#define PODI_JSON_REQUIRED  1
#define PODI_JSON_NULLABLE  2       /* null reads as if it were not there */

typedef struct {
    const char        *name;
    podi_json_type_e   type;
    size_t             offset;      /* in dst */
    unsigned           flags;
    int64_t            min;         /* value, characters or elements; */
    int64_t            max;         /* both 0: no limits */
    const char        *fallback;    /* when absent: text of STR, INT64, BOOL,
                                       ID, TIME; NULL leaves dst untouched */
} podi_json_field_t;

#define podi_null_json_field  { NULL, PODI_JSON_STR, 0, 0, 0, 0, NULL }


/* BODY_TOO_LARGE or BAD_JSON, with the place; *ret_json belongs to mem */
PODI_MUSTCHECK podi_rc_t podi_json_parse(const podi_str_t *text,
    const podi_json_limit_t *limit, podi_mem_t *mem, json_t **ret_json,
    podi_fail_t *fail);

/* BAD_FIELD; dst is undefined after an ERROR */
PODI_MUSTCHECK podi_rc_t podi_json_read(const json_t *object,
    const podi_json_field_t *fields, void *dst, podi_fail_t *fail);

/*
 * Says where the object stands that podi_json_read refused: with the path
 * "items[2]", the field "bytes" becomes "items[2].bytes".  Gives ERROR.
 */
podi_rc_t podi_json_at(podi_fail_t *fail, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* the bytes of a JSON string, borrowed; "" for anything else */
podi_str_t podi_json_str(const json_t *value);

/* compact, members in the order of the text; appended, or on its own */
void podi_json_add(podi_buf_t *b, const json_t *value);
PODI_MUSTCHECK podi_rc_t podi_json_dump(const json_t *value, podi_mem_t *mem,
    podi_str_t *ret_text);

/* mem releases value from now on; ERROR also when value is NULL */
PODI_MUSTCHECK podi_rc_t podi_json_own(podi_mem_t *mem, json_t *value);


#endif /* PODI_JSON_H */
