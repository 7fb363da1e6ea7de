# podi_limit is inherited as limit_req is; early, dry runs, and what a
# configuration must not say.

use Test::Nginx::Socket 'no_plan';

our $Http = <<'EOS';
podi_limit_zone one 1m key=$arg_k rate=1r/h missing=skip;
podi_limit_zone two 1m key=$arg_k rate=1r/h burst=2 missing=skip;
podi_limit_zone name=out 1m key=$arg_k rate=1r/h missing=skip;
podi_limit out;
EOS
our $Server = <<'EOS';
    podi_limit two;
    location /in/ {
        empty_gif;
        location /in/own { podi_limit one; empty_gif; }
        location /in/none { podi_limit off; empty_gif; }
    }
    location /early { podi_limit one early; empty_gif;
                      auth_basic x; auth_basic_user_file /dev/null; }
    location /late { podi_limit one; empty_gif;
                     auth_basic x; auth_basic_user_file /dev/null; }
    location /any { satisfy any; allow all; auth_basic x;
                    podi_limit one; empty_gif; }
    location /dry { podi_limit one dry_run; podi_limit two; empty_gif;
                    add_header Seen "$podi_limit_status $podi_limit" always; }
    location /drier { podi_limit one; podi_dry_run on; empty_gif;
                      add_header Seen $podi_limit_status always; }
    location /dries { podi_limit one dry_run; podi_limit two; try_files /none @wet; }
    location /would { podi_limit one; podi_dry_run on; try_files /none @wet; }
    location @wet { podi_limit one two; empty_gif; }
    location /part { podi_limit one; empty_gif; }
    location /seen { add_header Seen "$podi_limit_status $podi_limit $podi_limit_left $podi_limit_mode" always;
                     empty_gif; }
EOS

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: from the level above
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /in/x?k=t1') x 3 ]
--- error_code eval: [200, 200, 429]


=== TEST 2: one's own instead of it
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /in/own?k=t2') x 2, 'GET /in/x?k=t2' ]
--- error_code eval: [200, 429, 200]


=== TEST 3: or none
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /in/none?k=t3') x 4 ]
--- error_code eval: [200, 200, 200, 200]


=== TEST 4: early comes before access is denied
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /early?k=t4') x 2 ]
--- error_code eval: [401, 429]


=== TEST 5: late after it, and what is denied is not charged
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /late?k=t5') x 2, 'GET /part?k=t5' ]
--- error_code eval: [401, 401, 200]


=== TEST 6: satisfy any skips no limit
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /any?k=t6') x 2 ]
--- error_code eval: [200, 429]


=== TEST 7: a dry one refuses nobody, and does not stop the others
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /dry?k=t7') x 3 ]
--- error_code eval: [200, 200, 429]
--- response_headers eval
["Seen: PASSED two\nRateLimit-Policy: \"two\";q=2;w=7200",
 'Seen: REJECTED_DRY_RUN two', 'Seen: REJECTED two']


=== TEST 8: podi_dry_run lets all pass
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /drier?k=t8') x 2 ]
--- error_code eval: [200, 200]
--- response_headers eval: ['Seen: PASSED', 'Seen: REJECTED']


=== TEST 9: a dry one has judged what it charged, and nothing else
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /dries?k=t9a') x 2, ('GET /would?k=t9b') x 2 ]
--- error_code eval: [200, 429, 200, 429]


=== TEST 10: the log knows what binds
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /seen?k=t10') x 3, 'GET /seen' ]
--- error_code eval: [200, 200, 429, 200]
--- response_headers eval
['Seen: PASSED two 1 local', 'Seen: PASSED two 0 local',
 'Seen: REJECTED two 0 local', 'Seen:    ']


=== TEST 11: a limit that is nowhere
--- config
    podi_limit nowhere;
--- must_die
--- error_log
there is no limit "nowhere": write podi_limit_zone nowhere


=== TEST 12: the same twice
--- http_config eval: $::Http
--- config
    podi_limit one two one;
--- must_die
--- error_log
"podi_limit" has "one" twice


=== TEST 13: words and no limit
--- config
    podi_limit early dry_run;
--- must_die
--- error_log
needs the name of a podi_limit_zone


=== TEST 14: early, before it is known who asks
--- http_config
podi_limit_zone who 1m key=user rate=1r/s;
--- config
    podi_limit who early;
--- must_die
--- error_log
comes before it is known who asks


=== TEST 15: a key that is always the same
--- http_config
podi_limit_zone typo 1m key=usr rate=1r/s;
--- config
--- must_die
--- error_log
"key=usr" is always the same


=== TEST 16: no key
--- http_config
podi_limit_zone nokey 1m rate=1r/s;
--- config
--- must_die
--- error_log
"podi_limit_zone" nokey has no key: write key=ip


=== TEST 17: no rate, and two
--- http_config
podi_limit_zone norate 1m key=ip;
--- config
--- must_die
--- error_log
needs one of rate=, quota= and conn=


=== TEST 18: two of them
--- http_config
podi_limit_zone many 1m key=ip rate=1r/s conn=4;
--- config
--- must_die
--- error_log
needs one of rate=, quota= and conn=


=== TEST 19: a unit that is none
--- http_config
podi_limit_zone unit 1m key=ip rate=10r/w;
--- config
--- must_die
--- error_log
"podi_limit_zone" does not take "rate=10r/w"


=== TEST 20: a zone that is too small
--- http_config
podi_limit_zone small 16k key=ip rate=10r/s;
--- config
--- must_die
--- error_log
a size of 32k or more


=== TEST 21: a name that would break a header field
--- http_config
podi_limit_zone a"b 1m key=ip rate=10r/s;
--- config
--- must_die
--- error_log
needs a name of a-z, 0-9


=== TEST 22: a plan that counts something else
--- http_config
podi_limit_zone plain 1m key=ip rate=10r/s;
podi_limit_plan plain pro quota=5/day;
--- config
--- must_die
--- error_log
counts another thing than its podi_limit_zone


=== TEST 23: the same zone twice
--- http_config
podi_limit_zone twin 1m key=ip rate=10r/s;
podi_limit_zone twin 1m key=ip rate=20r/s;
--- config
--- must_die
--- error_log
"podi_limit_zone" directive is duplicate


=== TEST 24: a cost of places
--- http_config
podi_limit_zone seats 1m key=ip conn=10 cost=$arg_c;
--- config
--- must_die
--- error_log
a request is one place of conn=


=== TEST 25: a name that is a word of podi_limit
--- http_config
podi_limit_zone early 1m key=ip rate=10r/s;
--- config
--- must_die
--- error_log
needs a name of a-z, 0-9
