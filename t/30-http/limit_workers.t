# Limits of two workers: one count, over reloads and worker deaths; places come
# back however a request ends, once; a zone that is full forgets, and says so.

use strict;
use warnings;
use Test::More;
use Podi::Plain;
use Podi::Proc qw( poll );

# an upstream that takes requests and never answers
my $silent = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1')
    or die "listen: $!";
my $upstream = $silent->sockport;

my $zones = <<'EOS';
    podi_limit_zone twenty 1m key=$arg_k rate=1r/h burst=20;
    podi_limit_zone hour   1m key=$arg_k rate=1r/h burst=2;
    podi_limit_zone small 32k key=$arg_k rate=1r/h burst=2;
    podi_limit_zone seats  1m key=$arg_k conn=3;
    podi_limit_zone other  1m key=$arg_k conn=3;
EOS
my $server = <<"EOS";
    location /twenty { podi_limit twenty; empty_gif; }
    location /hour { podi_limit hour; empty_gif; }
    location /small { podi_limit small; empty_gif; }
    location /seats { podi_limit seats other; proxy_pass http://127.0.0.1:$upstream;
                      proxy_set_header X-Pid \$pid; proxy_read_timeout 600s; }
    location /free { podi_limit seats; empty_gif; }
    location /file { podi_limit seats; error_page 404 = /free; root /nonexistent; }
EOS
my $n = Podi::Plain->new(http => $zones, server => $server);
my @taken;


# requests that the upstream holds, and the worker of each; one by one, since
# two workers may call the upstream in another order than they were called
sub take
{
    my ($key, $how_many) = @_;

    local $SIG{ALRM} = sub { die "no place for $key\n" };
    alarm 20;

    for (1 .. $how_many) {
        my $client = $n->hold("/seats?k=$key");
        my $sock = $silent->accept or die "accept: $!";
        my $head = '';
        $head .= <$sock> until $head =~ /\r\n\r\n/;
        push @taken, { client => $client, upstream => $sock,
                       pid => $head =~ /^X-Pid: (\d+)/m };
    }
    alarm 0;
    return @taken[-$how_many .. -1];
}

# places are counted off a moment after the answer, or the death; who is refused
# reads r=0 too, and is not free
sub free
{
    my ($key, $left) = @_;

    return poll(10, sub {
        my $res = $n->get("/free?k=$key");
        return $res->{status} == 200
               && $res->{head} =~ /^RateLimit: "seats";r=$left\r/m;
    });
}

sub statuses { join ' ', map { $_->{status} } @_ }


# --- one count --------------------------------------------------------------

my %pids;
my @all = map { $n->get('/twenty?k=one') } 1 .. 30;
$pids{ $_->{pid} }++ for @all;

is scalar(grep { $_->{status} == 200 } @all), 20, 'two workers share a burst';
is scalar(grep { $_->{status} == 429 } @all), 10, 'and refuse the rest';
poll(10, sub { $pids{ $n->get('/hour?k=x')->{pid} }++; keys %pids == 2 });
is scalar(keys %pids), 2, 'both were asked';

# --- a reload ---------------------------------------------------------------

is statuses(map { $n->get('/hour?k=r') } 1 .. 3), '200 200 429', 'used up';
ok $n->reload, 'a reload';
is $n->get('/hour?k=r')->{status}, 429, 'forgets nobody';
ok $n->reload(http => $zones =~ s/hour   1m (.*)burst=2/hour   1m $1burst=4/r),
    'a reload with another burst';
is statuses(map { $n->get('/hour?k=r') } 1 .. 3), '200 200 429',
    'gives what is more';
ok $n->reload(http => $zones =~ s/hour   1m/hour   2m/r), 'another size';
is statuses(map { $n->get('/hour?k=r') } 1 .. 3), '200 200 429',
    'is another memory';
ok $n->reload(http => $zones =~ s/hour   1m (.*)rate.*/hour 2m $1quota=1\/day;/r),
    'another kind';
is statuses(map { $n->get('/hour?k=r') } 1 .. 2), '200 429', 'as well';
ok $n->reload(http => $zones), 'and back';

# --- places -----------------------------------------------------------------

my @in = take('a', 3);
is $n->get('/seats?k=a')->{status}, 429, 'no fourth place';
like $n->get('/free?k=a')->{head}, qr/^Retry-After: 1\r/m, 'in any location';
is $n->get('/free?k=b')->{status}, 200, 'others have theirs';

close $in[0]{client};
ok poll(10, sub { $n->get('/free?k=a')->{status} == 200 }),
    'a client that goes away gives his back';
