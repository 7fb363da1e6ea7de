/*
 * podi_provider_int: a description, read.  Private to podi_provider_*.c.
 *
 *     common part of the file --copied--> operation --its own over it-->
 *
 * Templates and paths are compiled once, by the loader, and know where in the
 * file they stand, so that a check over several members can still name it.
 */

#ifndef PODI_PROVIDER_INT_H
#define PODI_PROVIDER_INT_H


#include <regex.h>

#include "podi_provider.h"
#include "podi_sign_alg.h"


#define PODI_PROVIDER_HOPS      8       /* of a path */
#define PODI_PROVIDER_ALTS      4       /* of a first-non-null */
#define PODI_PROVIDER_DEPTH     16      /* of a file */
#define PODI_PROVIDER_STATUSES  8
#define PODI_PROVIDER_STATES    32
#define PODI_PROVIDER_SECRETS   4
#define PODI_PROVIDER_MESSAGE   512
#define PODI_PROVIDER_ID_MAX    256


/* short lists */

typedef struct {
    unsigned  n;
    unsigned  v[PODI_PROVIDER_STATUSES];
} podi_provider_statuses_t;

typedef struct {
    podi_str_t  *v;
    size_t       n;
} podi_provider_names_t;


/* where a member stands in the file: keys, or indexes (key is NULL) */

typedef struct {
    const char  *key;
    size_t       index;
} podi_provider_at_t;

typedef struct {
    podi_provider_at_t  at[PODI_PROVIDER_DEPTH];
    unsigned            n;
} podi_provider_place_t;


/* a.b[0].c, a[*].b */

typedef enum {
    PODI_HOP_KEY,
    PODI_HOP_INDEX,
    PODI_HOP_ALL
} podi_hop_e;

typedef struct {
    podi_hop_e   kind;
    const char  *key;
    size_t       index;
} podi_provider_hop_t;

typedef struct {
    podi_provider_hop_t  hops[PODI_PROVIDER_HOPS];
    unsigned             n;
} podi_provider_path_t;

/* the first of them that is there and not null */

typedef struct {
    podi_provider_path_t  *alts[PODI_PROVIDER_ALTS];
    unsigned               n;
} podi_provider_paths_t;


/* templates */

typedef enum {
    PODI_VAR_STRING,
    PODI_VAR_INTEGER,
    PODI_VAR_NUMBER,
    PODI_VAR_BOOLEAN,
    PODI_VAR_OBJECT,
    PODI_VAR_ARRAY,
    PODI_VAR_JSON,
    PODI_VAR_PATH                       /* in a URL: slashes stay */
} podi_var_e;

typedef struct {
    podi_str_t              name;       /* of the first, for sentences */
    podi_provider_paths_t   from;
    podi_var_e              type;
    json_t                 *fallback;   /* or NULL */
    unsigned                optional:1;
    podi_provider_place_t  *place;
} podi_provider_var_t;

typedef struct podi_provider_piece_s  podi_provider_piece_t;
typedef struct podi_provider_node_s   podi_provider_node_t;

struct podi_provider_piece_s {
    podi_provider_piece_t  *next;
    podi_str_t              text;
    podi_provider_var_t    *var;        /* or NULL: text */
};

typedef enum {
    PODI_NODE_LITERAL,
    PODI_NODE_TEXT,
    PODI_NODE_OBJECT,
    PODI_NODE_ARRAY
} podi_node_e;

struct podi_provider_node_s {
    podi_node_e             kind;
    podi_str_t              name;       /* of a member, or of a pair */
    const json_t           *literal;
    podi_provider_piece_t  *pieces;
    podi_provider_node_t   *first;
    podi_provider_node_t   *next;
};


/* parts of a description */

typedef struct {
    podi_str_t              method;
    podi_provider_piece_t  *url;
    podi_provider_node_t   *query;      /* an object of texts */
    podi_provider_node_t   *headers;
    podi_provider_body_e    kind;
    podi_provider_node_t   *body;
    podi_provider_node_t   *fields;     /* of a form, or of a multipart */
    podi_provider_node_t   *files;      /* texts: "input[0]" */
    podi_provider_statuses_t  ok;
    podi_provider_paths_t   ok_path;    /* and this, by this */
    regex_t                *ok_regex;
    podi_provider_place_t  *place;      /* NULL: there is no such step */
} podi_provider_call_t;

