# GET /v1/wallet/entries: filters, pages, the balance after each row.  The
# ledger is written by the real functions; its times are bent afterwards.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;
use Podi::Work;

our $Http = Podi::Suite::http();
our $Config = <<'CONF';
    podi_tenant demo;
    podi_trace on;
    location /v1/wallet { podi_auth on; podi_wallet; }
CONF

my $s = Podi::Suite::stack();
my $w = Podi::Work->new($s->db);
my $ann = Podi::Suite::member('annie');
my $bob = Podi::Suite::member('bobby', points => 3);

# 1 grant 10; 2 freeze 3; 3 confirm 2; 4 release 1; 5 grant 5
$s->grant($ann, 10, reason => 'welcome "gift"');
my $task = $w->submit($ann, inputs => [ $w->media($ann) ],
                      actions => [qw( resize convert )]);
my $jobs = $w->claim_task($task);
$w->settle($jobs->[0], 'succeeded', results => [ $w->result ]);
$w->settle($jobs->[1], 'failed');
$s->grant($ann, 5);
$s->sql($_) for 'set session_replication_role = replica',
    "update podi.ledger l set at = timestamptz '2025-12-31T12:00:00Z'"
    . " + l.seq * interval '1 day' from podi.wallet w"
    . " where w.wallet_id = l.wallet_id and w.user_id = '$ann->{user}'",
    'set session_replication_role = origin';

our ($Ann, $Bob, $Task) = ($ann->{token}, $bob->{token}, $task->{task_id});
our $Row = sub {
    my (@seqs) = @_;
    my $inner = join '\},\{', map { qq("seq":$_,[^{}]*) } @seqs;

    return @seqs ? qr/^\{"items":\[\{$inner\}\],"next":null\}$/
                 : qr/^\{"items":\[\],"next":null\}$/;
};

# a whole page: of each entry its seq, type, amount, changes and balances
our $Page = sub {
    my $inner = join '\},\{', map { sprintf '"seq":%d,"type":"%s",'
        . '"amount":%d,"available_change":%d,"frozen_change":%d,'
        . '"available_after":%d,"frozen_after":%d,[^{}]*', @$_ } @_;

    return qr/^\{"items":\[\{$inner\}\],"next":null\}$/;
};

add_block_preprocessor(sub {
    my ($block) = @_;
    my ($query) = $block->name =~ /\((.*)\)$/;

    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
    $block->set_value(request => "GET /v1/wallet/entries$query")
        if defined $query;
    $block->set_value(more_headers => "Authorization: Bearer $::Ann")
        if !defined $block->more_headers;
});

run_tests();

__DATA__

=== TEST 1: newest first, each with the balance after it ()
--- response_body_like eval
$::Page->([ 5, 'grant', 5, 5, 0, 13, 0 ],
          [ 4, 'release', 1, 1, -1, 8, 0 ],
          [ 3, 'confirm', 2, 0, -2, 7, 1 ],
          [ 2, 'freeze', 3, -3, 3, 7, 3 ],
          [ 1, 'grant', 10, 10, 0, 10, 0 ])


=== TEST 2: a reason is text, a time is UTC (?type=grant&limit=1&after=2)
--- response_body_like: "task_id":null,"job_id":null,"reason":"welcome \\"gift\\"","at":"2026-01-01T12:00:00\.000000Z"


=== TEST 3: by type (?type=grant)
--- response_body_like eval: $::Row->(5, 1)


=== TEST 4: by a type that did not happen (?type=lapse)
--- response_body_like eval: $::Row->()


=== TEST 5: by task
--- request eval: "GET /v1/wallet/entries?task_id=$::Task"
--- response_body_like eval: $::Row->(4, 3, 2)


=== TEST 6: by task, in upper case
--- request eval: "GET /v1/wallet/entries?task_id=\U$::Task"
--- response_body_like eval: $::Row->(4, 3, 2)


=== TEST 7: from a time, which counts (?from=2026-01-03T12:00:00Z)
--- response_body_like eval: $::Row->(5, 4, 3)


=== TEST 8: to a time, which does not (?to=2026-01-03T12:00:00Z)
--- response_body_like eval: $::Row->(2, 1)


=== TEST 9: all at once (?from=2026-01-02T00:00:00Z&to=2026-01-04T00:00:00Z&type=confirm)
--- response_body_like eval: $::Row->(3)


=== TEST 10: the first page says where the next begins (?limit=2)
--- response_body_like: ^\{"items":\[\{"seq":5,[^{}]*\},\{"seq":4,[^{}]*\}\],"next":"4"\}$


=== TEST 11: the next page (?limit=2&after=4)
--- response_body_like: ^\{"items":\[\{"seq":3,[^{}]*\},\{"seq":2,[^{}]*\}\],"next":"2"\}$


=== TEST 12: the last page (?limit=2&after=2)
--- response_body_like eval: $::Row->(1)


=== TEST 13: a page that ends with the ledger says so (?limit=5)
--- response_body_like eval: $::Row->(5, 4, 3, 2, 1)


=== TEST 14: beyond the end (?after=1)
--- response_body_like eval: $::Row->()


=== TEST 15: everybody sees his own ()
--- more_headers eval: "Authorization: Bearer $::Bob"
--- response_body_like eval: $::Row->(1)


=== TEST 16: another's task is no task of his
--- request eval: "GET /v1/wallet/entries?task_id=$::Task"
--- more_headers eval: "Authorization: Bearer $::Bob"
--- response_body_like eval: $::Row->()


=== TEST 17: percent-encoded (?type=%67rant)
--- response_body_like eval: $::Row->(5, 1)


=== TEST 18: no such type (?type=gift)
--- error_code: 422
--- response_body_like: "code":"bad_field".*"field":"type"


=== TEST 19: limit 0 (?limit=0)
--- error_code: 422
--- response_body_like: "field":"limit"


=== TEST 20: limit 201 (?limit=201)
--- error_code: 422
--- response_body_like: "field":"limit"


=== TEST 21: no number (?after=x)
--- error_code: 422
--- response_body_like: "field":"after"


=== TEST 22: a number beyond 64 bits (?after=99999999999999999999)
--- error_code: 422
--- response_body_like: "field":"after"


=== TEST 23: no time (?from=yesterday)
--- error_code: 422
--- response_body_like: "field":"from"


=== TEST 24: no such day (?to=2026-02-30T00:00:00Z)
--- error_code: 422
--- response_body_like: "field":"to"


=== TEST 25: no id (?task_id=1)
--- error_code: 422
--- response_body_like: "field":"task_id"


=== TEST 26: a name that is not known (?sort=amount)
--- error_code: 422
--- response_body_like: "field":"sort"


=== TEST 27: twice (?limit=1&limit=2)
--- error_code: 422
--- response_body_like: "field":"limit"


=== TEST 28: badly encoded (?type=%zz)
--- error_code: 422
--- response_body_like: "field":"type"