close $in[1]{upstream};
is $n->answer($in[1]{client})->{status}, 502, 'an upstream that fails';
is $n->get('/free?k=a')->{status}, 200, 'does';
ok free('a', 1), 'and two are free besides the one that is asking';

take('a', 2);
is $n->get('/seats?k=a')->{status}, 429, 'then there are three again';
close $_->{client} for @taken;
ok free('a', 2), 'all gone';

is statuses(map { free('a', 2); $n->get('/file?k=a') } 1 .. 5),
    '200 200 200 200 200', 'an internal redirect takes no second place';

# a request that another limit refuses takes none
take('c', 3);
is statuses(map { $n->get('/seats?k=c') } 1 .. 5), '429 429 429 429 429',
    'refused, five times';
close $_->{client} for @taken;
ok free('c', 2), 'all gone';
@taken = ();

# --- places over a reload ---------------------------------------------------

take('d', 2);
kill HUP => $n->{pid};
ok poll(20, sub { $n->workers > 2 }), 'old and new workers';
take('d', 1);
is $n->get('/seats?k=d')->{status}, 429, 'count together';
close $_->{client} for @taken;
@taken = ();
ok poll(20, sub { $n->workers == 2 }) && free('d', 2), 'the old ones leave';
is scalar(@{[ take('d', 3) ]}), 3, 'and nothing stays taken';
is $n->get('/seats?k=d')->{status}, 429, 'or free';
close $_->{client} for @taken;
@taken = ();

# --- places of the dead -----------------------------------------------------

my @held = take('e', 3);
my $victim = $held[0]{pid};
my @his = grep { $_->{pid} == $victim } @held;
my @others = grep { $_->{pid} != $victim } @held;

kill KILL => $victim;
ok $n->whole($victim), 'a worker is killed and another one comes';
ok free('e', 2 - @others), 'the dead one leaves';
is scalar(@{[ take('e', scalar @his) ]}), scalar @his,
    'the dead one\'s places are free';
is $n->get('/seats?k=e')->{status}, 429, 'the others\' are not';
close $_->{client} for @taken;
@taken = ();

my @both = $n->workers;
take('f', 3);
kill KILL => @both;
ok $n->whole(@both), 'all workers are killed';
ok free('f', 2), 'and leave';
is scalar(@{[ take('f', 3) ]}), 3, 'all places are free';
is $n->get('/seats?k=f')->{status}, 429, 'and no more than there are';
close $_->{client} for @taken;

# --- a full zone ------------------------------------------------------------

is statuses(map { $n->get('/small?k=hot') } 1 .. 3), '200 200 429',
    'over the limit';
my @status = $n->many(map { "/small?k=$_" } 1 .. 3000);
is scalar(@status), 3000, '3,000 new keys in a zone of some 400';
is scalar(grep { $_ != 200 } @status), 0, 'none is refused for want of memory';
is $n->get('/small?k=hot')->{status}, 429, 'and nobody over his limit forgotten';
is scalar(() = $n->log =~ /the limit "small" is full: keys in use are/g), 1,
    'the log is told, once';

# --- no room to remember who is inside --------------------------------------

# 32k remember the places of six workers; the others' only count.  /both is
# refused by what is closed without Redis, after its place is taken

my $spare = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $even = $spare->sockport;
close $spare;

my $ten = Podi::Plain->new(workers => 10, http => <<'EOS', server => <<"EOT");
    podi_redis 127.0.0.1:1;
    podi_limit_zone tight 32k key=$arg_k conn=9;
    podi_limit_zone closed 1m key=$arg_k rate=1r/s mode=exact on_failure=closed;
EOS
    listen 127.0.0.1:$even reuseport;
    location /in { podi_limit tight; proxy_pass http://127.0.0.1:$upstream; }
    location /both { podi_limit tight closed; empty_gif; }
    location /free { podi_limit tight; empty_gif; }
EOT
{
    local $ten->{port} = $even;
    my $inside = $ten->hold('/in?k=one');
    my %who;

    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 20;
    my $answers = $silent->accept or die "accept: $!";

    for (1 .. 60) {
        my $res = $ten->get('/both?k=one');
        $who{ $res->{pid} }++ if $res->{status} == 503;
    }
    cmp_ok scalar(keys %who), '>', 6, 'more workers than are remembered';
    ok poll(5, sub { $ten->get('/free?k=one')->{head} =~ /"tight";r=7;?\r/ }),
        'what each has refused is given back once';
    alarm 0;
}
$ten->stop;

my $log = $n->log;
$n->stop;
is scalar(() = $log =~ /\[(?:alert|crit|emerg)\](?!.*exited on signal 9)/g), 0,
    'no alert but of those who were killed';

done_testing;
