/*
 * ctl_lint: what nginx's own test says of a configuration, as a list.
 *
 *     config lint:    nginx -t -> its lines "podi lint: RULE: ..." -> findings
 *
 * Exit: 0 there are none, 1 there are some, 3 it cannot be said: nginx does not
 * take the configuration, or cannot be run.
 */

#define _GNU_SOURCE             /* memmem */

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "podi_buf.h"
#include "banned.h"

#define LINT_MARK  "podi lint: "

typedef struct {
    podi_str_t   rule;
    podi_str_t   text;
    podi_str_t   file;
    podi_str_t   line;
} lint_finding_t;


static int lint_nginx(ctl_t *ctl, podi_str_t *ret_text);
static int lint_start(ctl_t *ctl, int fd, pid_t *ret_pid);
static int lint_finding(podi_str_t line, lint_finding_t *found);
static size_t lint_last(const podi_str_t *s, const char *what);
static void lint_tell(const lint_finding_t *found, podi_buf_t *b, int json);


int
ctl_config_lint(ctl_t *ctl)
{
    int             n, status;
    podi_buf_t      b;
    podi_str_t      text, rest, line;
    lint_finding_t  found;

    status = lint_nginx(ctl, &text);

    if (status != 0) {

        if (status > 0) {
            (void) fprintf(stderr, PODI_STR_FMT "podictl: nginx does not take "
                           "\"%s\"\n", podi_str_arg(&text), ctl->values[0]);
        }

        return CTL_UNAVAILABLE;
    }

    podi_buf_init(&b, ctl->mem);

    rest = text;
    n = 0;

    while (podi_str_split(&rest, '\n', &line)) {
        if (lint_finding(line, &found)) {
            lint_tell(&found, &b, ctl->values[1][0] != '\0');
            n++;
        }
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return CTL_UNAVAILABLE;
    }

    (void) fwrite(text.data, 1, text.len, stdout);

    return (n == 0) ? CTL_OK : CTL_REFUSED;
}


/* 0: it takes it; above: it does not; -1: a sentence is on stderr */

static int
lint_nginx(ctl_t *ctl, podi_str_t *ret_text)
{
    int         fds[2], status, rc;
    pid_t       pid;
    ssize_t     n;
    podi_buf_t  b;
    char        part[4096];

    if (pipe(fds) != 0) {
        (void) fprintf(stderr, "podictl: %s\n", strerror(errno));
        return -1;
    }

    rc = lint_start(ctl, fds[1], &pid);
    (void) close(fds[1]);

    if (rc != 0) {
        (void) close(fds[0]);
        (void) fprintf(stderr, "podictl: \"%s\" cannot be run: %s\n",
                       ctl->values[2], strerror(rc));
        return -1;
    }

    podi_buf_init(&b, ctl->mem);

    do {
        n = read(fds[0], part, sizeof(part));

        if (n > 0) {
            podi_buf_add(&b, part, (size_t) n);
        }
    } while (n > 0 || (n < 0 && errno == EINTR));

    (void) close(fds[0]);

    do {
        rc = (int) waitpid(pid, &status, 0);
    } while (rc == -1 && errno == EINTR);

    if (rc == -1 || podi_buf_take(&b, ret_text) != PODI_OK) {
        return -1;
    }

    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}


/* its early words too: they would go to the log of the running nginx */

static int
lint_start(ctl_t *ctl, int fd, pid_t *ret_pid)
{
    int                          rc, n;
    char                        *argv[10];
    posix_spawn_file_actions_t   to;

    n = 0;
    argv[n++] = (char *) (uintptr_t) ctl->values[2];
    argv[n++] = (char *) (uintptr_t) "-t";
    argv[n++] = (char *) (uintptr_t) "-e";
    argv[n++] = (char *) (uintptr_t) "stderr";
    argv[n++] = (char *) (uintptr_t) "-c";
    argv[n++] = (char *) (uintptr_t) ctl->values[0];

    if (ctl->values[3][0] != '\0') {
        argv[n++] = (char *) (uintptr_t) "-p";
        argv[n++] = (char *) (uintptr_t) ctl->values[3];
    }

    argv[n] = NULL;

    rc = posix_spawn_file_actions_init(&to);

    if (rc != 0) {
        return rc;
    }

    rc = posix_spawn_file_actions_adddup2(&to, fd, STDERR_FILENO);

    if (rc == 0) {
        rc = posix_spawn_file_actions_adddup2(&to, fd, STDOUT_FILENO);
    }

    if (rc == 0) {
        rc = posix_spawnp(ret_pid, argv[0], &to, NULL, argv, environ);
    }

    (void) posix_spawn_file_actions_destroy(&to);

    return rc;
}


/* "... [warn] ...: podi lint: RULE: TEXT in FILE:LINE" */

static int
lint_finding(podi_str_t line, lint_finding_t *found)
{
    size_t       at;
    const char  *mark;

    mark = memmem(line.data, line.len, LINT_MARK, sizeof(LINT_MARK) - 1);

    if (mark == NULL
        || memmem(line.data, (size_t) (mark - (char *) line.data), "[warn]", 6)
           == NULL)
    {
        return 0;
    }

    at = (size_t) (mark - (char *) line.data) + sizeof(LINT_MARK) - 1;
    line.data += at;
    line.len -= at;

    (void) podi_str_split(&line, ':', &found->rule);

    line.data += (line.len != 0);
    line.len -= (line.len != 0);

    at = lint_last(&line, " in ");
    found->text = line;
    found->text.len = at;
    found->file = line;

    if (at < line.len) {
        found->file.data += at + 4;
        found->file.len -= at + 4;
    }

    at = lint_last(&found->file, ":");
    found->line = found->file;
    found->file.len = at;

    if (at < found->line.len) {
        found->line.data += at + 1;
        found->line.len -= at + 1;
    }

    return 1;
}


/* where it last stands; the length: nowhere */

static size_t
lint_last(const podi_str_t *s, const char *what)
{
    size_t  i, len;

    len = strlen(what);

    for (i = s->len; i >= len; i--) {
        if (memcmp(s->data + i - len, what, len) == 0) {
            return i - len;
        }
    }

    return s->len;
}


static void
lint_tell(const lint_finding_t *found, podi_buf_t *b, int json)
{
    if (!json) {
        podi_buf_printf(b, PODI_STR_FMT ":" PODI_STR_FMT ": " PODI_STR_FMT ": "
                        PODI_STR_FMT "\n", podi_str_arg(&found->file),
                        podi_str_arg(&found->line), podi_str_arg(&found->rule),
                        podi_str_arg(&found->text));
        return;
    }

    podi_buf_add_c(b, "{\"rule\":");
    podi_buf_add_json(b, &found->rule);
    podi_buf_add_c(b, ",\"file\":");
    podi_buf_add_json(b, &found->file);
    podi_buf_printf(b, ",\"line\":" PODI_STR_FMT ",\"text\":",
                    podi_str_arg(&found->line));
    podi_buf_add_json(b, &found->text);
    podi_buf_add_c(b, "}\n");
}
