# Gates and turns in a real Redis: the examples that C, Lua and SQL share, and
# the wake-ups that must not be lost.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP;
use List::Util qw( sum0 );
use Podi::Gates;
use Podi::Proc qw( poll );
use Test::More;


my $vectors = do {
    open my $in, '<', 't/lib/vectors/gates.json' or die $!;
    local $/;
    JSON::PP->new->decode(scalar <$in>);
};


subtest 'examples: gates' => sub {
    for my $c (@{ $vectors->{gates} }) {
        my @gate = @{ $c->{gates} };

        start(map { $_->{scope} => [ $_->{slots} || undef, $_->{reserve} ] }
              @gate);
        for my $g (@gate) {
            say_('SADD', "${P}s:$g->{scope}", map { "x$_:" } 1 .. $g->{taken})
                if $g->{taken};
            script('shut', $g->{scope}, 60_000) if $g->{opens_at} > $c->{now};
        }
        script('push', hint('j', class => $c->{class},
                            scopes => [ map { $_->{scope} } @gate ]));

        my $user = (map { $_->{scope} =~ /^user:(.*)/ } @gate)[0] // '';
        my $shut = $c->{shut};
        is claim(), defined $shut ? '' : 'j', $c->{name};
        is parked("$c->{class}/t/$user"), $gate[$shut]{scope}, '  where it parks'
            if defined $shut;
        is sum0(map { say_('SISMEMBER', "${P}s:$_->{scope}", 'j:1') } @gate),
            defined $shut ? 0 : scalar @gate, '  a slot of all, or of none';
    }
};

subtest 'examples: turns' => sub {
    for my $c (@{ $vectors->{turns} }) {
        my @ready = grep { $c->{ready}[$_] } 0 .. $#{ $c->{ready} };

        start();
        script('push', map { hint("j$_", tenant => $_) } @ready);
        say_('ZADD', "${P}a:q/1", $c->{passes}[$_], $_) for @ready;
        is claim(), $c->{next} < 0 ? '' : "j$c->{next}", $c->{name};
    }

    for my $c (@{ $vectors->{steps} }) {
        start();
        script('push', map { hint($_, weight => $c->{weight}) } 1, 2);
        say_('ZADD', "${P}a:q/1", $c->{pass}, 't');
        claim();
        is say_('ZSCORE', "${P}a:q/1", 't'), $c->{to},
            "a step of weight $c->{weight} from $c->{pass}";
    }

    for my $c (@{ $vectors->{returns} }) {
        start();
        say_('HSET', "${P}pass:q", '1/t', $c->{pass});
        say_('HSET', "${P}turns:q", 't1', $c->{virtual_time});
        script('push', hint('j'));
        is say_('ZSCORE', "${P}a:q/1", 't'), $c->{to}, "return to $c->{to}";
    }

    for my $c (@{ $vectors->{wakes} }) {
        start(global => 1);
        script('push', hint('j0', queue => 'other', scopes => ['global']),
               hint('j', weight => $c->{weight}, scopes => ['global']));
        is claim(1, 'other') . claim(), 'j0', 'parked';
        say_('HSET', "${P}pass:q", '1/t', $c->{pass});
        say_('HSET', "${P}turns:q", 't1', $c->{virtual_time});
        release('j0');
        is say_('ZSCORE', "${P}a:q/1", 't'), $c->{to}, "woken to $c->{to}";
    }
};