typedef struct {
    podi_str_t     text;
    podi_remote_e  state;
} podi_provider_state_row_t;

typedef struct {
    int                         from;   /* 0: a path, 1: the status */
    podi_provider_paths_t       path;
    podi_provider_state_row_t  *rows;
    size_t                      n_rows;
    podi_provider_place_t      *place;  /* NULL: none */
} podi_provider_states_t;

typedef struct podi_provider_rule_s  podi_provider_rule_t;

typedef enum {
    PODI_CLOCK_RIGHT,
    PODI_CLOCK_WRONG,                   /* it says so */
    PODI_CLOCK_THEIRS                   /* and is to be asked by its own */
} podi_clock_e;

struct podi_provider_rule_s {
    podi_provider_rule_t    *next;
    podi_provider_statuses_t  http;
    podi_provider_paths_t    code;
    regex_t                 *code_regex;
    podi_str_t               header;
    regex_t                 *header_regex;
    int                      class;
    int                      clock;         /* podi_clock_e */
    podi_str_t               retry_header;
    podi_provider_paths_t    retry_path;
    int64_t                  retry_fixed;
    unsigned                 has_match:1;
    podi_provider_place_t   *place;
};

/* what the file has in common and an operation may say anew */

typedef struct {
    podi_provider_facts_t   facts;

    podi_provider_call_t    submit;
    podi_provider_paths_t   id;
    podi_provider_paths_t   poll_url;
    podi_provider_paths_t   cancel_url;
    podi_provider_paths_t   result_url;
    podi_str_t              idempotency;
    podi_provider_statuses_t  unknown;      /* of a submit; there it wins */
    podi_provider_states_t  submit_states;

    podi_provider_call_t    poll;
    podi_provider_states_t  states;
    int                     not_found;      /* 0: lost, 1: wait */
    podi_provider_paths_t   progress;
    int64_t                 progress_scale;
    podi_provider_paths_t   position;

    podi_provider_call_t    fetch;
    podi_provider_paths_t   items;
    podi_provider_paths_t   item_value;
    podi_provider_paths_t   item_error;
    podi_provider_paths_t   usage;
    podi_provider_paths_t   cost;
    int64_t                 cost_unit;
    int                     cost_begun;
    int                     result_kind;
    podi_provider_names_t   hosts;
    podi_provider_node_t   *download;
    podi_provider_place_t  *result_place;

    podi_provider_call_t    cancel;

    podi_provider_rule_t   *rules;
    int                     failed_class;
    podi_provider_paths_t   code;
    podi_provider_paths_t   message;
    podi_provider_path_t  **redact;
    size_t                  n_redact;
    podi_provider_place_t  *place;          /* of the operation */
} podi_provider_common_t;

typedef struct podi_provider_param_s  podi_provider_param_t;

struct podi_provider_param_s {
    podi_provider_param_t  *next;
    const char             *name;
    int                     type;       /* podi_var_e */
    int                     required;
    int64_t                 min;
    int64_t                 max;
    const json_t           *fallback;
    const json_t           *values;
};

struct podi_provider_op_s {
    podi_provider_op_t      *next;
    const podi_provider_t   *provider;
    podi_provider_param_t   *params;
    podi_provider_common_t   c;
};

typedef enum {
    PODI_AUTH_NONE,
    PODI_AUTH_BEARER,
    PODI_AUTH_PREFIX,
    PODI_AUTH_HEADER,
    PODI_AUTH_QUERY,
    PODI_AUTH_V4,
    PODI_AUTH_RPC1,
    PODI_AUTH_ACS3
} podi_auth_e;

typedef struct {
    int              kind;
    podi_str_t       secret;
    podi_str_t       name;              /* of a header or a parameter */
    podi_str_t       prefix;            /* "Key", or of a V4 key */
    podi_str_t       terminator;
    podi_str_t       alg_name;
    podi_str_t       region;
    podi_str_t       service;
    podi_str_t       date_header;
    podi_str_t       hash_header;
    podi_sign_alg_t  alg;
} podi_provider_auth_t;

