/*
 * podi_comfy: what is said to a ComfyUI server, and what it says.  Pure.
 *
 *     graph + mapping + parameters + uploads -> podi_comfy_prompt
 *                                                      | POST /prompt
 *     podi_comfy_answer    <- accepted, or what is wrong with it
 *     podi_comfy_frame     <- how far it is (the socket; may be lost)
 *     podi_comfy_queue     <- where it waits
 *     podi_comfy_history   <- how it ended, and its files (what decides)
 *     podi_comfy_info, podi_comfy_stats, podi_comfy_remaining
 *                          <- what the server can, and how busy it is
 *
 * A text of a server is a stranger's: it is read with bounds, and of what
 * goes on to people paths are taken out.  Strings that come out belong to
 * mem.  The functions that read a server's text give ERROR when that is no
 * answer of ComfyUI, or there is no memory: the same to a caller, who asks
 * again.
 */

#ifndef PODI_COMFY_H
#define PODI_COMFY_H


#include "podi_json.h"


#define PODI_COMFY_TEXT_MAX    32768    /* bytes of a parameter */
#define PODI_COMFY_FILES_MAX   1000     /* files of one prompt */
#define PODI_COMFY_NODE_MAX    64       /* bytes of a node's id */


/*
 * CONFIG, at the place in the graph; "graph.nodes" when it is what ComfyUI
 * saves for its own editor.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_graph_check(const json_t *graph,
    podi_fail_t *fail);

/* {"nodes": [class], "models": [name]}; it belongs to mem */
PODI_MUSTCHECK podi_rc_t podi_comfy_needs(const json_t *graph,
    podi_mem_t *mem, json_t **ret_needs);

/*
 * Whether a server with these nodes and models, as of podi_comfy_info, lacks
 * what is needed.  *ret_what, the first that it lacks, belongs to needs.
 */
int podi_comfy_lacks(const json_t *needs, const json_t *nodes,
    const json_t *models, podi_str_t *ret_what);


typedef struct {
    const json_t      *graph;
    const json_t      *mapping;
    const json_t      *params;      /* of the job; NULL: none */
    const podi_str_t  *inputs;      /* of podi_comfy_uploaded, one for each */
    size_t             inputs_n;    /* place of mapping.inputs */
    podi_str_t         prompt_id;
    podi_str_t         client_id;   /* "": no socket, its own id is said */
    podi_str_t         prefix;      /* of this attempt's files, alone */
    uint32_t           seed;        /* unless params has an integer "seed" */
} podi_comfy_job_t;

/*
 * The body of POST /prompt.  A parameter goes where the mapping says, as the
 * type that it says, and nowhere else; one that is absent or null leaves what
 * the graph has.  BAD_FIELD: of the job; CONFIG: of the graph or mapping.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_prompt(const podi_comfy_job_t *job,
    podi_mem_t *mem, podi_str_t *ret_body, podi_fail_t *fail);

/* how many nodes a graph has, for podi_comfy_track */
unsigned podi_comfy_nodes(const json_t *graph);

/*
 * What the graph says about a node, or about the one that a server made it
 * from ("7.0.2", of 7); it lives as long as the graph.  0: nothing.
 */
typedef struct {
    podi_str_t  id;
    podi_str_t  class_type;
    podi_str_t  title;          /* of who made the graph, or "" */
} podi_comfy_node_t;

int podi_comfy_node(const json_t *graph, const char *id,
    podi_comfy_node_t *ret_node);

/* from the answer of POST /upload/image: the name that an input takes */
PODI_MUSTCHECK podi_rc_t podi_comfy_uploaded(const podi_str_t *body,
    podi_mem_t *mem, podi_str_t *ret_name);


typedef enum {
    PODI_COMFY_ACCEPTED = 0,
    PODI_COMFY_PARTIAL,         /* runs in part: to be taken back */
    PODI_COMFY_INVALID,         /* no server takes it */
    PODI_COMFY_LACKS,           /* another server may have it */
    PODI_COMFY_TOO_LARGE,
    PODI_COMFY_REFUSED,         /* it stumbled over it, and will again */
    PODI_COMFY_DENIED,          /* we may not ask it */
    PODI_COMFY_BUSY,            /* not now; nothing was taken */
    PODI_COMFY_UNKNOWN          /* it may have it, or not: look for it */
} podi_comfy_class_e;

typedef struct {
    podi_comfy_class_e  class;
    podi_str_t          prompt_id;
    double              number;
    podi_str_t          node;       /* at fault, or "" */
    podi_str_t          class_type;
    podi_str_t          input;
    podi_str_t          reason;     /* ComfyUI's word for it, or "" */
    podi_str_t          sentence;   /* for people */
} podi_comfy_answer_t;

/* to POST /prompt; status 0: none came.  ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_comfy_answer(int status,
    const podi_str_t *content_type, const podi_str_t *body, podi_mem_t *mem,
    podi_comfy_answer_t *ret_answer);

/* a server may call a prompt what it likes: one that fits in paths and rows */
int podi_comfy_is_id(const podi_str_t *id);


typedef enum {
    PODI_COMFY_ABSENT = 0,      /* not known, or not at its end */
    PODI_COMFY_DONE,
    PODI_COMFY_FAILED,
    PODI_COMFY_INTERRUPTED
} podi_comfy_end_e;

