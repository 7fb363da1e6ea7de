#!/usr/bin/perl

# Four sessions freeze, settle, grant, refund, adjust, expire and sweep the same
# few wallets at once, other servers too: no deadlock, no error but too few
# points, books that agree, and ledgers that verify.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Sql;

my $seed = $ENV{PODI_TEST_SEED} // 20_260_102;
note "PODI_TEST_SEED=$seed";

my $db = Podi::Sql->new;
my $super = $db->super;
my $acme = $db->tenant('acme');
my @who = map { $db->user($acme, $_) } qw(ann bob cat);
for my $who (@who) {
    $who->{wallet} = $super->value(undef, 'select wallet_id from podi.wallet'
                                   . ' where user_id = ?', $who->{user});
    $db->grant($who, 200, kind => $_, ref => "first $_") for qw(gift paid);
}

my $FREEZE = 'select (internal.hold_freeze(?, ?, internal.uuid7(), 1, ?,'
           . " '1 day')).o_hold";
my $SETTLE = 'select internal.event_append(?, ?, internal.hold_settle(?, ?,'
           . ' (select h.task_id from podi.hold h where h.hold_id = ?),'
           . ' internal.uuid7(), ?, ?))';


# one transaction as podi_system; undef when too little was there
sub as_system
{
    my ($session, $sql, @bind) = @_;
    my $dbh = $session->dbh;

    $dbh->begin_work;
    $dbh->do('set local role podi_system');
    my $value = eval { $session->value(undef, $sql, @bind) };
    my $error = $@;
    $error ? $dbh->rollback : $dbh->commit;
    die $error if $error && $error->{state} ne 'U0402';
    return $value;
}


sub spend
{
    my ($mine, $held) = @_;
    my $who = $who[rand @who];

    if (@$held && rand() < 0.5) {
        my $hold = splice @$held, rand @$held, 1;
        my $price = 1 + int rand $hold->{left};

        as_system($mine, $SETTLE, $acme, $hold->{who}{user}, $acme,
                  $hold->{id}, $hold->{id}, $price, int rand($price + 1));
        $hold->{left} -= $price;
        push @$held, $hold if $hold->{left};
        return;
    }

    my $amount = 1 + int rand 20;
    my $id = as_system($mine, $FREEZE, $acme, $who->{wallet}, $amount);
    push @$held, { id => $id, who => $who, left => $amount } if $id;
    return;
}


# what must not be now may be refused; anything else is an error
sub asked
{
    my ($session, @call) = @_;
    my $row = eval { $session->one(@call) };

    die $@ if !$row && $@->{state} !~ /^U04(?:02|09|21|24|25)$/;
    return;
}


# another server: a hold for a moment, confirmed or left to the sweep
sub serve
{
    my ($web, $server, $who, $ref) = @_;

    asked($web, $server, 'select * from api.wallet_freeze(?, ?, ?, 1000, null, ?,'
          . ' null)', $who->{user}, 1 + int rand 9, $ref, "f $ref");
    asked($web, $server, 'select * from api.wallet_confirm(null, ?, ?, ?, ?, null)',
          $ref, 1 + int rand 5, rand() < 0.5 ? 1 : 0, "c $ref") if rand() < 0.6;
    return;
}


sub operate
{
    my ($ctl, $super, $who, $ref) = @_;

    if (rand() < 0.5) {
        asked($ctl, undef, q{select * from sys.wallet_adjust('acme', ?, ?, 'r', ?)},
              $who->{login}, (1 + int rand 20) * (rand() < 0.5 ? 1 : -1), $ref);
        return;
    }
    my $task = $super->value(undef, 'select task_id from podi.hold where wallet_id'
        . ' = ? and captured > refunded and task_id is not null limit 1',
        $who->{wallet});
    asked($ctl, undef, q{select * from sys.wallet_refund('acme', ?, ?, null, null,}
          . q{ ?, 'r', ?)}, $who->{login}, $task, 1 + int rand 3, $ref) if $task;
    return;
}


sub work
{
    my ($n) = @_;
    my $mine = $db->login('postgres');
    my $web = $db->login('podi_web');
    my $server = $db->as($who[0], 'service');
    my $ctl = $db->login('podi_ctl');
    my $worker = $db->login('podi_worker');
    my @held;

    srand $seed + $n;
    for my $step (1 .. 90) {
        my $dice = rand;

        if ($dice < 0.1) {
            # any two of the workers grant the same reference
            my $who = $who[rand @who];
            $ctl->all(undef, 'select * from sys.wallet_grant(?, ?, 15, ?,'
                      . " null, ?, 'storm')", $who->{slug}, $who->{login},
                      'gift', 'step ' . int($step / 6));
        } elsif ($dice < 0.15) {
            as_system($mine, q{update podi.lot l set expires_at = now()}
                      . q{ where l.source_ref = ? and l.expires_at is null}
                      . q{ and exists (select 1 from podi.wallet w where}
                      . q{ w.wallet_id = l.wallet_id and w.wallet_id = ?}
                      . q{ for update) returning 1}, 'step ' . int($step / 12),
                      $who[rand @who]{wallet});
        } elsif ($dice < 0.25) {
            $worker->all(undef, 'select * from sys.purge(10)');
        } elsif ($dice < 0.35) {
            $worker->all(undef, 'select * from sys.hold_expire(10)');
        } elsif ($dice < 0.45) {
            serve($web, $server, $who[rand @who], "server $n $step");
        } elsif ($dice < 0.55) {
            # two workers say each ref
            operate($ctl, $mine, $who[rand @who], 'ref ' . ($n >> 1) . " $step");
        } else {
            spend($mine, \@held);
        }
    }
    return;
}


pipe my $read, my $write or die;
my @child = map {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $error = eval { work($_); 1 } ? '' : "$@";
        syswrite $write, $error =~ s/\n/ /gr . "\n" if $error;
        POSIX::_exit(0);
    }
    $pid;
} 1 .. 4;
close $write;
my @error = <$read>;
waitpid $_, 0 for @child;

is_deeply(\@error, [], 'no deadlock and no error');
is_deeply([grep { $_->{inv} =~ /^I(?:1|2|3|4|6|7|10) / } @{ $db->breaks }], [],
          'the books agree');
is_deeply([grep { defined $_->{fault} } @{ $db->login('podi_worker')->all(undef,
              'select * from sys.ledger_verify(null, null, null, 100)') }], [],
          'every ledger verifies');
my $n = $super->all(undef, 'select op, count(*) as n from podi.ledger'
                    . ' group by op');
my %n = map { $_->{op} => $_->{n} } @$n;
ok($n{$_}, "there were $_ rows: " . ($n{$_} // 0))
    for qw(grant freeze confirm release lapse refund adjust);

done_testing;
