# podi_lint: what it takes, and that its findings are in the log of the start.

use Test::Nginx::Socket 'no_plan';

no_shuffle();
run_tests();

__DATA__

=== TEST 1: a finding is said when nginx starts, and nginx starts
--- config
    location /t { podi_dry_run on; return 200 "ok\n"; }
--- request
GET /t
--- response_body
ok
--- error_log
podi lint: dry_run: the gateway decides and lets everybody pass


=== TEST 2: it can be excused where it is meant
--- config
    location /t {
        podi_lint except=dry_run;
        podi_dry_run on;
        return 200 "ok\n";
    }
--- request
GET /t
--- response_body
ok
--- no_error_log
podi lint:


=== TEST 3: a rule that there is not
--- config
    podi_lint except=dry_runs;
--- must_die
--- error_log
"podi_lint" has no rule "dry_runs"


=== TEST 4: a word that it does not take
--- config
    podi_lint strict;
--- must_die
--- error_log
"podi_lint" directive takes on, off or except=RULE,RULE


=== TEST 5: two of them on one level
--- config
    podi_lint except=dry_run;
    podi_lint except=token_in_log;
--- must_die
--- error_log
"podi_lint" directive is duplicate