typedef struct {
    int                     where;      /* of the URL: podi_inject_e */
    podi_str_t              name;
    podi_str_t              events_name;
    const json_t           *events;
    int                     kind;       /* podi_hook_e */
    podi_str_t              secret;
    podi_str_t              header;
    podi_str_t              prefix;
    podi_str_t              jwks_url;
    podi_str_t              dedupe;
    podi_provider_place_t  *place;
} podi_provider_webhook_t;

typedef enum {
    PODI_INJECT_NONE,
    PODI_INJECT_QUERY,
    PODI_INJECT_BODY,
    PODI_INJECT_HEADER
} podi_inject_e;

struct podi_provider_s {
    podi_str_t               name;
    podi_str_t               base_url;
    podi_provider_names_t    secrets;
    podi_provider_names_t    hosts;     /* where remote URLs may lead */
    podi_provider_auth_t     auth;
    podi_provider_webhook_t  webhook;
    podi_provider_common_t   common;
    const json_t            *operations;
    podi_provider_op_t      *ops;
    const char              *ca_file;
    podi_mem_t              *mem;
};


/* loading: what the files of the loader share */

typedef struct {
    const char            *file;
    podi_str_t             text;
    podi_mem_t            *mem;
    podi_fail_t           *fail;
    podi_provider_t       *p;
    podi_provider_op_t    *op;          /* the one being read, or NULL */
    podi_provider_place_t  place;
    unsigned               at_key:1;    /* the key is wrong, not its value */
} podi_provider_load_t;

typedef struct podi_provider_row_s  podi_provider_row_t;

typedef podi_rc_t podi_provider_reader_t(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);

struct podi_provider_row_s {
    const char             *name;
    podi_provider_reader_t  *read;
    size_t                  offset;
    int64_t                 min;        /* characters, elements or value */
    int64_t                 max;
    const void             *arg;        /* a table, or names that end in NULL */
};

#define podi_null_provider_row  { NULL, NULL, 0, 0, 0, NULL }

/* podi_provider_member: one member by its row; always ERROR from _wrong */
podi_rc_t podi_provider_members(podi_provider_load_t *l, const json_t *object,
    void *dst, const podi_provider_row_t *rows);
podi_rc_t podi_provider_enter(podi_provider_load_t *l, const char *key,
    size_t index);
