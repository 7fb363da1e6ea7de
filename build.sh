#!/usr/bin/env bash
#
# The one front door of PODI: ./build.sh VERB
#
#     packages -> build -> private PostgreSQL, Redis, nginx, daemons -> verb
#
# Each part of the private stack is a file in conf/stack.  Nothing outside the
# checkout is touched except installed packages; only processes that this
# script started are ever stopped.  Progress goes to stderr, results to stdout.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

for part in common packages compile state keys postgres redis workers nginx \
    stack tests asan demo sandbox
do
    # shellcheck source=/dev/null
    . "$ROOT/conf/stack/$part.sh"
done


usage() {
    cat <<'TEXT'
usage: ./build.sh VERB

  demo               install, build, start everything, run the main job
  up | down          start | stop the private stack
  status             each part with its pid and state
  env                the variables of the stack: eval "$(./build.sh env)"
  test [PATH...]     everything (or these tests), on a fresh machine too
  lint               direction, size and documentation checks
  asan [PATH...]     the tests with AddressSanitizer and UBSan
  bench [NAME [SHAPE...]]    side-by-side measurements, tab-separated
  vectors FILE...    a data file of test vectors, as TAP
  chaos [--seed S] [--minutes N]    kills and cuts under load, then a checker
  fuzz [--minutes N] [NAME...]      the parsers' harnesses, 10 minutes each
  conformance comfyui URL [--header 'Name: value' | @FILE] [--alone]
                     does that server keep its promises? as TAP
  drill | conformance ...           not yet

Environment: PODI_HTTPS_PORT (8443), PODI_HTTP_PORT (8080), PODI_VAR (var),
PODI_BUILD (var/build); PODI_SANDBOX=1: `up` makes a sandbox for front ends.
TEXT
}


main() {
    local verb=${1:-}

    [ $# -gt 0 ] && shift

    case $verb in
        demo | up | down | status | env) "verb_$verb" ;;
        test | lint | asan | bench | vectors | chaos | fuzz | conformance)
            "verb_$verb" "$@" ;;
        drill) echo "not yet"; exit 3 ;;
        help | -h | --help) usage ;;
        *) usage >&2; exit 2 ;;
    esac
}


main "$@"