typedef struct {
    podi_str_t  node;
    podi_str_t  kind;           /* "images", "gifs", "audio", .. */
    podi_str_t  filename;
    podi_str_t  subfolder;
    podi_str_t  type;           /* "output", "temp", "input" */
} podi_comfy_file_t;

typedef struct {
    podi_comfy_end_e    end;
    podi_comfy_file_t  *files;
    size_t              files_n;
    podi_str_t          node;       /* where it failed, or "" */
    podi_str_t          class_type;
    podi_str_t          exception;  /* its class */
    podi_str_t          sentence;   /* its first line, for people */
    unsigned            oom:1;      /* memory was short, not the prompt bad */
    unsigned            more:1;     /* than FILES_MAX: the rest is left out */
} podi_comfy_history_t;

/*
 * GET /history/{id}.  What is kept of it is in mem; the text, many times as
 * large once it is read, goes before this returns.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_history(const podi_str_t *body,
    const podi_str_t *id, podi_mem_t *mem, podi_comfy_history_t *ret_history);

/* GET /history: there is nothing in it */
int podi_comfy_is_blank(const podi_str_t *body);

/* whether the mapping asks for that file */
int podi_comfy_wants(const json_t *mapping, const podi_comfy_file_t *file);

/* "/view?.." */
PODI_MUSTCHECK podi_rc_t podi_comfy_view(const podi_comfy_file_t *file,
    podi_mem_t *mem, podi_str_t *ret_path);


typedef int (*podi_comfy_ours_pt)(void *data, const podi_str_t *prompt_id);

typedef struct {
    unsigned  runs:1;           /* the one that was asked for */
    unsigned  waits:1;
    unsigned  before;           /* so many run earlier among those that wait */
    unsigned  running;
    unsigned  pending;
    unsigned  ours;             /* of both */
    unsigned  foreign;
} podi_comfy_queue_t;

/*
 * GET /queue; id "": of none in particular; ours NULL: all are foreign.  It is
 * megabytes of everybody's graphs, which are passed over; in mem there is as
 * much of it at most, for one look.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_queue(const podi_str_t *body,
    const podi_str_t *id, podi_comfy_ours_pt ours, void *data,
    podi_mem_t *mem, podi_comfy_queue_t *ret_queue);

/* GET /prompt: what waits or runs */
PODI_MUSTCHECK podi_rc_t podi_comfy_remaining(const podi_str_t *body,
    podi_mem_t *mem, unsigned *ret_n);


typedef struct {
    podi_str_t  version;        /* or "" */
    int64_t     vram_total;     /* of its largest device */
    int64_t     vram_free;
    unsigned    targeted:1;     /* an interrupt with an id hits that alone */
} podi_comfy_stats_t;

/* GET /system_stats */
PODI_MUSTCHECK podi_rc_t podi_comfy_stats(const podi_str_t *body,
    podi_mem_t *mem, podi_comfy_stats_t *ret_stats);

/* versions of which it is not known count as without */
int podi_comfy_is_targeted(const podi_str_t *version);


typedef struct {
    json_t  *nodes;     /* {class: {"required": [name], "optional": [name]}} */
    json_t  *models;    /* {input: [name]} */
} podi_comfy_info_t;

/* GET /object_info, at most `max` bytes of it; belongs to mem */
PODI_MUSTCHECK podi_rc_t podi_comfy_info(const podi_str_t *body, size_t max,
    podi_mem_t *mem, podi_comfy_info_t *ret_info);


typedef enum {
    PODI_COMFY_OTHER = 0,       /* nothing of interest */
    PODI_COMFY_STATUS,          /* remaining */
    PODI_COMFY_STARTED,
    PODI_COMFY_CACHED,          /* count: nodes that need not run */
    PODI_COMFY_STATE,           /* share: the sum over the nodes that ran */
    PODI_COMFY_NODE,            /* node: it runs now */
    PODI_COMFY_STEP,            /* share: of that node */
    PODI_COMFY_PREVIEW,         /* image */
    PODI_COMFY_ENDED            /* in whichever way: look into the history */
} podi_comfy_frame_e;

typedef struct {
    podi_comfy_frame_e  type;
    podi_str_t          prompt_id;  /* "": not said */
    podi_str_t          node;
    unsigned            count;
    unsigned            remaining;
    double              share;
    unsigned            value;      /* of max steps of the node */
    unsigned            max;        /* 0: it has none */
    podi_str_t          image;      /* in the frame's own bytes */
    const char         *image_type;
} podi_comfy_frame_t;

/* a text, or a binary message of the socket */
PODI_MUSTCHECK podi_rc_t podi_comfy_frame(const podi_str_t *data,
    int is_binary, podi_mem_t *mem, podi_comfy_frame_t *ret_frame);


typedef struct {
    unsigned  nodes;            /* of the graph */
    unsigned  cached;
    unsigned  begun;
    double    states;
    double    share;            /* of the node that runs */
    unsigned  step;
    unsigned  steps;            /* 0: that node has none */
    unsigned  percent;          /* 0..99, and never less than it was */
    char      node[PODI_COMFY_NODE_MAX + 1];
} podi_comfy_track_t;

/* 1: the percentage, node or step changed.  Zeroed, with nodes, to begin */
int podi_comfy_track(podi_comfy_track_t *track,
    const podi_comfy_frame_t *frame);


#endif /* PODI_COMFY_H */