void podi_provider_leave(podi_provider_load_t *l);
podi_provider_place_t *podi_provider_here(podi_provider_load_t *l);
podi_rc_t podi_provider_wrong(podi_provider_load_t *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
podi_rc_t podi_provider_wrong_at(podi_provider_load_t *l,
    const podi_provider_place_t *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
podi_rc_t podi_provider_no_memory(podi_fail_t *fail);

/* line and column of a place, from 1; the nearest one when it is not there */
void podi_provider_where(const podi_str_t *text,
    const podi_provider_place_t *place, int at_key, unsigned *ret_line,
    unsigned *ret_column);

/* readers of rows */
podi_provider_reader_t podi_provider_read_str, podi_provider_read_int,
    podi_provider_read_bool, podi_provider_read_name, podi_provider_read_word,
    podi_provider_read_header, podi_provider_read_secret,
    podi_provider_read_enum, podi_provider_read_regex,
    podi_provider_read_paths, podi_provider_read_section,
    podi_provider_read_text, podi_provider_read_texts,
    podi_provider_read_node, podi_provider_read_json,
    podi_provider_read_statuses, podi_provider_read_names,
    podi_provider_read_step;


/* the parts: each reads one section of the file */
extern const podi_provider_row_t  podi_provider_common_rows[];
podi_provider_reader_t podi_provider_read_auth, podi_provider_read_webhook,
    podi_provider_read_params, podi_provider_read_rules,
    podi_provider_read_states;

/* what several members say together; of an operation that was read */
podi_rc_t podi_provider_check(podi_provider_load_t *l,
    podi_provider_op_t *op);
podi_rc_t podi_provider_check_rules(podi_provider_load_t *l,
    podi_provider_op_t *op);


/* paths */
podi_rc_t podi_provider_path(const podi_str_t *text, podi_mem_t *mem,
    podi_provider_path_t **ret_path, const char **why);

/* the values; gives how many there are, of which at most max are stored */
size_t podi_provider_find(const podi_provider_path_t *path,
    const json_t *root, const json_t **ret_values, size_t max);
const json_t *podi_provider_first(const podi_provider_paths_t *paths,
    const json_t *root);


/* templates: filling in */

typedef enum {
    PODI_FILL_RAW,
    PODI_FILL_HEADER,               /* no control characters */
    PODI_FILL_URL                   /* what is put in is percent-encoded */
} podi_fill_e;

/* DECLINED: an optional variable of it has no value: leave it out */
podi_rc_t podi_provider_fill_text(const podi_provider_piece_t *pieces,
    const podi_provider_ask_t *ask, podi_fill_e how, podi_buf_t *b,
    podi_fail_t *fail);
podi_rc_t podi_provider_fill(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail);

/* the value of a variable, or its fallback; NULL: neither */
const json_t *podi_provider_value(const podi_provider_var_t *var,
    const podi_provider_ask_t *ask);

/* the params of a job, checked and with fallbacks */
podi_rc_t podi_provider_params(const podi_provider_op_t *op,
    const json_t *params, podi_mem_t *mem, json_t **ret_params,
    podi_fail_t *fail);

/* NULL, or why this value is none of the param */
const char *podi_provider_param_fits(const podi_provider_param_t *param,
    const json_t *value);


/* requests */

typedef struct {
    podi_pair_t  query[PODI_SIGN_PAIRS_MAX];
    size_t       n_query;
    podi_pair_t  headers[PODI_SIGN_PAIRS_MAX];
    size_t       n_headers;
    podi_str_t   origin;                /* "https://host" */
    podi_str_t   path;                  /* as on the wire */
    podi_str_t   method;
    podi_str_t   body;
} podi_provider_draft_t;

const podi_provider_call_t *podi_provider_call(const podi_provider_op_t *op,
    podi_provider_step_e step);
podi_rc_t podi_provider_body(const podi_provider_call_t *call,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_provider_request_t *r, podi_mem_t *mem, podi_fail_t *fail);
podi_rc_t podi_provider_inject(const podi_provider_op_t *op,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_provider_request_t *r, podi_mem_t *mem, podi_fail_t *fail);
podi_rc_t podi_provider_pairs(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_fill_e how, podi_pair_t *pairs,
    size_t *n, podi_mem_t *mem, podi_fail_t *fail);
podi_rc_t podi_provider_auth(const podi_provider_t *p,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail);
const podi_provider_key_t *podi_provider_key(const podi_provider_key_t *keys,
    size_t n, const podi_str_t *name);
podi_rc_t podi_provider_put(podi_pair_t *pairs, size_t *n, podi_str_t name,
    podi_str_t value, podi_fail_t *fail);

/* "https://host:port" of a URL; ERROR: it is none that may be used */
podi_rc_t podi_provider_origin(const podi_str_t *url, podi_str_t *ret_origin,
    podi_str_t *ret_host);
int podi_provider_host_in(const podi_provider_names_t *hosts,
    const podi_str_t *host);


/* answers */

typedef struct {
    const podi_provider_op_t     *op;
    const podi_provider_call_t   *call;
    podi_provider_step_e          step;
    const podi_provider_reply_t  *reply;
    const json_t                 *json;     /* NULL: the body is none */
    podi_mem_t                   *mem;
    podi_provider_answer_t       *a;
} podi_provider_read_t;

void podi_provider_texts(podi_provider_read_t *r);
const podi_provider_rule_t *podi_provider_rule_of(podi_provider_read_t *r);
void podi_provider_clock(podi_provider_read_t *r,
    const podi_provider_rule_t *rule);
void podi_provider_retry(podi_provider_read_t *r,
    const podi_provider_rule_t *rule);
int podi_provider_in(const podi_provider_statuses_t *list, unsigned status);
podi_str_t podi_provider_header(const podi_pair_t *headers, size_t n,
    const podi_str_t *name);
int podi_provider_matches(const regex_t *regex, const podi_str_t *s);
podi_str_t podi_provider_scalar(const json_t *value, podi_mem_t *mem);
podi_rc_t podi_provider_items(const podi_provider_op_t *op,
    const json_t *json, podi_mem_t *mem, podi_provider_answer_t *a);


#endif /* PODI_PROVIDER_INT_H */
