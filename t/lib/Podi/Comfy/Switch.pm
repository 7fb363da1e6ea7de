package Podi::Comfy::Switch;

# The switches of the fake: how it is to fail.  POST /__fake sets some of them:
#
#   refuse N         the next N connections are reset at once
#   silent RULE      requests are read, never answered
#   slow MS          each answer waits
#   cut RULE         at N: the reply ends after N bytes of its body
#   status RULE      code N: an error page with that status
#   non_json RULE    200 with a page instead of JSON
#   reset_prompt RULE  queued BOOL: POST /prompt ends in a reset, taken or not
#   late RULE        ms: POST /prompt is taken so much later, never answered
#   other_id RULE    as T: a prompt gets that id, whatever it was sent with
#   view RULE        as expired | truncated | short | html | huge | text, at N
#   entry_bytes N, queue_bytes N  so much more in an entry of the history, the
#                    queue;  files N: outputs that an entry names besides
#   names {filename, subfolder}   what an entry calls each of its outputs
#   amnesia          it forgets all that it has, and counts anew
#   hang BOOL        prompts are taken, none is worked on
#   die NOW|PROMPT|NODE  the process ends at once | on a prompt | at a node
#   oom N            N prompts run out of memory
#   error RULE       node ID, type T, message M: a node fails
#   stall RULE       node ID: a node never ends, nor listens to an interrupt
#   release          a stalled node goes on
#   interrupt_ignored BOOL
#   node_ms MS       each node takes so long
#   foreign N        so many prompts of others (0: they go), foreign_ms each
#   untold BOOL      of what it kept, no file is named without a client_id, as
#                    real ones do from 0.3.75 at the latest
#   lose_history     BOOL, or "now": what is there goes, later ones stay
#   ws ok|refused|closed|mute; ws_drop; huge_frame N; ping; fragment BOOL
#   vram N           bytes of its device
#   preview ok|bare|large|html|cut   what PodiSlow shows; bare: not of what
#   burst N          each step of PodiSlow is told so many times
#   stray            all sockets are shown a picture of nobody's prompt
#   version T, targeted BOOL, progress_state BOOL, disable_metadata BOOL
#   auth             {"header":[N,V]} | {"query":[N,V]} | null
#   checkpoints [NAMES], missing [CLASSES], max_upload N
#   strict BOOL      what no recording has: refused with 599 (default)
#   reset            all of them as in the beginning, before what else is said
#
# RULE: true, a number of times, or {"times":N,"path":"/view","method":"GET"}
# with the members named above.

use strict;
use warnings;

my %DEFAULT = (
    refuse => 0, silent => undef, slow => 0, cut => undef, status => undef,
    non_json => undef, reset_prompt => undef, late => undef, other_id => undef,
    view => undef, hang => 0,
    die => '', oom => 0, error => undef, stall => undef,
    interrupt_ignored => 0, node_ms => 0, foreign_ms => 60_000,
    lose_history => 0, ws => 'ok', fragment => 0, version => '0.3.64',
    targeted => 1, progress_state => 1, disable_metadata => 0, auth => undef,
    entry_bytes => 0, queue_bytes => 0, files => 0, names => undef, vram => 0,
    checkpoints => [], missing => [], max_upload => 104_857_600, strict => 1,
    preview => 'ok', burst => 1, untold => 0,
);
my %RULE = map { $_ => 1 }
    qw( silent cut status non_json reset_prompt late other_id view error
        stall );
my %ACTION = map { $_ => 1 }
    qw( release foreign ws_drop huge_frame ping amnesia stray );


sub new
{
    my ($class, %option) = @_;

    my $self = bless { first => { %option } }, $class;

    $self->reset;
    return $self;
}


# sets what it knows; the names that are actions, or dies
sub set
{
    my ($self, $json) = @_;
    my @action;

    $self->reset if $json->{reset};
    for my $name (grep { $_ ne 'reset' } sort keys %$json) {
        my $value = $json->{$name};

        if ($ACTION{$name}) {
            push @action, [$name, $value];

        } elsif (!exists $DEFAULT{$name}) {
            die "no switch is called $name\n";

        } else {
            $self->{$name} = $RULE{$name} ? _rule($value)
                : JSON::PP::is_bool($value) ? 0 + $value : $value;
        }
    }

    return @action;
}


sub reset
{
    my ($self) = @_;

    %$self = (%DEFAULT, first => $self->{first});
    die "actions are for a server that runs\n" if $self->set($self->{first});
}


sub _rule
{
    my ($value) = @_;

    return { %$value } if ref $value eq 'HASH';
    return undef if !$value;
    return JSON::PP::is_bool($value) ? {} : { times => $value };
}


# the rule when it is set and fits; one that counts is used up
sub fires
{
    my ($self, $name, %about) = @_;
    my $rule = $self->{$name} // return;

    for my $key (qw( path method node )) {
        my $wanted = $rule->{$key} // next;
        my $is = $about{$key} // return;

        return if $key eq 'path' ? index($is, $wanted) != 0 : $is ne $wanted;
    }
    $self->{$name} = undef
        if defined $rule->{times} && --$rule->{times} <= 0;
    return $rule;
}

1;
