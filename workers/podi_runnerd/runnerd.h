/*
 * runnerd: what the files of podi_runnerd share.
 *
 *     main.c          settings, actions, start and stop
 *     runner.c        a job: what it is carried out by
 *     again.c         steps that are run again and again, as one operation
 *     server.c        the ComfyUI servers there are, from their rows
 *     farm.c          what is found out about them, and told
 *     probe.c         how each of them is, every few seconds
 *     cards.c         all that it can, read by a thread
 *     socket.c        what it tells of its own accord
 *     progress.c      how far a prompt is, as its user is told
 *     call.c          one request to one of them
 *     inputs.c        what a job begins with, whoever carries it out
 *     comfy.c         a job of theirs, and the order of all that follows
 *     comfy_choose.c  the server that it goes to
 *     comfy_place.c   inputs, and where it is, as it is noted
 *     comfy_send.c    uploads, and the prompt
 *     comfy_follow.c  until it is at its end, or lost
 *     comfy_file.c    what it made
 *     comfy_end.c     what came of it
 *     comfy_undo.c    it is not wanted any more
 *     left*.c         what was left elsewhere, and nobody waits for
 *     provider*.c     a job of a third party: see provider.h
 *     mock.c          a job of nobody, in a sandbox
 */

#ifndef RUNNERD_H
#define RUNNERD_H


#include "podi_breaker.h"
#include "podi_comfy.h"
#include "podi_farm.h"
#include "podi_files.h"
#include "podi_follow.h"
#include "podi_picture.h"
#include "podi_result.h"
#include "podi_worker.h"
#include "podi_ws.h"


#define RUNNER_INPUTS_MAX   16
#define RUNNER_LABELS_MAX   32
#define RUNNER_VERSION_MAX  64
#define RUNNER_CLIENT_MAX   32


typedef struct {
    podi_link_t           link;
    podi_arena_t         *arena;        /* of all that its row says */
    podi_mem_t           *mem;
    podi_str_t            updated;      /* the row's time: another, another
                                           record */
    podi_str_t            name;
    podi_str_t            provider;     /* "comfy:<name>" */
    podi_str_t            url;          /* without a slash at its end */
    podi_pair_t          *headers;      /* that it is asked with */
    size_t                n_headers;
    podi_str_t            query;        /* "token=x", or "" */
    podi_str_t            labels[RUNNER_LABELS_MAX];
    size_t                n_labels;
    unsigned              slots;
    unsigned              prefetch;
    podi_farm_state_e     state;
    podi_str_t            ws_url;       /* "": it follows from url */
    const char           *ca_file;
    podi_http_t          *http;
    unsigned              listed:1;     /* there is such a row still */
    unsigned              single:1;     /* nobody else uses it */
    unsigned              no_key:1;     /* one that it is asked with */

    /* what was seen of it */
    podi_flow_t           probe;
    podi_arena_t         *probe_arena;
    uint64_t              ticket;
    podi_msec_t           asked_at;
    podi_msec_t           seen_at;      /* 0: never */
    podi_msec_t           noted_at;
    podi_msec_t           latency;
    unsigned              remaining;
    unsigned              targeted:1;
    unsigned              answers:1;    /* this time */
    unsigned              is_up:1;      /* the last time */
    unsigned              was_said:1;   /* how it is */
    unsigned              looks_back:1; /* for what it remembers */
    unsigned              asks_cards:1;
    unsigned              notes:1;
    unsigned              noted_up:1;   /* as it was noted last */
    unsigned              new_cards:1;  /* not noted yet */
    unsigned              trial:1;      /* it was shut: one prompt only */
    unsigned              stuck:1;      /* it does not work: none at all */
    unsigned              held;         /* prompts, when the look began */
    int64_t               vram;
    char                  version[RUNNER_VERSION_MAX];
    char                  was_version[RUNNER_VERSION_MAX];
    char                  cards_version[RUNNER_VERSION_MAX];
    char                  fault[128];
    podi_arena_t         *cards;
    podi_comfy_info_t     info;         /* of cards; nodes NULL: not known */
    podi_breaker_t        breaker;

    /* its socket */
    podi_ws_t            *ws;           /* NULL: none is open, or opening */
    podi_arena_t         *frames;       /* of one frame */
    char                  client_id[RUNNER_CLIENT_MAX + 1];
    unsigned              hears:1;      /* it is open, under client_id */

    /* what this process has there */
    podi_link_t           runs;
    unsigned              ours;
    unsigned              kept;         /* by others who ask it something */
    uint64_t              model_key;
    double                number;       /* of the last prompt it took */
} runner_server_t;


