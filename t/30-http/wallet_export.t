# GET /v1/wallet/export: the ledger as CSV and as JSON lines.

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
my $eve = Podi::Suite::member('every');

# 1 grant 10; 2 freeze 2; 3 confirm 2; 4 grant 5
$s->grant($ann, 10, reason => '=HYPERLINK("http://x","a, b")');
my $task = $w->submit($ann, inputs => [ $w->media($ann) ],
                      actions => [qw( resize )]);
my $jobs = $w->claim_task($task);
$w->settle($jobs->[0], 'succeeded', results => [ $w->result ]);
$s->grant($ann, 5, reason => "\x{5e74}\x{7ec8}");
$s->sql($_) for 'set session_replication_role = replica',
    "update podi.ledger l set at = timestamptz '2025-12-31T12:00:00Z'"
    . " + l.seq * interval '1 day' from podi.wallet w"
    . " where w.wallet_id = l.wallet_id and w.user_id = '$ann->{user}'",
    'set session_replication_role = origin';

# a ledger of so many rows, written by hand
sub rows
{
    my ($who, $n) = @_;

    $s->grant($who, 1);
    $s->sql('set session_replication_role = replica');
    $s->sql('insert into podi.ledger (tenant_id, wallet_id, seq, op, debit,'
            . ' credit, amount, available_after, held_after, idem, reason,'
            . ' key_id, hash) select l.tenant_id, l.wallet_id, n, l.op,'
            . " l.debit, l.credit, 1, n, 0, 'n' || n, 'row ' || n,"
            . ' l.key_id, l.hash'
            . ' from podi.ledger l, podi.wallet w, generate_series(2, ?) n'
            . ' where w.wallet_id = l.wallet_id and w.user_id = ?'
            . ' and l.seq = 1', $n, $who->{user});
    $s->sql('set session_replication_role = origin');
    return $who->{token};
}

our $Cay = rows(Podi::Suite::member('cayce'), 1001);
our $Dot = rows(Podi::Suite::member('dotty'), 500);
our ($Ann, $Bob, $Eve) = map { $_->{token} } $ann, $bob, $eve;
our ($Task, $Job) = ($task->{task_id}, $jobs->[0]{job_id});

add_block_preprocessor(sub {
    my ($block) = @_;
    my ($query) = $block->name =~ /\((.*)\)$/;

    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config) if !defined $block->config;
    $block->set_value(request => "GET /v1/wallet/export$query")
        if defined $query && !defined $block->request;
    $block->set_value(more_headers => "Authorization: Bearer $::Ann")
        if !defined $block->more_headers;
});

run_tests();

__DATA__

=== TEST 1: CSV, oldest first; text that would be a formula is none ()
--- response_headers_like
Content-Type: text/csv; charset=utf-8; header=present
Content-Disposition: attachment; filename="points-\d{8}\.csv"
Cache-Control: no-store
Transfer-Encoding: chunked
--- response_body eval
"\xef\xbb\xbfNo.,Time (UTC),Type,Points,Available change,Frozen change,"
. "Available after,Frozen after,Task,Job,Reason\r\n"
. "1,2026-01-01T12:00:00.000000Z,grant,10,10,0,10,0,,,"
. "\"'=HYPERLINK(\"\"http://x\"\",\"\"a, b\"\")\"\r\n"
. "2,2026-01-02T12:00:00.000000Z,freeze,2,-2,2,8,2,$::Task,,\r\n"
. "3,2026-01-03T12:00:00.000000Z,confirm,2,0,-2,8,0,$::Task,$::Job,\r\n"
. "4,2026-01-04T12:00:00.000000Z,grant,5,5,0,13,0,,,"
. "年终\r\n"


=== TEST 2: Chinese titles (?format=csv&lang=zh&to=2026-01-01T00:00:00Z)
--- response_body eval
"\xef\xbb\xbf" . "序号,时间 (UTC),类型,点数,可用变动,冻结变动,可用余额,冻结余额,任务,子任务,原因\r\n"


=== TEST 3: titles in the language of the browser (?to=2026-01-01T00:00:00Z)
--- more_headers eval
"Authorization: Bearer $::Ann
Accept-Language: zh-CN,zh;q=0.9"
--- response_body_like: ^\xef\xbb\xbf序号,


=== TEST 4: a wish is more than the browser's language (?lang=en&to=2026-01-01T00:00:00Z)
--- more_headers eval
"Authorization: Bearer $::Ann
Accept-Language: zh-CN"
--- response_body_like: ^\xef\xbb\xbfNo\.,