subtest 'examples: rounds' => sub {
    for my $c (@{ $vectors->{rounds} }) {
        my ($served, $n) = ('', 0);
        my $turns = length $c->{served};

        start();
        while ($n < $turns) {
            for my $t (grep { ($_->{comes_after} // 0) == $n }
                       @{ $c->{tenants} })
            {
                script('push', map {
                    hint("$t->{id}$_", tenant => $t->{id},
                         weight => $t->{weight}, class => $t->{class} // 1)
                } 1 .. $turns);
            }
            $served .= substr claim(), 0, 1;
            $n++;
        }
        is $served, $c->{served}, $c->{name};
    }
};

# a slot that is lost by time is nobody's release
subtest 'the lost wake-up' => sub {
    start('key:k' => 1);
    script('push', map { hint("j$_", tenant => $_, scopes => ['key:k']) }
                   qw( a b c ));
    is claim(3, 'q', 50), 'ja', 'one runs, two are parked';
    say_('DEL', "${P}wake:q");
    is claim(3), '', 'nor are they later';
    is say_('LLEN', "${P}wake:q"), 0, 'and nobody is told to try again';
    ok poll(10, sub { script('sweep')->[0] == 1 }), 'its holder dies: swept';
    is say_('SCARD', "${P}awake:key:k"), 1, 'exactly one is woken';
    is say_('LLEN', "${P}wake:q"), 1, 'and a worker with it';
    is claim(3), 'jb', 'it runs, the other sleeps on';
    is parked('1/c/'), 'key:k', 'where it was';

    is_deeply script('sweep'), [0, 0], 'nobody sleeps before an open gate';
    say_('SREM', "${P}s:key:k", "jb:$token{jb}");
    is_deeply script('sweep'), [0, 1], 'a slot lost by a bug is seen (R4)';
    is claim(3), 'jc', 'and taken';
};

subtest 'a slot that is free wakes one' => sub {
    start('key:k' => 2);
    script('push', map { hint("j$_", tenant => $_, scopes => ['key:k']) }
                   'a' .. 'f');
    is claim(6), 'ja jb', 'two run';
    release('ja');
    is say_('SCARD', "${P}awake:key:k"), 1, 'one slot: one is woken';
    release('jb');
    is say_('SCARD', "${P}awake:key:k"), 2, 'another: another';
    release('jb');
    is say_('SCARD', "${P}awake:key:k"), 2, 'none: none';

    # who was woken and whose job is gone hands the slot on
    script('drop', 'q', 'jc');
    is claim(6), 'jd je', 'the slot is not lost with its job';

    # nobody serves the queue of the one that was woken
    release('jd', 'je');
    say_('ZADD', "${P}wakes", 'XX', 1, $_)
        for @{ say_('SMEMBERS', "${P}awake:key:k") };
    script('push', hint('z', queue => 'z', scopes => ['key:k']));
    script('sweep');
    is say_('SCARD', "${P}awake:key:k"), 0, 'a wake does not last for ever';
    is claim(6, 'z'), 'z', 'others pass';
};

subtest 'queues share gates' => sub {
    start(global => 1);
    script('push', hint('a1', queue => 'a', scopes => ['global']),
           hint('a2', queue => 'a', scopes => ['global']),
           hint('b1', queue => 'b', scopes => ['global']),
           hint('b2', queue => 'b', scopes => ['global']));
    is claim(9, 'a') . claim(9, 'b'), 'a1', 'one job of all queues';

    my $served = 'a1';
    for (1 .. 3) {
        release(substr $served, -2);
        $served .= claim(9, 'a') . claim(9, 'b');
    }
    like $served, qr/^a1(?:a2b1|b1a2)b2$/, 'they take turns';
};

subtest 'users of a tenant' => sub {
    start('user:*' => 1, 'tenant:*@gold' => 3);
    script('push', map {
        hint($_, plan => 'gold', scopes => [ 'tenant:t',
                                             'user:' . substr $_, 0, 1 ])
    } qw( a1 a2 a3 b1 b2 c1 d1 ));
    is claim(9), 'a1 b1 c1', 'one at his bound does not hold up the others';
    is parked('1/t/d'), 'tenant:t', 'nor do they pass the bound of all';
    release('b1');
    is claim(9), 'd1', 'who waited for the tenant goes first';
    release('a1');
    is claim(9), 'a2', 'then the user that may';
    gates('user:a' => 2, 'user:*' => 1, 'tenant:*@gold' => 9);
    is join(' ', sort split ' ', claim(9)), 'a3 b2',
        'a new bound wakes who waited';
};

subtest 'shut, and open again' => sub {
    start();
    script('push', map { hint($_, tenant => $_, scopes => ['comfyui:x']) }
                   qw( a b c ));
    is script('shut', 'comfyui:x', 60_000), 0, 'a breaker opens';
    is claim(9), '', 'jobs are parked, not failed';
    is script('shut', 'comfyui:x', 0), 1, 'it closes: one is woken';
    is claim(9), 'a b c', 'each wakes the next';

    start();
    script('push', hint('j', scopes => ['key:k']));
    script('shut', 'key:k', 50);
    is claim(), '', 'a 429 for a while';
    ok poll(10, sub { script('sweep'); claim() eq 'j' }),
        'opens when it is over';
};

subtest 'rates with costs' => sub {
    start('key:k' => [ undef, 0, 1, 3_600_000_000, 4 ]);
    script('push', map { hint("j$_", tenant => 't', cost => 2,
                              scopes => ['key:k']) } 1 .. 3);
    is claim(9), 'j1 j2', 'a burst passes';
    is parked('1/t/'), 'key:k', 'the rest waits for its time';
    my $at = say_('ZSCORE', "${P}opens", 'key:k');
    my ($s, $us) = @{ say_('TIME') };
    cmp_ok abs($at - $s * 1e6 - $us - 7.2e9), '<', 60e6,
        'as long as its cost takes';

    say_('HSET', "${P}tat", 'key:k', 1);
    say_('ZADD', "${P}opens", 1, 'key:k');
    script('sweep');
    is claim(9), 'j3', 'and passes then';

    start('key:k' => [ undef, 0, 1, 3_600_000_000, 4 ]);
    script('push', hint('j', cost => 99, scopes => ['key:k']));
    is claim(), 'j', 'what weighs more than a burst waits for a full one';

    say_('HSET', "${P}tat", 'key:old', 1);
    script('sweep');
    is_deeply say_('HKEYS', "${P}tat"), ['key:k'],
        'an arrival time that has passed is forgotten';
};

subtest 'slots are leases of a claim' => sub {
    start('key:k' => 1);
    script('push', hint('j', scopes => ['key:k']));
    claim(1, 'q', 1000);
    my $was = say_('ZSCORE', "${P}lease", 'j:1');

    is script('beat', 60_000, '', 'j', 1, 3, 'other', 7, 3), 1,
        'a beat keeps it';
    cmp_ok say_('ZSCORE', "${P}lease", 'j:1'), '>', $was + 30e6, 'for longer';
    is script('release', 'j', 99, ''), 0, 'another claim cannot free it';
    is say_('SCARD', "${P}s:key:k"), 1, 'it stays';
    is script('release', 'j', 1, 3), 1, 'its own does';
    is say_('SCARD', "${P}s:key:k"), 0, 'it is free';

    say_('DEL', "${P}ready");
    is_deeply script('check', 1000, 'j', 4, 9000, 'key:k'), [1, 0, 1, 1],
        'rebuilt from what runs';
    is script('release', 'j', 1, 3), 0, 'a late release cannot free it';
    is script('release', 'j', 9, ''), 0, 'nor a hint that was there twice';
    is script('beat', 60_000, '', 'j', 5, 4), 1,
        'it becomes the one of its holder';
    is_deeply say_('SMEMBERS', "${P}s:key:k"), ['j:5'], 'by his claim';
    is_deeply script('check', 0, 'j', 4, 9000, 'key:k'), [0, 0, 0, 1],
        'and no difference is seen';

    gates('key:k' => 1, 'key:l' => 1);
    is_deeply script('check', 60_000, 'j', 4, 9000, 'key:l'), [0, 0, 0, 1],
        'nor with other gates';
    is_deeply [map { say_('SCARD', "${P}s:key:$_") } qw( k l )], [0, 1],
        'but its slots are there now';
};

subtest 'a claim that was not heard' => sub {
    start('key:k' => 2);
    script('push', map { hint($_, scopes => ['key:k']) } qw( a b c ));
    my @slot = @{ script('claim', 'q', 1, $LEASE, 'w1') }[2, 3];
    is_deeply \@slot, ['a', '1@w1'], 'a token says whose it is';
    script('claim', 'q', 1, $LEASE, 'w1');
    is script('beat', 60_000, 'w1', @slot, 7), 1, 'who names all that he has';
    is_deeply say_('HKEYS', "${P}held"), ['a:1@w1'], 'has no more than that';
    is claim(), 'c', 'and the next may go';

    script('push', hint('d', scopes => ['key:k']));
    is claim(), '', 'all is taken';
    is script('claim', 'q', 1, $LEASE, 'w1', @slot, 7)->[2], 'd',
        'who gives back with his claim has room';
};

subtest 'a hint that cannot be read' => sub {
    start();
    is script('push', hint('bad', scopes => ['key:a b']), hint('j'))->[0], 1,
        'is left out';
    say_('HSET', "${P}ids:q", 'j', 'garbage');
    script('push', hint('k'));
    is claim(2), 'k', 'or passed over';
    is say_('HLEN', "${P}ids:q"), 0, 'and gone';
    script('push', hint('u', scopes => ['key:user:x', 'user:y']));
    ok defined say_('HGET', "${P}line:q", '1/t/y'), 'a user is who is named so';
};

subtest 'gates that are lost with the slots' => sub {
    start('key:k' => 1);
    say_('FLUSHALL');
    script('push', map { hint($_, scopes => ['key:k']) } qw( a b ));
    script('check', 1000);
    is claim(2), '', 'nothing passes while nobody has told the gates';
    gates('key:k' => 1);
    script('check', 1000);
    is claim(2), 'a', 'and then what they let through';
};

subtest 'jobs that were claimed by their rows' => sub {
    start('key:k' => 2);
    script('push', map { hint($_, scopes => ['key:k']) } qw( a b ));
    is script('take', 60_000, map { ($_, 3, 'global,key:k') } qw( x y )), 2,
        'take their slots';
    is script('take', 60_000, 'x', 3, 'global,key:k'), 0, 'once';
    is claim(), '', 'the next sees the gate full';
    is script('release', 'x', '', 2), 0, 'an old claim has none';
    is script('release', 'x', '', 3), 1, 'they give them back';
    is claim(9), 'a', 'and wake who waits';
};

subtest 'a breaker' => sub {
    my $breaker = sub { script('breaker', 'key:k', @_, 60_000) };

    start();
    script('push', map { hint($_, tenant => $_, scopes => ['key:k']) }
                   qw( a b ));
    is_deeply [@{ $breaker->('', 'one', -1) }[0, 2]], [1, 'one'],
        'its state is changed';
    is_deeply [@{ $breaker->('', 'two', 60_000) }[0, 2]], [0, 'one'],
        'but not by who has not seen it';
    is claim(), 'a', 'and then nothing is shut';
    is $breaker->('one', 'two', 60_000)->[0], 1, 'it opens';
    is claim(), '', 'its gate is shut';
    is $breaker->('two', 'three', -1)->[0], 1, 'it stays so';
    is claim(), '', 'until told otherwise';
    is $breaker->('three', 'four', 0)->[0], 1, 'it closes';
    is claim(), 'b', 'and wakes who waits';
};

subtest 'slots against what runs (R3)' => sub {
    start('key:k' => 1);
    script('push', map { hint($_, tenant => $_, scopes => ['key:k']) }
                   qw( a b ));
    claim(2);
    is_deeply script('check', 60_000), [0, 0, 0, 0],
        'a difference may be one of a moment';
    is_deeply script('check', 0), [0, 1, 0, 0, 'a:1'],
        'one that stays is repaired';
    is claim(2), 'b', 'which wakes who waits';

    my @run = map { ($_, 2, 9000, 'key:k') } qw( b x );
    is_deeply script('check', 60_000, @run), [0, 0, 0, 0],
        'the other way, too';
    is_deeply script('check', 0, @run), [0, 0, 1, 0],
        'it takes what is missing';
    is_deeply script('check', 0, @run), [0, 0, 0, 0], 'once';
    is say_('SCARD', "${P}s:key:k"), 2, 'truth goes before the bound';

    script('take', 60_000, map { ("many$_", 1, 'key:m') } 1 .. 9000);
    is scalar @{ script('check', 0, @run) }, 4 + 9000,
        'all that are freed are named';
};

done_testing;
