package Podi::Purse;

# Wallets as the SQL functions see them, for tests of money without tasks.
#
#     my $purse = Podi::Purse->new($db);
#     my $hold = $purse->freeze($ann, 55);
#     my $events = $purse->settle([$hold, 20, 12], [$hold, 5, 0, idem => 'x']);
#     is($purse->balance($ann), '8+30');
#     $purse->books('the books agree');
#
# Helpers run as in a sys function: as podi_system.

use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use Test::More ();


sub new
{
    my ($class, $db) = @_;

    return bless { db => $db, super => $db->super,
                   web => $db->login('podi_web') }, $class;
}


# one transaction as podi_system; another session may be named
sub system
{
    my ($self, $sql, @bind) = @_;
    my $session = ref $sql ? $sql : $self->{super};
    my $dbh = $session->dbh;

    $sql = shift @bind if ref $sql;
    $dbh->begin_work;
    $dbh->do('set local role podi_system');
    my $value = eval { $session->value(undef, $sql, @bind) };
    my $error = $@;
    $error ? $dbh->rollback : $dbh->commit;
    die $error if $error;
    return $value;
}


sub wallet
{
    my ($self, $who) = @_;

    return $who->{wallet} //= $self->{super}->value(undef,
        'select wallet_id from podi.wallet where user_id = ?', $who->{user});
}


sub freeze
{
    my ($self, $who, $amount, %o) = @_;

    return $self->system($o{session} // $self->{super},
        'select (internal.hold_freeze(?, ?, ?, ?, ?, ?)).o_hold',
        $who->{tenant}, $self->wallet($who), $o{task} // $self->{db}->uuid,
        $o{round} // 1, $amount, $o{ttl} // '1 day');
}


# moves for internal.hold_settle_all: [hold, price, charge, more...]
sub moves
{
    my ($self, @moves) = @_;
    my @out;

    for my $m (@moves) {
        my ($hold, $price, $charge, %o) = @$m;
        my $job = $o{job} // $self->{db}->uuid;
        my $h = $self->{holds}{$hold} //= $self->{super}->one(undef,
            'select tenant_id, task_id from podi.hold where hold_id = ?',
            $hold);

        push @out, { hold_id => 0 + $hold, price => 0 + $price,
                     charge => 0 + $charge, job_id => $job,
                     tenant_id => $h->{tenant_id}, task_id => $h->{task_id},
                     idem => $o{idem} // "$job:1",
                     trace_id => $o{trace} };
    }
    return encode_json(\@out);
}


sub settle
{
    my ($self, @moves) = @_;

    return decode_json($self->system('select internal.hold_settle_all(?)',
                                     $self->moves(@moves)));
}


# "type amount available frozen seq" of events
sub told
{
    my ($self, $events) = @_;

    return [map { "$_->{type} " . join ' ', @{ $_->{data} }{
                      qw(amount available frozen seq) } } @$events];
}


sub state_of
{
    my ($self, $sub) = @_;

    return eval { $sub->(); 1 } ? 'none' : ref $@ ? $@->{state} : $@;
}


sub lots
{
    my ($self, $who) = @_;

    return $self->{super}->all(undef, 'select source_ref as ref, avail, held,'
        . ' spent, lapsed from podi.lot where wallet_id = ? order by lot_id',
        $self->wallet($who));
}


# "type amount available frozen", oldest first
sub ledger
{
    my ($self, $who) = @_;

    return [map { $_->{line} } @{ $self->{super}->all(undef,
        "select concat_ws(' ', op, amount, available_after, held_after)"
        . ' as line from podi.ledger where wallet_id = ? order by seq',
        $self->wallet($who)) }];
}


sub balance
{
    my ($self, $who) = @_;
    my $row = $self->{web}->one($self->{db}->as($who),
                                'select * from api.wallet_read()');

    return "$row->{available}+$row->{frozen}";
}


sub expire
{
    my ($self, $who, $ref) = @_;

    $self->{super}->run(q{update podi.lot set expires_at = now() - interval}
                        . q{ '1 s' where wallet_id = ? and source_ref = ?},
                        $self->wallet($who), $ref);
    return;
}


# breaks of the books alone: holds without tasks break what is about tasks
sub books
{
    my ($self, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::is_deeply(
        [map { "$_->{inv}: $_->{id}" }
             grep { $_->{inv} =~ /^I(?:1|2|3|4|6|7|10|14|15)\b/ } @{ $self->{db}->breaks }], [],
        $name // 'the books agree');
}


1;
