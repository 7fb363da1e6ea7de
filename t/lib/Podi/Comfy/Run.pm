package Podi::Comfy::Run;

# The queue of the fake and what works on it: one prompt after another, node by
# node, with the frames in the order of the recordings.
#
#     put -> heap -> _next: execution_start, execution_cached
#       -> _step: progress_state, executing, [executed], progress_state ... -+
#       ^------------------------------------------------------------------'
#       -> _end: execution_success | _error | _interrupted; history; status
#
# Nothing is kept on disk: a new process has an empty queue and no history.

use strict;
use warnings;
use Digest::SHA qw( sha256_hex );
use Encode qw( encode_utf8 );
use Time::HiRes qw( time );

use Podi::Comfy::Heap qw( push_item pop_item heapify );
use Podi::Comfy::Json qw( encode raw repr );

use constant OOM_TEXT => 'CUDA out of memory. Tried to allocate'
    . "\nThis error means you ran out of memory on your GPU.\n\nTIPS: If the "
    . 'workflow worked before you might have accidentally set the batch_size '
    . 'to a large number.';


# loop, sockets, nodes, classes, switch, fault => sub { text }
sub new
{
    my ($class, %option) = @_;

    return bless { %option, pending => [], history => {}, order => [],
                   cache => {}, number => 0, foreign => {},
                   taken => 0, most => 0 }, $class;
}


sub remaining
{
    my ($self) = @_;

    return @{ $self->{pending} } + ($self->{job} ? 1 : 0);
}


sub _status
{
    my ($self) = @_;

    $self->{sockets}->status($self->remaining);
}


# item: [number, id, prompt, extra, outputs]
sub put
{
    my ($self, $item) = @_;

    push_item($self->{pending}, $item);
    $self->{taken}++ if !$self->{foreign}{ $item->[1] };
    my $mine = grep { !$self->{foreign}{ $_->[1] } } @{ $self->{pending} },
        $self->{job} ? $self->{job}{item} : ();

    $self->{most} = $mine if $mine > $self->{most};
    $self->_status;
    $self->_wake;
}


# as a new process, without one
sub amnesia
{
    my ($self) = @_;

    @{ $self->{pending} } = ();
    $self->{cache} = {};
    $self->{number} = 0;
    delete $self->{job};
    $self->forget(@{ $self->{order} });
}


sub _wake
{
    my ($self) = @_;

    return if $self->{woken} || $self->{job} || $self->{switch}{hang};
    $self->{woken} = $self->{loop}->after(0, sub {
        $self->{woken} = undef;
        $self->_next if !$self->{job} && !$self->{switch}{hang};
    });
}


# the first pending item with that id; as there, the last one goes with a wipe
sub delete
{
    my ($self, $id) = @_;
    my $pending = $self->{pending};
    my ($at) = grep { $pending->[$_][1] eq $id } 0 .. $#$pending;

    return if !defined $at;
    $self->{fault}->('a foreign prompt was deleted') if $self->{foreign}{$id};
    return $self->clear(1) if @$pending == 1;
    splice @$pending, $at, 1;
    heapify($pending);
    $self->_status;
}


sub clear
{
    my ($self, $one) = @_;

    $self->{fault}->('the queue of others was cleared')
        if !$one && grep { $self->{foreign}{ $_->[1] } } @{ $self->{pending} };
    @{ $self->{pending} } = ();
    $self->_status for 0 .. ($one ? 1 : 0);
}


sub queue
{
    my ($self) = @_;

    return { queue_running => [$self->{job} ? $self->{job}{item} : ()],
             queue_pending => [@{ $self->{pending} }] };
}


# undef for everything, or an id
sub interrupt
{
    my ($self, $id) = @_;
    my $job = $self->{job};

    return if $self->{switch}{interrupt_ignored};
    return if !$job || defined $id && $job->{id} ne $id;
    $self->{fault}->('a foreign prompt was interrupted') if $job->{foreign};
    $job->{interrupt} = 1;
    $self->_interrupted('1') if $job->{foreign};
}


# ---- prompts of others

sub foreign
{
    my ($self, $n) = @_;
    my $job = $self->{job};

    if (!$n) {
        $self->{pending} = [grep { !$self->{foreign}{ $_->[1] } }
                            @{ $self->{pending} }];
        heapify($self->{pending});
        $self->_done if $job && $job->{foreign};
        return;
    }

    for (1 .. $n) {
        my $id = sprintf 'f0e16000-0000-4000-8000-%012d', ++$self->{others};

        $self->{foreign}{$id} = 1;
        $self->put([$self->{number}++, $id,
            { 1 => { class_type => 'LoadImage',
                     inputs => { image => 'other.png' } },
              2 => { class_type => 'PreviewImage',
                     inputs => { images => ['1', 0] } } },
            { client_id => 'f' x 32 }, ['2']]);
    }
}


