#!/usr/bin/perl

# Statements of periods, and balances at an entry.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Purse;
use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $purse = Podi::Purse->new($db);
my $acme = $db->tenant('acme');
my ($ann, $new) = map { $db->user($acme, $_) } qw(ann new);

$db->grant($ann, 100);
for (1 .. 5) {
    my $hold = $purse->freeze($ann, 10);
    $purse->settle([$hold, 10, 6]);
}
my $rows = $super->all(undef, q{select seq, at, encode(hash, 'hex') as hash,}
    . ' available_after as a, held_after as h from podi.ledger'
    . ' where wallet_id = ? order by seq', $purse->wallet($ann));


sub statement
{
    my ($who, $from, $to) = @_;
    my $row = $web->one($db->as($who), 'select * from api.wallet_statement(?, ?)',
                        $from, $to);

    $row->{totals} = [map { join ' ', @$_{qw(type entries amount
                              available_change frozen_change)} }
                          @{ decode_json $row->{totals} }];
    return $row;
}


sub picture
{
    my ($s) = @_;

    return join ' ', map { $_ // '-' } @$s{qw(opening_available opening_frozen
        closing_available closing_frozen first_seq last_seq)};
}


my $all = statement($ann);
is(picture($all), '0 0 70 0 1 16', 'a statement of all time');
is_deeply($all->{totals}, ['confirm 5 30 0 -30', 'freeze 5 50 -50 50',
                           'grant 1 100 100 0', 'release 5 20 20 -20'],
          'with totals by type');
is("$all->{head} $all->{key_id}", "$rows->[-1]{hash} test",
   'and the end of the chain');

my $part = statement($ann, $rows->[4]{at}, $rows->[13]{at});
is_deeply($part->{totals}, ['confirm 3 18 0 -18', 'freeze 3 30 -30 30',
                            'release 3 12 12 -12'], 'of a period');
is(picture($part), '94 0 76 0 5 13', 'from is in it, to is not');
is($part->{head}, $rows->[12]{hash}, 'its head is where it ends');
is(picture(statement($ann, '2020-01-01', '2021-01-01')), '0 0 0 0 - -',
   'before the first entry there is nothing');
is(picture(statement($ann, '2120-01-01')), '70 0 70 0 - -',
   'and after the last nothing moved');
is(picture(statement($new)), '0 0 0 0 - -', 'nor in a new wallet');
$web->refused('U0422', $db->as($ann), q{select * from api.wallet_statement(}
              . q{'2026-02-01', '2026-01-01')}, 'to is not before from');

# opening and what moved is closing, wherever it is cut; statements adjoin
my $wrong = 0;
for my $i (0 .. $#$rows) {
    for my $j ($i .. $#$rows) {
        my $s = statement($ann, $rows->[$i]{at}, $rows->[$j]{at});
        my ($a, $h) = (0, 0);

        for (@{ $s->{totals} }) {
            my @t = split;
            $a += $t[3];
            $h += $t[4];
        }
        $wrong++ if $s->{opening_available} + $a != $s->{closing_available}
            || $s->{opening_frozen} + $h != $s->{closing_frozen}
            || $i && $s->{opening_available} != $rows->[$i - 1]{a};
    }
}
is($wrong, 0, 'every period adds up');

$super->run(q{update podi.wallet set head = sha256('') where wallet_id = ?},
            $purse->wallet($ann));
$web->refused('U0427', $db->as($ann), 'select * from api.wallet_statement(null,'
              . ' null)', 'a ledger that ends otherwise states nothing');


sub balance_at
{
    my ($seq) = @_;

    return $web->one($db->as($ann), 'select * from api.wallet_balance_at(?)', $seq);
}


my $at = balance_at(5);
is_deeply([@$at{qw(seq available frozen at head)}],
          [5, @{ $rows->[4] }{qw(a h at hash)}], 'a balance at an entry');
is_deeply([@{ balance_at(0) }{qw(available frozen at head)}], [0, 0, undef, undef],
          'before the first it is 0');
for my $seq (17, -1, undef) {
    $web->refused('U0404', $db->as($ann), 'select * from api.wallet_balance_at(?)',
                  $seq, 'no entry ' . ($seq // 'at all'));
}
$web->refused('U0404', $db->mint(tenant => $acme, user => $db->uuid,
              role => 'user'), 'select * from api.wallet_statement(null, null)',
              'no wallet, no statement');
done_testing;
