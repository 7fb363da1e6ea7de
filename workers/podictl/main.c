/*
 * podictl: the operator's hand.
 *
 *     podictl -c FILE NOUN [VERB] [--option VALUE]...
 *     podictl [NOUN [VERB]] --help
 *
 * Each command is one SQL function, called as podi_ctl; what it changed is
 * told as name=value lines.  Exit: 0 done, 1 refused, 2 usage, 3 the
 * database is not there, or the output could not be written.  Secrets are
 * written into files of mode 0600 and never shown.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "banned.h"


static const ctl_command_t *main_command(char **word, int *ret_used);
static int main_verb(char **word, const char *verb);
static int main_options(ctl_t *ctl, char **word);
static int main_option(ctl_t *ctl, const char *name, const char *value);
static int main_positional(ctl_t *ctl, const char *value);
static int main_word(ctl_t *ctl, const char *value);
static int main_wants_help(char **word);
static int main_help(char **word);
static int main_begins(const char *verb, const char *word);
static int main_end(int code);
static int main_usage(const ctl_command_t *command);
static void main_describe(FILE *out, const ctl_command_t *command);


int
main(int argc, char **argv)
{
    int            used, code;
    char         **word = argv + 1;
    ctl_t          ctl;

    memset(&ctl, 0, sizeof(ctl_t));

    if (argc > 2 && strcmp(word[0], "-c") == 0) {
        ctl.path = word[1];
        word += 2;
    }

    if (main_wants_help(word)) {
        return main_help(word);
    }

    ctl.command = main_command(word, &used);

    if (ctl.command == NULL || main_options(&ctl, word + used) != 0) {
        return main_usage(ctl.command);
    }

    if (ctl.command->steps != NULL && ctl.path == NULL) {
        return main_usage(ctl.command);
    }

    ctl.arena = podi_arena_create();
    if (ctl.arena == NULL) {
        return CTL_UNAVAILABLE;
    }

    ctl.mem = podi_arena_mem(ctl.arena);

    code = (ctl.command->run != NULL) ? ctl.command->run(&ctl)
                                      : ctl_run(&ctl);

    podi_arena_free(&ctl.arena);

    return main_end(code);
}


static const ctl_command_t *
main_command(char **word, int *ret_used)
{
    int                   n;
    const ctl_command_t  *c;

    for (c = ctl_commands; word[0] != NULL && c->noun != NULL; c++) {
        if (strcmp(word[0], c->noun) != 0) {
            continue;
        }

        n = (c->verb == NULL) ? 0 : main_verb(word + 1, c->verb);

        if (n != -1) {
            *ret_used = 1 + n;
            return c;
        }
    }

    return NULL;
}


/* how many words make the verb, which may have two; -1: they do not */

static int
main_verb(char **word, const char *verb)
{
    int      n;
    size_t   len;

    for (n = 0; verb[0] != '\0'; n++) {
        len = strcspn(verb, " ");

        if (word[n] == NULL || strlen(word[n]) != len
            || strncmp(word[n], verb, len) != 0)
        {
            return -1;
        }

        verb += len + (verb[len] == ' ');
    }

    return n;
}


/* 0, or -1 when something is unknown or missing */

static int
main_options(ctl_t *ctl, char **word)
{
    int                  i, used;
    const ctl_option_t  *o;

    for ( /* void */ ; *word != NULL; word++) {

        if (strncmp(*word, "--", 2) != 0) {
            if (main_positional(ctl, *word) != 0) {
                return -1;
            }

            continue;
        }

        used = main_option(ctl, *word + 2, word[1]);

        if (used == -1) {
            return -1;
        }

        word += used - 1;
    }

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &ctl->command->options[i];

        if (o->name == NULL || ctl->values[i] != NULL) {
            continue;
        }

        if (o->value == NULL) {
            (void) fprintf(stderr, "podictl: --%s is missing\n", o->name);
            return -1;
        }

        ctl->values[i] = o->value;
    }

    return 0;
}


/* how many words it takes, or -1 */