# ---- one prompt

sub _next
{
    my ($self) = @_;
    my $item = pop_item($self->{pending}) // return;
    my ($number, $id, $prompt, $extra, $outputs) = @$item;

    if (delete $self->{free}) {
        $self->{cache} = {};
    }
    my $job = $self->{job} = {
        item => $item, id => $id, prompt => $prompt, extra => $extra,
        outputs => $outputs, client => $extra->{client_id}, states => {},
        executed => [], messages => [], ui => {}, value => {},
        foreign => $self->{foreign}{$id},
    };

    $self->_status;
    return $self->_foreign($job) if $job->{foreign};

    my %sign;
    $self->_sign($job, $_, \%sign) for keys %$prompt;
    $job->{sign} = \%sign;
    my %used = reverse %sign;
    delete @{ $self->{cache} }{ grep { !$used{$_} } keys %{ $self->{cache} } };

    $self->_message($job, 'execution_start', {});
    $self->_message($job, 'execution_cached',
        { nodes => [grep { $self->{cache}{ $sign{$_} } } sort keys %$prompt] });
    $job->{plan} = [$self->_plan($job)];
    $self->{loop}->after(0, sub { $self->_step($job) });
}


sub _foreign
{
    my ($self, $job) = @_;

    $self->{loop}->after($self->{switch}{foreign_ms} / 1000, sub {
        $self->_end($job, 'execution_success', {}) if $self->_mine($job);
    });
}


sub _mine
{
    my ($self, $job) = @_;

    return $self->{job} && $self->{job} == $job;
}


