/*
 * thirdd: a third party and a store, quick.
 *
 *     thirdd DIR JOB_MS           prints its port
 *
 *     POST /third/jobs, GET /third/jobs/N    a job; it runs for JOB_MS
 *     GET /third/file                        what it made: DIR/output
 *     GET, PUT /b/...                        the store
 *     GET /polls                             of each poll: job, when, and the
 *                    answer before it (ns of the monotonic clock), a line each
 */

#define _GNU_SOURCE

#include "played.h"

#define JOBS      65536
#define POLLS     (1024 * 1024)

typedef struct {
    int64_t   begun;
    int64_t   told;
} job_t;

typedef struct {
    int       job;
    int64_t   at;
    int64_t   before;
} poll_t;


static int64_t   job_ns;
static text_t    output;
static job_t     jobs[JOBS];
static int       n_jobs;
static poll_t    polls[POLLS];
static int       n_polls;


static void
third_job(conn_t *c, int n, int is_poll)
{
    job_t    *job;
    int64_t   now = now_ns();

    if (n < 0 || n >= n_jobs) {
        answer(c, 404, "application/json", "{}", 2);
        return;
    }

    job = &jobs[n];

    if (is_poll && n_polls < POLLS) {
        polls[n_polls].job = n;
        polls[n_polls].at = now;
        polls[n_polls++].before = job->told;
    }

    job->told = now;

    if (now - job->begun < job_ns) {
        answer_json(c, "{\"id\": \"%d\", \"status\": \"processing\"}", n);
        return;
    }

    answer_json(c, "{\"id\": \"%d\", \"status\": \"succeeded\", \"output\": "
                "[\"http://127.0.0.1:%d/third/file\"]}", n, port);
}


static void
third_begin(conn_t *c)
{
    if (n_jobs == JOBS) {
        c->ends = 1;
        return;
    }

    jobs[n_jobs].begun = now_ns();
    third_job(c, n_jobs++, 0);
}


static void
third_polls(conn_t *c)
{
    int     i;
    char    line[128];
    text_t  t = { NULL, 0, 0 };

    for (i = 0; i < n_polls; i++) {
        text_add(&t, line, (size_t) snprintf(line, sizeof(line),
                 "%d %lld %lld\n", polls[i].job, (long long) polls[i].at,
                 (long long) polls[i].before));
    }

    answer(c, 200, "text/plain", t.data ? t.data : "", t.len);
    free(t.data);
}


static void
ask(conn_t *c, const char *head, const char *path, int is_get,
    const char *body)
{
    (void) head;
    (void) body;

    if (strcmp(path, "/third/jobs") == 0) {
        third_begin(c);

    } else if (strncmp(path, "/third/jobs/", 12) == 0) {
        third_job(c, (int) strtol(path + 12, NULL, 10), 1);

    } else if (strcmp(path, "/third/file") == 0) {
        answer(c, 200, "video/mp4", output.data, output.len);

    } else if (strcmp(path, "/polls") == 0) {
        third_polls(c);

    } else {
        /* the store */
        answer(c, 200, "application/octet-stream", output.data,
               is_get ? output.len : 0);
    }
}


static void
gone(conn_t *c)
{
    (void) c;
}


static int
until_time(void)
{
    return -1;
}


static void
at_time(void)
{
}


int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: thirdd DIR JOB_MS\n");
        return 2;
    }

    job_ns = strtoll(argv[2], NULL, 10) * 1000000;
    text_read(&output, argv[1], "output");

    play();

    return 0;
}
