# Many clients at the gates, some of which die: what they leave behind, and what
# a claim costs however many wait.

use strict;
use warnings;
use lib 't/lib';

use List::Util qw( sum0 );
use Podi::Gates;
use Podi::Proc qw( poll );
use Test::More;

my $dir = Podi::Gates::dir();


# every holder has all of its scopes, no scope has anybody else
my $sound = <<'LUA';
local P, held = KEYS[1], redis.call('HGETALL', KEYS[1] .. 'held')
local want, bad = {}, {}
for i = 1, #held, 2 do
    if not redis.call('ZSCORE', P .. 'lease', held[i]) then
        bad[#bad + 1] = 'no lease ' .. held[i]
    end
    for scope in string.gmatch(held[i + 1], '[^,]+') do
        want[scope] = (want[scope] or 0) + 1
        if redis.call('SISMEMBER', P .. 's:' .. scope, held[i]) == 0 then
            bad[#bad + 1] = scope .. ' lacks ' .. held[i]
        end
    end
end
for i = 1, #ARGV, 2 do
    local n = redis.call('SCARD', P .. 's:' .. ARGV[i])
    if n ~= (want[ARGV[i]] or 0) then bad[#bad + 1] = ARGV[i] .. ' counts' end
    if n > tonumber(ARGV[i + 1]) then bad[#bad + 1] = ARGV[i] .. ' over' end
end
return bad
LUA

subtest 'many clients, some are killed' => sub {
    my %gate = (global => 9, 'key:a' => 2, 'key:b' => 3, 'tenant:x' => 4);
    my @job = map { sprintf 'j%03d', $_ } 1 .. 600;
    my ($n, %client) = (0);

    start(%gate);
    script('push', map {
        $n++;
        hint($_, queue => 'q' . $n % 2, tenant => (qw( x y z ))[$n % 3],
             class => $n % 3, scopes => [ 'global', 'key:' . (qw( a b ))[$n % 2],
                                          'tenant:' . (qw( x y z ))[$n % 3] ])
    } @job);

    for my $i (1 .. 8) {
        my $pid = fork // die "fork: $!";

        $client{$pid} = $i;
        next if $pid;
        client($i, "$dir/client$i");
        require POSIX;
        POSIX::_exit(0);
    }

    my @bad;
    my @victim = (sort { $a <=> $b } keys %client)[0 .. 2];
    my $taken = sub { scalar map { do { open my $in, '<', $_; <$in> } }
                      glob "$dir/client*" };

    poll(60, sub {
        push @bad, @{ say_('EVAL', $sound, 1, $P, %gate) };
        script('sweep');
        kill 'KILL', shift @victim if @victim && $taken->() > 100 * (4 - @victim);
        return !@victim && !say_('EXISTS', "${P}ids:q0", "${P}ids:q1",
                                 "${P}held");
    });
    kill 'TERM', keys %client;
    waitpid $_, 0 for keys %client;

    is_deeply \@bad, [], 'at no time was a slot lost, doubled or one too many';
    my %times;
    for my $file (glob "$dir/client*") {
        open my $in, '<', $file or die $!;
        $times{$_}++ for map { /^(\w+)/ } <$in>;
    }
    is scalar(@victim), 0, 'three were killed in the middle';
    is_deeply [grep { ($times{$_} // 0) > 1 } @job], [],
        'no job was taken twice';
    # what is claimed for one that dies before it can say so is the
    # dispatcher's to push again: at most one call of three clients
    cmp_ok scalar(grep { !$times{$_} } @job), '<=', 9, 'nor was one lost';
    is_deeply [grep { /(?::bay|:s:|held|lease|woken|awake|wakes|:line|:a:)/
                      && !/:bay_at$/ }
               @{ say_('KEYS', "$P*") }], [], 'nothing is left';
};


# claims, writes down, holds for a moment, gives back
sub client
{
    my ($i, $file) = @_;
    my $term = 0;

    Podi::Gates::again() or die $!;
    open my $out, '>', $file or die $!;
    $out->autoflush(1);
    local $SIG{TERM} = sub { $term = 1 };

    for (my $n = 0; !$term; $n++) {
        my @job = split ' ', claim(3, 'q' . ($n + $i) % 2, 800);

        print {$out} "$_\n" for @job;
        say_('BLPOP', @job ? 'nothing' : "${P}wake:q0", @job ? 0.003 : 0.01);
        release(@job) if @job;
    }
}


# commands that one claim and its release take inside Redis
sub price
{
    my $count = sub { sum0 say_('INFO', 'commandstats') =~ /:calls=(\d+)/g };
    my $was = $count->();

    for (1 .. 20) {
        release(split ' ', claim());
    }

    return ($count->() - $was) / 20;
}

subtest 'what a claim costs' => sub {
    my @price;

    for my $waiting (50, 1000, 50_000) {
        start('key:k' => 5);
        for (my $n = 0; $n < $waiting; $n += 1000) {
            my $last = $n + 999 < $waiting ? $n + 999 : $waiting;
            script('push', map { hint("j$_", tenant => $_ % 10, weight => 2,
                                      scopes => ['key:k', 'global']) }
                           $n .. $last);
        }
        push @price, price();
    }
    cmp_ok abs($price[2] - $price[0]), '<', 8,
        "does not depend on how many jobs wait: @price";

    @price = ();
    for my $blocked (10, 3000) {
        start('key:shut' => 1);
        script('push', hint('first', tenant => 'x', scopes => ['key:shut']));
        claim();
        script('push', map { hint("b$_", tenant => "b$_",
                                  scopes => ['key:shut']) } 1 .. $blocked);
        claim() for 1 .. $blocked / 100 + 1;
        script('push', map { hint("j$_", tenant => 'free',
                                  scopes => ['global']) } 1 .. 100);
        claim();
        push @price, price();
    }
    cmp_ok abs($price[1] - $price[0]), '<', 8,
        "nor on how many tenants are blocked: @price";
};

done_testing;