typedef struct {
    podi_worker_t        *worker;
    podi_files_t          files;
    podi_picture_conf_t   picture;
    podi_secret_t        *kek;          /* NULL: servers with keys are down */
    podi_link_t           servers;
    podi_msec_t           servers_every;
    podi_msec_t           probe_timeout;
    podi_msec_t           server_shut;
    podi_msec_t           call_timeout;
    uint64_t              info_max;
    uint64_t              history_max;
    uint64_t              queue_max;
    int64_t               results_max;  /* files of a job */
    uint64_t              results_bytes;
    podi_link_t           providers;
    const char           *providers_dir;
    int                   providers_private;
    const char           *webhook_base;
    const char           *webhook_key_file;
    podi_secret_t        *webhook_key;  /* NULL: nobody is told to call */
    podi_link_t           hooks;        /* of provider_run_t */
    int64_t               margin;
    podi_follow_conf_t    follow;
    podi_msec_t           left_every;
    podi_msec_t           left_wait;
    podi_msec_t           left_max;
    unsigned              servers_known:1;
} runnerd_t;

extern runnerd_t  runnerd;


/* ---- again.c ------------------------------------------------------------ */

typedef struct runner_again_s  runner_again_t;

/*
 * After each run of the steps.  OK: run them again, AGAIN: after *ret_wait,
 * DONE: the operation is over, ERROR: it failed with *fail, which is what the
 * steps failed with when rc is ERROR.
 */
typedef podi_rc_t (*runner_next_pt)(void *ctx, podi_rc_t rc,
    podi_fail_t *fail, podi_msec_t *ret_wait);

/*
 * AGAIN.  f->mem of the steps lives for one run; ctx is theirs and next's.
 * *ret is for runner_again_now, and goes with mem.
 */
PODI_MUSTCHECK podi_rc_t runner_again(podi_flow_t *f, podi_mem_t *mem,
    const podi_step_t *steps, runner_next_pt next, void *ctx,
    runner_again_t **ret);

typedef int (*runner_kept_pt)(void *ctx);

/*
 * When it is cancelled, ctx says whether what is under way has to be kept.
 * Then this run of the steps goes on, as long as the mem of runner_again.
 */
void runner_again_keep(runner_again_t *again, runner_kept_pt is_kept);

/* AGAIN: until what was kept is over, or its time is; OK: nothing is */
PODI_MUSTCHECK podi_rc_t runner_again_wait(podi_flow_t *f,
    runner_again_t *again, podi_msec_t most);

/* if it waits for its time, the time is over */
void runner_again_now(runner_again_t *again);
/* ... or comes no later than that; 0: it does not wait */
int runner_again_within(runner_again_t *again, podi_msec_t wait);


/* ---- runner.c ------------------------------------------------------------ */

/* what job->data begins with, whatever the job is carried out by */

typedef struct {
    json_t               *executor;
    json_t               *workflow;     /* NULL: there is none */
    json_t               *adopt;        /* of earlier attempts, newest first */
    json_t               *tried;        /* where it failed already */
    int64_t               deferrals;
    const podi_step_t    *undo;         /* NULL: it was not begun */
    podi_input_t          inputs[RUNNER_INPUTS_MAX];
    size_t                n_inputs;
    size_t                input;        /* the one that is fetched */
    unsigned              over:1;       /* the job's ending was said */
} runner_head_t;

extern const podi_step_t  runner_steps[];
extern const podi_step_t  runner_undo[];

/* where its files go: beside the first input; NULL: there is no store */
podi_objects_store_t *runner_store(const podi_job_t *job);


/* ---- inputs.c ----------------------------------------------------------- */

/* of job->data, whatever that is.  BAD_FIELD: there are too many */
PODI_MUSTCHECK podi_rc_t runner_inputs_count(podi_flow_t *f, podi_job_t *job);
/* the store of each, and a file for it; those that are counted */
PODI_MUSTCHECK podi_rc_t runner_inputs_open(podi_flow_t *f, podi_job_t *job);
/* AGAIN; over: one of them has ended the job.  Those that are opened: any */
PODI_MUSTCHECK podi_rc_t runner_inputs_fetch(podi_flow_t *f, podi_job_t *job);


/* ---- server.c, probe.c, cards.c ------------------------------------------ */

extern const podi_step_t  runner_servers_steps[];

/* as they are in the settings; NULL: there is none, or not any more */
runner_server_t *runner_server_find(const podi_str_t *provider);

/* rows of sys.comfy_servers: records come and go */
void runner_servers_read(const podi_pg_result_t *rows);
void runner_servers_free(void);

/* a look at it begins, unless one is under way, or its breaker is open */
void runner_probe(runner_server_t *server);

