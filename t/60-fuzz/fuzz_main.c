/*
 * fuzz_main: seeds as they are, then mutations of them, and TAP.
 *
 *     <harness> [20000 | 600s [seed]]
 *
 *     child    seed or kept input -> mutate -> exact copy -> harness -> again
 *       | shared memory: the input
 *     parent   the child died, or is stuck: says why, and shows the input
 *
 * So many inputs, or so many seconds; seed 0, or none, is a new one, printed.
 * The same build, number and seed give the same inputs.  PODI_FUZZ_LAST names
 * a file for an input that was bad, and `<harness> file` runs it again.
 */

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_engine.h"
#include "podi_id.h"
#include "banned.h"


#define FUZZ_RUNS   50000
#define FUZZ_STUCK  30                  /* seconds for one input */


typedef struct {
    volatile long  runs;
    volatile int   over;                /* but for LSan, which takes its time */
    size_t         size;
    uint8_t        data[FUZZ_SIZE_MAX];
} fuzz_input_t;


const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

static int fuzz_file(const char *name);
static void fuzz_child(long runs, long seconds);
static void fuzz_one(void);
static int fuzz_parent(pid_t child, const sigset_t *set);
static int fuzz_bad(const char *what, int n);
static void fuzz_show(void);
static time_t fuzz_now(void);


static fuzz_input_t  *fuzz_input;


/* what was found ends the run; options of the environment come after these */

const char *
__asan_default_options(void)
{
    return "abort_on_error=1:disable_coredump=1:detect_leaks=1";
}


const char *
__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}


int
main(int argc, char **argv)
{
    char      *end = NULL;
    long       runs = FUZZ_RUNS, seconds = 0;
    pid_t      child;
    sigset_t   set;
    uint64_t   seed = 0;

    fuzz_input = mmap(NULL, sizeof(fuzz_input_t), PROT_READ|PROT_WRITE,
                      MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    if (fuzz_input == MAP_FAILED) {
        return 2;
    }

    if (argc > 1) {
        runs = strtol(argv[1], &end, 10);

        if (*end == 's') {
            seconds = runs;
            runs = 0;

        } else if (*end != '\0') {
            return fuzz_file(argv[1]);
        }
    }

    if (argc > 2) {
        seed = strtoull(argv[2], NULL, 10);
    }

    if (seed == 0 && podi_random(&seed, sizeof(seed)) != PODI_OK) {
        return 2;
    }

    printf("1..1\n# seed %llu\n", (unsigned long long) seed);
    fflush(stdout);
    fuzz_random_seed(seed);

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);

    child = fork();

    if (child == 0) {
        fuzz_child(runs, seconds);
    }

    return (child == -1) ? 2 : fuzz_parent(child, &set);
}


static int
fuzz_file(const char *name)
{
    FILE  *f;

    f = fopen(name, "rb");
    if (f == NULL) {
        perror(name);
        return 2;
    }

    fuzz_input->size = fread(fuzz_input->data, 1, FUZZ_SIZE_MAX, f);
    (void) fclose(f);

    fuzz_one();
    printf("1..1\nok 1 - %s\n", name);

    return 0;
}


static void
fuzz_child(long runs, long seconds)
{
    long    i;
    size_t  len;
    time_t  start = fuzz_now();

    for (i = 0; fuzz_seeds[i] != NULL; i++) {
        len = strlen(fuzz_seeds[i]);
        fuzz_input->size = len < FUZZ_SIZE_MAX ? len : FUZZ_SIZE_MAX;
        memcpy(fuzz_input->data, fuzz_seeds[i], fuzz_input->size);
        fuzz_one();
    }

    for (i = 0; seconds ? (i % 64 || fuzz_now() - start < seconds) : i < runs;
         i++)
    {
        fuzz_input->size = fuzz_pick(fuzz_input->data);

        do {
            fuzz_input->size = fuzz_mutate(fuzz_input->data,
                                           fuzz_input->size);
        } while (fuzz_below(3));

        fuzz_one();
    }

    printf("ok 1 - %ld inputs\n# %ld seconds, %zu places, %zu inputs kept\n",
           fuzz_input->runs, (long) (fuzz_now() - start),
           fuzz_cover_places(), fuzz_cover_kept());

    fuzz_input->over = 1;
    exit(0);
}


/* on the heap and of the exact size, where the sanitizer sees its end */

static void
fuzz_one(void)
{
    uint8_t  *exact;

    exact = malloc(fuzz_input->size);
    if (exact == NULL) {
        abort();
    }

    memcpy(exact, fuzz_input->data, fuzz_input->size);

    fuzz_cover_begin();
    (void) LLVMFuzzerTestOneInput(exact, fuzz_input->size);
    fuzz_mem_reset();
    fuzz_cover_end(exact, fuzz_input->size);

    free(exact);

    fuzz_input->runs++;
}


static int
fuzz_parent(pid_t child, const sigset_t *set)
{
    int              status;
    long             runs;
    struct timespec  stuck = { FUZZ_STUCK, 0 };

    for ( ;; ) {

        if (waitpid(child, &status, WNOHANG) == child) {
            break;
        }

        runs = fuzz_input->runs;

        if (sigtimedwait(set, NULL, &stuck) == -1 && errno == EAGAIN
            && fuzz_input->runs == runs && !fuzz_input->over)
        {
            kill(child, SIGKILL);
            (void) waitpid(child, &status, 0);
            return fuzz_bad("is stuck after", FUZZ_STUCK);
        }
    }

    if (WIFSIGNALED(status)) {
        return fuzz_bad("died of signal", WTERMSIG(status));
    }

    if (WEXITSTATUS(status) != 0) {
        return fuzz_bad("ended with", WEXITSTATUS(status));
    }

    return 0;
}


static int
fuzz_bad(const char *what, int n)
{
    FILE        *f;
    const char  *last;

    printf("not ok 1 - input %ld %s %d\n", fuzz_input->runs + 1, what, n);
    fuzz_show();

    last = getenv("PODI_FUZZ_LAST");
    f = last ? fopen(last, "wb") : NULL;

    if (f != NULL) {
        (void) !fwrite(fuzz_input->data, 1, fuzz_input->size, f);
        (void) fclose(f);
    }

    return 1;
}


/* as it could stand among the seeds */

static void
fuzz_show(void)
{
    size_t         i;
    unsigned char  c;

    printf("# \"");

    for (i = 0; i < fuzz_input->size; i++) {

        c = fuzz_input->data[i];

        if (c == '"' || c == '\\') {
            printf("\\%c", c);

        } else if (isprint(c)) {
            putchar(c);

        } else {
            printf("\\%03o", c);
        }
    }

    printf("\"\n");
}


static time_t
fuzz_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec;
}


void
fuzz_failed(const char *file, int line, const char *cond)
{
    fprintf(stderr, "# %s:%d: not so: %s\n", file, line, cond);
    abort();
}


podi_str_t
fuzz_str(const uint8_t *data, size_t size)
{
    podi_str_t  s;

    s.data = (unsigned char *) (uintptr_t) data;
    s.len = size;

    return s;
}


/* FNV-1a */

uint64_t
fuzz_hash(const uint8_t *data, size_t size)
{
    size_t    i;
    uint64_t  h = UINT64_C(0xcbf29ce484222325);

    for (i = 0; i < size; i++) {
        h = (h ^ data[i]) * UINT64_C(0x100000001b3);
    }

    return h;
}