# what a node's value depends on, down to the bytes of the pictures
sub _sign
{
    my ($self, $job, $id, $sign) = @_;

    return $sign->{$id} if defined $sign->{$id};
    my $node = $job->{prompt}{$id} // return 'none';
    my $input = ref $node->{inputs} eq 'HASH' ? $node->{inputs} : {};
    my ($class, @part) = ($node->{class_type});

    # a part of a prompt that is not run may be a ring
    $sign->{$id} = "ring $id";
    for my $name (sort keys %$input) {
        my $value = $input->{$name};
        my $link = ref $value eq 'ARRAY' && @$value == 2;

        push @part, $name, $link
            ? $self->_sign($job, $value->[0], $sign) . " $value->[1]"
            : encode($value);
    }
    my $changed = $self->{nodes}->changed($class, $input);

    $changed = rand if ($changed // '') eq 'nan';
    return $sign->{$id} = sha256_hex(encode_utf8(
        join "\0", $class, $changed // '', @part));
}


# the nodes in the order in which they run
sub _plan
{
    my ($self, $job) = @_;
    my (%seen, @plan);
    my $visit;

    $visit = sub {
        my ($id, $out) = @_;
        my $cached = $self->{cache}{ $job->{sign}{$id} };

        return if $seen{$id}++ || $cached && !$out;
        if (!$cached) {
            my $input = $job->{prompt}{$id}{inputs};

            $visit->($_->[0]) for grep { ref $_ eq 'ARRAY' }
                map { $input->{$_} } sort keys %$input;
        }
        push @plan, $id;
    };
    $visit->($_, 1) for @{ $job->{outputs} };

    return @plan;
}


sub _stamp { return int(1000 * time) }


# a frame for the prompt's client that stays in the history, too
sub _message
{
    my ($self, $job, $type, $data, $all) = @_;

    $data = { %$data, prompt_id => $job->{id}, timestamp => _stamp() };
    push @{ $job->{messages} }, [$type, $data];
    $self->{sockets}->send($job->{client}, $type, $data)
        if defined $job->{client} || $all;
}


sub _progress_state
{
    my ($self, $job, $id, $state, $value, $max) = @_;

    $job->{states}{$id} = {
        value => $value, max => $max, state => $state, node_id => $id,
        prompt_id => $job->{id}, display_node_id => $id,
        parent_node_id => undef, real_node_id => $id };
    $self->{sockets}->send($job->{client}, 'progress_state',
        { prompt_id => $job->{id}, nodes => { %{ $job->{states} } } })
        if $self->{switch}{progress_state};
}


sub _to_client
{
    my ($self, $job, $type, $data) = @_;

    $self->{sockets}->send($job->{client}, $type,
                           { %$data, prompt_id => $job->{id} })
        if defined $job->{client};
}


sub _step
{
    my ($self, $job) = @_;

    return if !$self->_mine($job);
    my $id = shift @{ $job->{plan} };

    return $self->_end($job, 'execution_success', {}) if !defined $id;
    my $kept = $self->{cache}{ $job->{sign}{$id} };

    if ($kept) {
        $self->_executed($job, $id, $kept)
            if defined $job->{client} || !$self->{switch}{untold};
        return $self->_finished($job, $id);
    }
    $job->{node} = $id;
    $self->_progress_state($job, $id, 'running', raw('0.0'), raw('1.0'));
    $self->_to_client($job, 'executing', { node => $id, display_node => $id });
    return $self->_interrupted($id) if $job->{interrupt};
    $self->_work($job, $id);
}


sub _work
{
    my ($self, $job, $id) = @_;
    my $switch = $self->{switch};
    my $class = $job->{prompt}{$id}{class_type};

    $self->{die}->() if $switch->{die} eq $id;
    if ($switch->fires('stall', node => $id)) {
        $job->{stalled} = sub { $self->_node($job, $id) };
        return;
    }
    if (my $rule = $switch->fires('error', node => $id)) {
        return $self->_failed($job, $id, $rule->{type} // 'ValueError',
                              $rule->{message} // 'podi boom');
    }
    if ($switch->{oom} > 0 && $class ne 'LoadImage') {
        $switch->{oom}--;
        return $self->_failed($job, $id, 'torch.OutOfMemoryError', OOM_TEXT);
    }
    return $self->_node($job, $id) if !$switch->{node_ms};
    $self->{loop}->after($switch->{node_ms} / 1000, sub {
        $self->_node($job, $id) if $self->_mine($job);
    });
}


sub release
{
    my ($self) = @_;
    my $go = $self->{job} && delete $self->{job}{stalled};

    $go->() if $go;
}


sub _inputs
{
    my ($self, $job, $id) = @_;
    my $inputs = $job->{prompt}{$id}{inputs};

    return map {
        my $value = $inputs->{$_};

        ($_ => ref $value ne 'ARRAY' ? $value : $self->{cache}
            { $job->{sign}{ $value->[0] } }{out}[ $value->[1] ])
    } keys %$inputs;
}


sub _node
{
    my ($self, $job, $id) = @_;
    my $class = $job->{prompt}{$id}{class_type};
    my %input = $self->_inputs($job, $id);

    if ($class eq 'PodiSlow') {
        return $self->_slow($job, $id, \%input, 0);
    }
    my $result = eval { $self->{nodes}->run($class, \%input, $job) };

    return $self->_failed($job, $id, $@->{type}, $@->{message})
        if !$result && ref $@;
    die $@ if !$result;
    $self->_kept($job, $id, $result);
    $self->_executed($job, $id, $result) if $result->{ui};
    $self->_finished($job, $id, raw('1.0'), raw('1.0'));
}


sub _kept
{
    my ($self, $job, $id, $result) = @_;

    push @{ $job->{executed} }, $id;
    $self->{cache}{ $job->{sign}{$id} } = $result;
}


sub _executed
{
    my ($self, $job, $id, $result) = @_;

    return if !$result->{ui};
    $job->{ui}{$id} = $result->{ui};
    $self->_to_client($job, 'executed', { node => $id, display_node => $id,
                                          output => $result->{ui} });
}


sub _finished
{
    my ($self, $job, $id, $value, $max) = @_;

    $self->_progress_state($job, $id, 'finished', $value // raw('1.0'),
                           $max // raw('1.0'));
    $self->{loop}->after(0, sub { $self->_step($job) });
}


# PodiSlow: one step per delay; "silent" tells nothing and hears nothing
sub _slow
{
    my ($self, $job, $id, $input, $at) = @_;
    my $mode = $input->{mode};

    if ($at >= $input->{steps}) {
        return $self->_failed($job, $id, 'ValueError', 'podi boom')
            if $mode eq 'error';
        return $self->_failed($job, $id, 'torch.cuda.OutOfMemoryError',
                              OOM_TEXT) if $mode eq 'oom';
        $self->_kept($job, $id, { out => [$input->{image}] });
        return $self->_finished($job, $id,
            $mode eq 'silent' || !$at ? () : (0 + $at, 0 + $at));
    }

    $self->{loop}->after($input->{delay_ms} / 1000, sub {
        return if !$self->_mine($job);
        return $self->_interrupted($id) if $job->{interrupt}
            && $mode ne 'silent';
        $self->_tell($job, $id, $at + 1, $input->{steps}, $mode)
            for $mode eq 'silent' ? () : 1 .. $self->{switch}{burst};
        $self->_slow($job, $id, $input, $at + 1);
    });
}


sub _tell
{
    my ($self, $job, $id, $at, $max, $mode) = @_;
    my $sockets = $self->{sockets};
    my $flags = $sockets->metadata($job->{client});
    my %progress = (node => $id, value => 0 + $at, max => 0 + $max,
                    prompt_id => $job->{id});

    $sockets->text($job->{client}, $id, "step $at of $max \xb7 ok")
        if $mode eq 'text';
    $self->_progress_state($job, $id, 'running', 0 + $at, 0 + $max);
    my @preview = ($job, $id, $mode eq 'png');

    $sockets->preview(@preview) if $mode ne 'text' && $flags;
    $sockets->send($job->{client}, 'progress', \%progress);
    $sockets->preview(@preview) if $mode ne 'text' && !$flags;
}


# ---- its end

sub _interrupted
{
    my ($self, $id) = @_;
    my $job = $self->{job};

    $self->_end($job, 'execution_interrupted', {
        node_id => $id, node_type => $job->{prompt}{$id}{class_type},
        executed => $job->{executed} }, 1);
}


sub _failed
{
    my ($self, $job, $id, $type, $message) = @_;
    my $class = $job->{prompt}{$id}{class_type};
    my %input = ($self->_inputs($job, $id), $class eq 'PodiSlow'
                 ? (unique_id => $id) : $class =~ /^(?:Save|Preview)Image$/
                 ? (extra_pnginfo => undef, prompt => encode($job->{prompt}))
                 : ());

    $message .= "\n" if $type !~ /OutOfMemory/;
    $self->_end($job, 'execution_error', {
        node_id => $id, node_type => $class,
        executed => $job->{executed}, exception_message => $message,
        exception_type => $type, current_outputs => [sort keys
            %{ $job->{prompt} }],
        traceback => [qq(  File "/comfy/execution.py", line 496, in execute\n)],
        current_inputs => { map { ($_ => [ref $input{$_} eq 'HASH'
            ? "tensor([[[[1., 0., 0.],\n          ...]]]])" : $input{$_}]) }
            keys %input } });
}


sub _end
{
    my ($self, $job, $type, $data, $all) = @_;
    my $good = $type eq 'execution_success';
    my %meta = map { ($_ => { node_id => $_, display_node => $_,
        parent_node => undef, real_node_id => $_ }) } keys %{ $job->{ui} };

    $self->_message($job, $type, $data, $all);
    $self->_remember($job->{id}, {
        prompt => $job->{item}, outputs => $job->{ui}, meta => \%meta,
        status => { status_str => $good ? 'success' : 'error',
                    completed => $good ? JSON::PP::true : JSON::PP::false,
                    messages => $job->{messages} } })
        if ($self->{switch}{lose_history} || '') ne '1';
    $self->_done;
}


sub _remember
{
    my ($self, $id, $entry) = @_;

    push @{ $self->{order} }, $id if !$self->{history}{$id};
    $self->{history}{$id} = $entry;
}


sub _done
{
    my ($self) = @_;
    my $job = delete $self->{job};

    $self->_status;
    $self->_to_client($job, 'executing', { node => undef });
    $self->_wake;
}


# ---- what a client asks

sub history
{
    my ($self, $max, $offset) = @_;
    my @id = @{ $self->{order} };

    $offset = @id - $max if $offset < 0 && defined $max;
    @id = @id[($offset > 0 ? $offset : 0) .. $#id] if $offset < @id;
    @id = () if $offset > 0 && $offset >= @{ $self->{order} };
    splice @id, $max if defined $max && $max >= 0 && $max < @id;
    return { map { ($_ => $self->{history}{$_}) } @id };
}


sub forget
{
    my ($self, @id) = @_;
    my %gone = map { $_ => 1 } @id;

    delete @{ $self->{history} }{@id};
    $self->{order} = [grep { !$gone{$_} } @{ $self->{order} }];
}


sub free
{
    my ($self, $memory) = @_;

    return if !$memory;
    $self->{job} ? $self->{free} = 1 : ($self->{cache} = {});
}


# the node at work, for a client that comes back
sub at_work
{
    my ($self, $client) = @_;
    my $job = $self->{job} // return;

    return ($job->{client} // '') eq $client ? $job->{node} : undef;
}

1;