/*
 * AGAIN: a thread reads an answer to /object_info; f->result will be server,
 * with the cards that it has from then on.
 */
PODI_MUSTCHECK podi_rc_t runner_cards(podi_flow_t *f, runner_server_t *server,
    const podi_str_t *body);

int runner_server_is_stale(const runner_server_t *server);
int runner_server_is_shut(const runner_server_t *server);


/* opens the server's socket, unless there is one */
void runner_socket(runner_server_t *server);
void runner_socket_free(runner_server_t *server);


/* ---- farm.c ------------------------------------------------------------- */

/* how many prompts are followed there that it took; they are marked ... */
unsigned runner_server_holds(runner_server_t *server);
/* ... and whether one of those is not at its end yet */
int runner_server_held(const runner_server_t *server);

/* whoever has a prompt there looks for it now */
void runner_server_hint(runner_server_t *server);
/* it works on nothing: nothing new goes there, until it was away */
void runner_server_stuck(runner_server_t *server);
void runner_server_was_away(runner_server_t *server);
/* it forgot all that it had */
void runner_server_anew(runner_server_t *server);

void runner_farm_metrics(void);
/* one more, of name{label="value"} */
void runner_farm_count(const char *name, const char *label,
    const podi_str_t *value);


/* ---- call.c ------------------------------------------------------------- */

/*
 * Fills request: the server's URL and keys, no body, and how large an answer
 * to such a path may be.  What it points to is in f->mem.  ERROR: no memory.
 */
PODI_MUSTCHECK podi_rc_t runner_call(podi_flow_t *f,
    const runner_server_t *server, const char *method, const podi_str_t *path,
    podi_http_request_t *request);

/* GET, or POST when there is a body, of JSON; AGAIN as podi_http_send */
PODI_MUSTCHECK podi_rc_t runner_ask(podi_flow_t *f,
    const runner_server_t *server, const char *path, const podi_str_t *body);

/* {"delete":["<id>"]} */
PODI_MUSTCHECK podi_rc_t runner_delete(podi_flow_t *f,
    const runner_server_t *server, const char *path, const podi_str_t *id);

/* there was an answer, and it was larger than it may be */
int runner_is_too_large(const podi_flow_t *f);

/* a reply with 200 and a body; NULL: none */
const podi_http_reply_t *runner_answered(const podi_flow_t *f);


/* ---- left.c, left_row.c -------------------------------------------------- */

typedef struct runner_left_row_s   runner_left_row_t;
typedef struct runner_left_lane_s  runner_left_lane_t;

/* round->data */

typedef struct {
    podi_worker_t        *worker;
    podi_mem_t           *mem;
    runner_left_row_t    *rows;
    size_t                n;
    runner_left_lane_t   *lanes;
    size_t                n_lanes;
    size_t                n_open;       /* lanes that are not over */
    podi_msec_t           until;
    podi_op_t             op;           /* done when none is open */
} runner_left_t;

extern const podi_step_t  runner_left_steps[];


/* ---- mock.c ------------------------------------------------------------- */

typedef struct {
    runner_head_t    head;
    podi_input_t     input;
    int64_t          seconds;
    int64_t          spent;
    runner_again_t  *again;
} mock_run_t;

extern const podi_step_t  runner_mock_steps[];


/* ---- comfy*.c ----------------------------------------------------------- */

typedef struct {
    runner_head_t          head;
    podi_link_t            link;        /* of server->runs */
    podi_job_t            *job;
    json_t                *graph;
    json_t                *mapping;
    json_t                *needs;
    json_t                *params;      /* the user's, with what is set */
    podi_str_t             version;     /* of the workflow, a number */
    podi_msec_t            idle;
    uint64_t               model_key;

    podi_str_t             names[RUNNER_INPUTS_MAX];    /* of inputs, there */
    size_t                 at;          /* the one that is being dealt with */

    runner_server_t       *server;      /* NULL: none was chosen */
    double                 since;       /* its number, when it was */
    podi_str_t             prompt_id;   /* there */
    podi_str_t             ref;         /* in its row: the same, mostly */
    podi_str_t             remote;      /* JSON, as it is noted */
    podi_str_t             body;
    podi_comfy_answer_t    answer;

    runner_again_t        *again;
    podi_follow_conf_t     follow_conf;
    podi_follow_t          follow;
    podi_comfy_track_t     track;
    int                    ahead;       /* so many run before it */
    podi_act_e             act;
    podi_msec_t            wait;
    podi_comfy_history_t   history;

    podi_objects_store_t  *store;       /* where its files go */
    int                    fd;          /* of the file that is collected */
    int                    bare;        /* the same without texts; -1: is not */
    podi_digest_t          made;        /* of fd, as it came */
    podi_buf_t             results;     /* JSON, without its end */
    unsigned               n_results;
    podi_str_t             unread;      /* a file, and why; or "" */
    uint64_t               bytes;       /* of all that was fetched */

    unsigned               follows:1;   /* again is that of the follow */
    unsigned               has_made:1;  /* made is known */
    unsigned               held:1;      /* it did, when a look began */
    unsigned               too_large:1; /* what is told of its end */
    unsigned               hint:1;      /* the socket tells of its end */
    unsigned               heard:1;     /* sent under the socket's name */
    unsigned               is_told:1;   /* the socket speaks of it */
    unsigned               is_placed:1; /* ahead is known */
    unsigned               adopts:1;    /* an earlier attempt's prompt */
    unsigned               adopted:1;   /* so it began */
    unsigned               is_empty:1;  /* a file that it made is not there */
    unsigned               has_end:1;   /* nothing is sent any more */
    unsigned               is_refused:1;        /* answer says why */
    unsigned               is_lost:1;   /* act says how */
    unsigned               counted:1;   /* goes out of server->ours with mem */
    unsigned               sent:1;      /* maybe */
    unsigned               unnoted:1;   /* taken, and its row does not say so */
    unsigned               is_own:1;    /* prompt_id is the server's own */
    unsigned               is_told_lost:1;      /* comfy.unnoted was said */
    podi_msec_t            undo_until;
} comfy_run_t;