=== TEST 5: JSON lines (?format=jsonl)
--- response_headers_like
Content-Type: application/x-ndjson
Content-Disposition: attachment; filename="points-\d{8}\.jsonl"
--- response_body_like eval
qr/\A\{"seq":1,"type":"grant","amount":10,"available_change":10,"frozen_change":0,"available_after":10,"frozen_after":0,"task_id":null,"job_id":null,"reason":"=HYPERLINK\(\\"http:\/\/x\\",\\"a, b\\"\)","at":"2026-01-01T12:00:00\.000000Z"\}\n\{"seq":2,[^{}]*\}\n\{"seq":3,[^{}]*\}\n\{"seq":4,[^{}]*\}\n\z/


=== TEST 6: from a time, which counts, to one, which does not (?format=jsonl&from=2026-01-02T12:00:00Z&to=2026-01-04T12:00:00Z)
--- response_body_like: \A\{"seq":2,[^{}]*\}\n\{"seq":3,[^{}]*\}\n\z


=== TEST 7: everybody sees his own (?format=jsonl)
--- more_headers eval: "Authorization: Bearer $::Bob"
--- response_body_like: \A\{"seq":1,[^{}]*\}\n\z


=== TEST 8: nothing is a file, too (?format=jsonl)
--- more_headers eval: "Authorization: Bearer $::Eve"
--- response_body eval: ''


=== TEST 9: pages fit together (?format=jsonl)
--- more_headers eval: "Authorization: Bearer $::Cay"
--- response_body_filters eval: sub { join ' ', map { /"seq":(\d+),/ } split /\n/, $_[0] }
--- response_body eval: "@{[ 1 .. 1001 ]}"


=== TEST 10: a last page that is full (?format=jsonl)
--- more_headers eval: "Authorization: Bearer $::Dot"
--- response_body_filters eval: sub { join ' ', map { /"seq":(\d+),/ } split /\n/, $_[0] }
--- response_body eval: "@{[ 1 .. 500 ]}"


=== TEST 11: at the pace of the client
--- config
    podi_tenant demo;
    podi_trace on;
    location /v1/wallet { podi_auth on; podi_wallet; limit_rate 100k; }
--- request
GET /v1/wallet/export
--- more_headers eval: "Authorization: Bearer $::Cay"
--- response_body_like: \n1000,[^\n]*\n1001,[^\n]*,row 1001\r\n\z
--- timeout: 20


=== TEST 12: compressed
--- config
    podi_tenant demo;
    podi_trace on;
    gzip on;
    gzip_types text/csv;
    location /v1/wallet { podi_auth on; podi_wallet; }
--- request
GET /v1/wallet/export
--- more_headers eval
"Authorization: Bearer $::Cay
Accept-Encoding: gzip"
--- response_headers
Content-Encoding: gzip
--- response_body_filters eval: sub { require IO::Uncompress::Gunzip; IO::Uncompress::Gunzip::gunzip(\$_[0] => \my $text); $text =~ tr/\n// }
--- response_body: 1002


=== TEST 13: headers only
--- request
HEAD /v1/wallet/export
--- response_headers_like
Content-Disposition: attachment; filename="points-\d{8}\.csv"
--- response_body eval: ''


=== TEST 14: who does not say who he is, is asked ()
--- more_headers: X-Nothing: here
--- error_code: 401
--- response_body_like: "code":"unauthenticated"


=== TEST 15: no such format (?format=pdf)
--- error_code: 422
--- response_headers
! Content-Disposition
--- response_body_like: "code":"bad_field".*"field":"format"


=== TEST 16: no such language (?lang=fr)
--- error_code: 422
--- response_body_like: "field":"lang"


=== TEST 17: no time (?from=yesterday)
--- error_code: 422
--- response_body_like: "field":"from"


=== TEST 18: no such day (?to=2026-02-30T00:00:00Z)
--- error_code: 422
--- response_body_like: "field":"to"


=== TEST 19: a name that is not known (?limit=3)
--- error_code: 422
--- response_body_like: "field":"limit"


=== TEST 20: twice (?format=csv&format=csv)
--- error_code: 422
--- response_body_like: "field":"format"


=== TEST 21: it is read, not written
--- request
POST /v1/wallet/export
--- error_code: 405
--- response_headers
Allow: GET, HEAD


=== TEST 22: there is nothing to say in a body
--- request
GET /v1/wallet/export
what for
--- error_code: 400
--- response_body_like: "code":"bad_request"


=== TEST 23: nor in one that cannot be read
--- raw_request eval
"GET /v1/wallet/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer $::Ann\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
--- error_code: 400
--- error_log: client sent invalid chunked body
