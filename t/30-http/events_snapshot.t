# GET /v1/events/snapshot: a state and the position up to which it is true.

use strict;
use warnings;
use Test::More;

use POSIX ();
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $ann = $s->member('ann', points => 1000);
my $bob = $s->member('bob');


sub snapshot
{
    my ($who) = @_;

    return $s->get('/v1/events/snapshot', as => $who)->json;
}


subtest 'what is there' => sub {
    my $shot = snapshot($ann);

    is $shot->{position}, 1, 'after one grant';
    is_deeply [@{ $shot->{wallet} }{qw( available frozen seq )}], [1000, 0, 1],
              'the wallet that it made';
    is_deeply $shot->{tasks}, [], 'no tasks';
    is snapshot($bob)->{position}, 0, 'another has another';
    isnt snapshot($bob)->{epoch}, $shot->{epoch}, 'under an epoch of his own';
    is $s->get('/v1/events/snapshot')->status, 401, 'nobody has none';
    is $s->get('/v1/events/snapshot?x=1', as => $ann)->status, 200,
       'a cache buster does no harm';
};

# while points are granted and points are frozen by tasks, every snapshot plus
# what comes after its position is the state at the end

subtest 'position and state agree' => sub {
    my $pic = $s->db->uuid;
    $s->sql('insert into podi.media (tenant_id, media_id, user_id, kind,'
        . ' state, name, type, bytes, sha256, store, object_key,'
        . " upload_expires_at, ready_at) values (?, ?, ?, 'upload', 'ready',"
        . " 'n', 'image/jpeg', 10, repeat('ab', 32), 'main', 'k', now(),"
        . ' now())', $s->{tenant_id}, $pic, $ann->{user_id});

    my $pid = fork // die;
    if (!$pid) {
        my $ok = eval {
            $_->{dbh}{InactiveDestroy} = 1
                for grep { ref } values %{ $s->db };
            delete @{ $s->db }{qw( super ctl web worker )};
            for (1 .. 30) {
                $s->grant($ann, 10);
                my $res = $s->post('/v1/tasks', as => $ann, json => {
                    inputs => [$pic], actions => [
                        { action => 'image.resize', params => { width => 9 } }
                    ] });
                die $res->text if $res->status != 201;
            }
            1;
        };
        print STDERR $@ if !$ok;
        POSIX::_exit(!$ok);
    }

    my @shots;
    push @shots, snapshot($ann) while waitpid($pid, POSIX::WNOHANG()) == 0;
    is $?, 0, 'grants and tasks';
    my $end = snapshot($ann);
    cmp_ok scalar(@shots), '>', 5, 'snapshots meanwhile';
    cmp_ok $end->{position}, '>=', 90, 'of many events';

    my $live = $s->events(as => $ann, last_event_id => $shots[0]{position},
                          unchecked => 1);
    my %event = map { my $e = $live->next_event(10);
                      defined $e->{id} ? ($e->{id} => $e->{data}) : () }
        0 .. $end->{position} - $shots[0]{position};
    $live->close;

    my @wrong;
    for my $shot (@shots) {
        my ($available, $frozen, $tasks) = (@{ $shot->{wallet} }{
            qw( available frozen )}, scalar @{ $shot->{tasks} });
        for my $seq ($shot->{position} + 1 .. $end->{position}) {
            my $e = $event{$seq} or push @wrong, "no $seq" and next;
            $tasks++ if $e->{type} eq 'task.queued';
            ($available, $frozen) = @{ $e->{data} }{qw( available frozen )}
                if $e->{type} =~ /^wallet/;
        }
        my @got = ($available, $frozen, $tasks);
        my @want = (@{ $end->{wallet} }{qw( available frozen )},
                    scalar @{ $end->{tasks} });
        push @wrong, "$shot->{position}: @got, not @want" if "@got" ne "@want";

        # and the wallet in it is the one of the last wallet event before it
        my ($last) = grep { $event{$_} && $event{$_}{type} =~ /^wallet/ }
            reverse $shots[0]{position} + 1 .. $shot->{position};
        push @wrong, "$shot->{position}: wallet"
            if $last && $event{$last}{data}{available}
                        != $shot->{wallet}{available};
    }
    is_deeply \@wrong, [], 'each with what came after it is the end';
};

$s->done;
done_testing;