extern const podi_step_t  runner_comfy_steps[];
extern const podi_step_t  runner_comfy_undo[];

/* it took the run's prompt */
void runner_server_took(const comfy_run_t *run, double number);

/* comfy_choose.c */
podi_rc_t comfy_room(podi_flow_t *f, void *ctx);
podi_rc_t comfy_choose(podi_flow_t *f, void *ctx);
podi_rc_t comfy_chosen(podi_flow_t *f, void *ctx);

/* comfy_place.c */
podi_rc_t comfy_fetch(podi_flow_t *f, void *ctx);

/* the job is at that server from now on; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t comfy_is_at(comfy_run_t *run,
    runner_server_t *server);
/* and at none */
void comfy_leave(comfy_run_t *run);

/* comfy_note.c */

/* of sys.attempt_remote; state is "intended", "submitted", "left" or "ended" */
PODI_MUSTCHECK podi_rc_t comfy_note(podi_flow_t *f, comfy_run_t *run,
    const char *state, int with_slots);
/* two steps: submitted, if that is not noted; the answer to it */
podi_rc_t comfy_take(podi_flow_t *f, void *ctx);
podi_rc_t comfy_taken(podi_flow_t *f, void *ctx);
/* the answer to a note of what was taken */
void comfy_noted(podi_flow_t *f, comfy_run_t *run);
/* tells, once, of a prompt that only the log will know */
void comfy_untold(comfy_run_t *run);

/* comfy_send.c */
podi_rc_t comfy_upload(podi_flow_t *f, void *ctx);
podi_rc_t comfy_fence(podi_flow_t *f, void *ctx);
podi_rc_t comfy_send(podi_flow_t *f, void *ctx);
podi_rc_t comfy_sent(podi_flow_t *f, void *ctx);

/* comfy_follow.c */

/* one look at the prompt, and what it says: act is what comes next */
extern const podi_step_t  comfy_look_steps[];
/* known: the server said that it took it */
void comfy_look_begin(comfy_run_t *run, int known);
/* as runner_next_pt, of looks until act is one of the last four */
podi_rc_t comfy_look_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);

podi_rc_t comfy_adopt(podi_flow_t *f, void *ctx);
podi_rc_t comfy_adopted(podi_flow_t *f, void *ctx);
podi_rc_t comfy_left(podi_flow_t *f, void *ctx);
podi_rc_t comfy_follow(podi_flow_t *f, void *ctx);
podi_rc_t comfy_followed(podi_flow_t *f, void *ctx);

/* progress.c */
void runner_progress_ahead(comfy_run_t *run, unsigned ahead);
void runner_progress_frame(comfy_run_t *run, const podi_comfy_frame_t *frame);
void runner_progress_preview(comfy_run_t *run,
    const podi_comfy_frame_t *frame);

/* comfy_file.c */

/* it has come to its end with something to collect */
int comfy_has_files(const comfy_run_t *run);
podi_rc_t comfy_collect(podi_flow_t *f, void *ctx);

/* comfy_end.c */
podi_rc_t comfy_clean(podi_flow_t *f, void *ctx);
podi_rc_t comfy_cleaned(podi_flow_t *f, void *ctx);
podi_rc_t comfy_end(podi_flow_t *f, void *ctx);


#endif /* RUNNERD_H */
