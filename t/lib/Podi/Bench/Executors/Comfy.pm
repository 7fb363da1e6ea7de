package Podi::Bench::Executors::Comfy;

# A ComfyUI job one at a time: claimed to settled, beside the same calls of a
# client of libcurl.
#
#     ours      the claim is committed -> input fetched -> upload -> prompt ->
#               the socket tells its end -> history -> file -> [decoded,
#               checked, thumbnail] -> stored -> the settle is committed
#     direct    upload -> prompt -> its end is known -> history -> file ->
#               stored

use strict;
use warnings;

use JSON::PP ();
use List::Util qw( sum );
use Podi::Bench::Executors;
use Podi::Proc qw( poll );

my $WORK = 500;                         # ms of each prompt
my $JOBS = 6;                           # of each run
# name, picture that goes in, type of what comes out, what is measured
my @KINDS = (
    [small => [64, 48], 'video/mp4', 'a small file, stored as it came: what a'
     . ' job costs by itself'],
    [plain => [1024, 768], 'video/mp4', 'a file of that size, stored as it'
     . ' came'],
    [picture => [1024, 768], 'image/png', 'a picture: ours is decoded and'
     . ' checked in a process of its own, and gets a thumbnail'],
);


sub run
{
    my ($x) = @_;
    my $bench = $x->bench;

    $bench->fact("comfy: $JOBS jobs a run, one at a time; each prompt works"
                 . " $WORK ms; one server answers both sides");
    $bench->fact('comfy: ours is from the commit of the claim to that of the'
                 . ' settle (fsync), and fetches its input from the store');
    $bench->fact('comfy: direct is one process of libcurl with one kept'
                 . ' connection: upload, POST /prompt, sleeps as long as the'
                 . ' prompt works, GET /history every ms, GET /view, PUT into'
                 . ' the same store; its input is in memory, it writes down'
                 . ' nothing');
    $bench->fact('comfy: added = ours - direct; budget 10 ms and 1 % of a core'
                 . ' while a job runs');

    for my $kind (@KINDS) {
        my $self = bless { x => $x, name => $kind->[0], type => $kind->[2],
                           note => $kind->[3] }, __PACKAGE__;
        $self->begin($x->picture(@{ $kind->[1] }));
        $self->measure;
        $self->end;
    }
}


sub begin
{
    my ($self, $picture) = @_;
    my $x = $self->{x};
    my $r = $x->runner;

    $self->{note} .= '; in and out ' . length($picture) . ' bytes';
    $x->input($picture);
    $x->output($self->{type} eq 'video/mp4'
               ? Podi::Bench::Executors::video(length $picture) : $picture);
    $self->{port} = $x->server('comfyd', $WORK);
    $self->{url} = "http://127.0.0.1:$self->{port}";
    $r->comfy('one', $self->{url});
    $self->{daemon} = $x->daemon('comfyui', $self->{port},
                                 servers_every => '1s');
    $r->publish('scale');
    $self->prompt;
    # the socket is open, and code has been read
    $self->ours(3);
}


sub end
{
    my ($self) = @_;

    return $self->{x}->runner->{h}->stop($self->{daemon});
}


# what the client sends, as ours looks
sub prompt
{
    my ($self) = @_;

    $self->{prompt} = Podi::Runner::write_file("$self->{x}{dir}/prompt",
        JSON::PP->new->canonical->encode({ prompt_id => '@' x 36,
            client_id => '0' x 32, prompt => \%Podi::Runner::GRAPH }));
}


# ({ms => [...], cpu => ms a job}, what went wrong)
sub ours
{
    my ($self, $n) = @_;
    my $x = $self->{x};
    my $r = $x->runner;
    my ($cpu) = Podi::Bench::Executors::tree($self->{daemon}{pid});
    my @behind = $x->behind;
    my @ms;

    for (1 .. $n) {
        my $t = $r->submit('comfy.scale');
        my $row = $r->{h}->ended($t, 30);

        return ({}, "a job is $row->{state}: "
                    . ($r->{h}->job($t)->{error_detail} // 'still'))
            if $row->{state} ne 'succeeded';
        push @ms, $r->{db}->value(undef, 'select extract(epoch from'
            . ' max(at) filter (where type = ?) - min(at) filter (where type'
            . ' = ?)) * 1000 from (select type, pg_xact_commit_timestamp(xmin)'
            . ' as at from podi.user_event where task_id = ?) e',
            'task.succeeded', 'job.running', $t->{task_id});
    }

    my @now = $x->behind;

    return ({ ms => \@ms, cpu => 1000 / $n
              * ((Podi::Bench::Executors::tree($self->{daemon}{pid}))[0]
                 - $cpu),
              pg => 1000 / $n * ($now[0] - $behind[0]),
              redis => 1000 / $n * ($now[1] - $behind[1]) });
}


sub direct
{
    my ($self, $n) = @_;
    my $x = $self->{x};
    my ($text, $status) = Podi::Bench::Tools::output(
        $x->bench->program('direct'), $self->{url}, $n, $WORK, $self->{prompt},
        "$x->{dir}/input", $self->{type});
    my ($cpu) = $text =~ /^cpu ([\d.]+)$/m;

    return ({}, "direct ended with $status: $text") if $status;
    return ({ ms => [$text =~ /^([\d.]+)$/mg], cpu => $cpu });
}


sub measure
{
    my ($self) = @_;
    my $bench = $self->{x}->bench;
    my (%of, @error);

    for my $run (1 .. $bench->runs) {
        my @side = $run % 2 ? qw( ours direct ) : qw( direct ours );

        for my $side (@side) {
            my ($is, $error) = $self->$side($JOBS);

            push @error, $error if $error;
            push @{ $of{"$side.ms"} },
                Podi::Bench::median(@{ $is->{ms} // [] });
            push @{ $of{"$side.$_"} }, $is->{$_} for qw( cpu pg redis );
        }
    }

    return $self->rows(\%of, \@error);
}


sub rows
{
    my ($self, $of, $error) = @_;
    my $bench = $self->{x}->bench;
    my %row = (peer => 'libcurl, the same calls', error => $error);
    my $name = "comfy.$self->{name}";
    my $known = !@$error;

    $bench->row("$name.time", %row, metric => 'latency p50', unit => 'ms',
        note => $self->{note}, ours => $of->{'ours.ms'},
        theirs => $of->{'direct.ms'});
    $bench->row("$name.added", metric => 'latency p50', unit => 'ms',
        error => $error, ours => [$known ? map { $of->{'ours.ms'}[$_]
                - $of->{'direct.ms'}[$_] } 0 .. $#{ $of->{'ours.ms'} } : ()]);
    $bench->row("$name.cpu", %row, metric => 'cpu a job', unit => 'ms',
        ours => $of->{'ours.cpu'}, theirs => $of->{'direct.cpu'},
        note => sprintf 'podi_runnerd and what it starts; besides, a job costs'
            . ' %.1f ms of PostgreSQL and %.1f ms of Redis, submit included',
            map { Podi::Bench::median(grep { defined } @{ $of->{"ours.$_"} })
                  // 0 } qw( pg redis ));
    $bench->row("$name.core", metric => 'cpu added while it runs', unit => '%',
        error => $error, ours => [$known ? map { 100 * ($of->{'ours.cpu'}[$_]
                - $of->{'direct.cpu'}[$_]) / $of->{'ours.ms'}[$_] }
            0 .. $#{ $of->{'ours.ms'} } : ()]);
}

1;