static int
main_option(ctl_t *ctl, const char *name, const char *value)
{
    int                  i;
    const ctl_option_t  *o;

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &ctl->command->options[i];

        if (o->name != NULL
            && (strcmp(name, o->name) == 0
                || (o->alias != NULL && strcmp(name, o->alias) == 0)))
        {
            if (o->value == ctl_words) {
                return (value != NULL && main_word(ctl, value) == 0) ? 2 : -1;
            }

            ctl->values[i] = (o->value == ctl_flag) ? "yes" : value;

            return (o->value == ctl_flag) ? 1 : (value != NULL) ? 2 : -1;
        }
    }

    (void) fprintf(stderr, "podictl: there is no --%s here\n", name);

    return -1;
}


/* the first one that must be given and was not */

static int
main_positional(ctl_t *ctl, const char *value)
{
    int                  i;
    const ctl_option_t  *o;

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &ctl->command->options[i];

        if (o->name != NULL && o->value == NULL && ctl->values[i] == NULL) {
            ctl->values[i] = value;
            return 0;
        }

        if (o->value == ctl_words) {
            return main_word(ctl, value);
        }
    }

    (void) fprintf(stderr, "podictl: \"%s\" is too much\n", value);

    return -1;
}


static int
main_word(ctl_t *ctl, const char *value)
{
    if (ctl->n_more == CTL_MORE_MAX) {
        (void) fprintf(stderr, "podictl: more than %d of them\n",
                       CTL_MORE_MAX);
        return -1;
    }

    ctl->more[ctl->n_more++] = value;

    return 0;
}


static int
main_wants_help(char **word)
{
    if (word[0] != NULL && strcmp(word[0], "help") == 0) {
        return 1;
    }

    for ( /* void */ ; *word != NULL; word++) {
        if (strcmp(*word, "--help") == 0 || strcmp(*word, "-h") == 0) {
            return 1;
        }
    }

    return 0;
}


/* of the words that are a noun and a verb; of everything when none is */

static int
main_help(char **word)
{
    int                   found;
    const char           *noun, *verb;
    const ctl_command_t  *c;

    word += (strcmp(word[0], "help") == 0);

    noun = (word[0] != NULL && word[0][0] != '-') ? word[0] : NULL;
    verb = (noun != NULL && word[1] != NULL && word[1][0] != '-') ? word[1]
                                                                  : NULL;
    found = 0;

    for (c = ctl_commands; c->noun != NULL; c++) {
        if ((noun == NULL || strcmp(noun, c->noun) == 0)
            && (verb == NULL || c->verb == NULL
                || main_begins(c->verb, verb)))
        {
            if (!found++) {
                (void) printf("usage: podictl -c FILE COMMAND\n");
            }

            main_describe(stdout, c);
        }
    }

    return found ? CTL_OK : main_usage(NULL);
}


/* whether a verb is this word, or begins with it */

static int
main_begins(const char *verb, const char *word)
{
    size_t  len = strlen(word);

    return strncmp(verb, word, len) == 0
           && (verb[len] == '\0' || verb[len] == ' ');
}


/* a report that is not on the disk is none; a reader may go when it likes */

static int
main_end(int code)
{
    errno = 0;

    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE) {
        return code;
    }

    (void) fprintf(stderr, "podictl: not all of the output was written\n");

    return (code == CTL_OK) ? CTL_UNAVAILABLE : code;
}


static int
main_usage(const ctl_command_t *command)
{
    const ctl_command_t  *c;

    (void) fprintf(stderr, "usage: podictl -c FILE COMMAND\n");

    for (c = ctl_commands; c->noun != NULL; c++) {
        if (command == NULL || c == command) {
            main_describe(stderr, c);
        }
    }

    return CTL_USAGE;
}


static void
main_describe(FILE *out, const ctl_command_t *command)
{
    int                  i;
    const ctl_option_t  *o;

    (void) fprintf(out, "  %s%s%s: %s\n", command->noun,
                   command->verb != NULL ? " " : "",
                   command->verb != NULL ? command->verb : "",
                   ctl_help(command->noun, command->verb));

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &command->options[i];

        if (o->name != NULL) {
            (void) fprintf(out, "      --%-12s %s%s\n", o->name, o->what,
                           o->value != NULL ? " (optional)" : "");
        }
    }
}
