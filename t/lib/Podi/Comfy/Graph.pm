package Podi::Comfy::Graph;

# A prompt, judged as the server judges it: every output by itself, from its
# links back to the leaves; what is wrong is said per node.
#
#     my $g = Podi::Comfy::Graph->new(nodes => \%classes, file => sub {...});
#     my $v = $g->validate($prompt);
#     { trouble => 1 }                   the server falls over: 500
#     { error => {...}, node_errors => {...} }            refused: 400
#     { outputs => [ids], node_errors => {...} }          taken, or a part of it
#
# Values that name numbers become numbers in the prompt, as there.

use strict;
use warnings;

use Podi::Comfy::Json qw( number repr );


sub new
{
    my ($class, %option) = @_;

    return bless { %option }, $class;
}


sub validate
{
    my ($self, $prompt) = @_;
    my @outputs;

    return { trouble => 1 } if ref $prompt ne 'HASH';
    for my $id (sort keys %$prompt) {
        my $node = $prompt->{$id};

        return { trouble => 1 } if !defined $node || number($node)
            || JSON::PP::is_bool($node);
        my $name = ref $node eq 'HASH' ? $node->{class_type} : undef;

        return $self->_refused('invalid_prompt', 'class_missing', [], [$id])
            if ref $node ne 'HASH' || !exists $node->{class_type};
        my $class = $self->{nodes}{$name // ''}
            or return $self->_refused('invalid_prompt', 'class_unknown',
                                      [$name // 'None'], [$id]);
        push @outputs, $id if $class->{output_node};
    }

    return $self->_refused('prompt_no_outputs', 'prompt_no_outputs', [], [])
        if !@outputs;
    return $self->_outputs($prompt, @outputs);
}


sub _refused
{
    my ($self, $type, $text, $message, $details) = @_;
    my ($m, $d) = @{ $self->{text}{$text} };

    return { error => { type => $type, message => sprintf($m, @$message),
                        details => sprintf($d, @$details), extra_info => {} },
             node_errors => {} };
}


sub _outputs
{
    my ($self, $prompt, @outputs) = @_;
    my (@good, @said, %errors);
    my %seen;

    for my $out (@outputs) {
        my $why;

        if (_cyclic($prompt, $out)) {
            $seen{$out} = { ok => 0, errors => [] };

        } elsif (!eval { $self->_node($prompt, $out, \%seen); 1 }) {
            $why = _raised('exception_during_validation', $self->{text}, $@);
            $seen{$out} = { ok => 0, errors => [$why] };
        }

        if ($seen{$out}{ok}) {
            push @good, $out;
            next;
        }
        push @said, map { "$_->{message}: $_->{details}" }
            @{ $seen{$out}{errors} };
        for my $id (grep { !$seen{$_}{ok} && @{ $seen{$_}{errors} } }
                    keys %seen) {
            $errors{$id} //= { errors => $seen{$id}{errors},
                               dependent_outputs => [],
                               class_type => $prompt->{$id}{class_type} };
            push @{ $errors{$id}{dependent_outputs} }, $out;
        }
    }

    return { outputs => \@good, node_errors => \%errors } if @good;
    my $no = $self->_refused(('prompt_outputs_failed_validation') x 2, [], []);

    $no->{error}{details} = join "\n", @said;
    $no->{node_errors} = \%errors;
    return $no;
}


sub _links
{
    my ($node) = @_;
    my $inputs = ref $node->{inputs} eq 'HASH' ? $node->{inputs} : {};

    return map { $_->[0] } grep { ref $_ eq 'ARRAY' && @$_ == 2 }
        map { $inputs->{$_} } sort keys %$inputs;
}


sub _cyclic
{
    my ($prompt, $id, %path) = @_;

    return 1 if $path{$id};
    return 0 if !$prompt->{$id};
    return !!grep { _cyclic($prompt, $_, %path, $id => 1) }
        _links($prompt->{$id});
}


# an exception of the server, with its type and a traceback of its files
sub _raised
{
    my ($type, $text, $error, %more) = @_;
    my ($class, $message) = $error =~ /^(\w+Error): (.*)$/
        or die $error;

    return { type => $type, message => $text->{$type}, details => $message,
             extra_info => { exception_type => $class, %more,
                 traceback => ['  File "/comfy/execution.py", line 1010, in '
                               . "validate_prompt\n"] } };
}


sub _node
{
    my ($self, $prompt, $id, $seen) = @_;

    return $seen->{$id} if $seen->{$id};
    my $node = $prompt->{$id} // die 'KeyError: ' . repr($id) . "\n";
    my $class = $self->{nodes}{ $node->{class_type} };

    die "KeyError: 'inputs'\n" if ref $node->{inputs} ne 'HASH';
    my $state = { ok => 1, errors => [] };
    my %input = (%{ $class->{input}{required} },
                 %{ $class->{input}{optional} || {} });

    for my $name (@{ $class->{input_order}{required} },
                  @{ $class->{input_order}{optional} || [] }) {
        my $value = $node->{inputs}{$name};

        if (!exists $node->{inputs}{$name}) {
            _error($self, $state, 'required_input_missing', $name,
                   { input_name => $name })
                if $class->{input}{required}{$name};

        } elsif (ref $value eq 'ARRAY') {
            $self->_link($prompt, $name, $value, $input{$name}, $state, $seen);

        } else {
            $self->_value($node, $name, $input{$name}, $state);
        }
    }

    $state->{ok} = 0 if @{ $state->{errors} };
    return $seen->{$id} = $state;
}


sub _error
{
    my ($self, $state, $type, $details, $extra, @value) = @_;

    push @{ $state->{errors} }, { type => $type, details => $details,
        message => sprintf($self->{text}{$type}, @value), extra_info => $extra };
}


sub _config
{
    my ($config) = @_;

    return [$config->[0], $config->[1] || {}];
}


sub _link
{
    my ($self, $prompt, $name, $value, $config, $state, $seen) = @_;
    my %about = (input_name => $name, input_config => _config($config));

    return _error($self, $state, 'bad_linked_input', $name,
                  { %about, received_value => $value }) if @$value != 2;
    my ($from, $slot) = @$value;
    my $source = $prompt->{$from} // die 'KeyError: ' . repr($from) . "\n";
    my $given = $self->{nodes}{ $source->{class_type} }{output};

    die "IndexError: tuple index out of range\n" if $slot > $#$given;
    my $wanted = ref $config->[0] ? 'COMBO' : $config->[0];

    return _error($self, $state, 'return_type_mismatch',
        "$name, received_type($given->[$slot]) mismatch input_type($wanted)",
        { %about, received_type => $given->[$slot], linked_node => $value })
        if $given->[$slot] ne $wanted;

    if (!eval { $self->_node($prompt, $from, $seen); 1 }) {
        my $why = _raised('exception_during_inner_validation', $self->{text},
                          $@, %about, linked_node => $value);
        $seen->{$from} = { ok => 0, errors => [$why] };
    }
    $state->{ok} = 0 if !$seen->{$from}{ok};
}


sub _value
{
    my ($self, $node, $name, $config, $state) = @_;
    my ($type, $about) = ($config->[0], $config->[1] || {});
    my $value = $node->{inputs}{$name};

    return $self->_file($value, $name, $state) if $about->{image_upload};
    return $self->_choice($value, $name, $config, $state) if ref $type;
    return if $type !~ /^(?:INT|FLOAT)$/;
    my $number = _converted($value, $type);
    my %extra = (input_name => $name, input_config => _config($config),
                 received_value => $value);

    if (!defined $number) {
        my $why = 'invalid literal for int() with base 10: ' . repr($value);

        return _error($self, $state, 'invalid_input_type',
            "$name, " . (defined $value ? $value : 'None') . ", $why",
            { %extra, exception_message => $why }, $type);
    }
    $node->{inputs}{$name} = $extra{received_value} = $number;
    for my $end ([min => 'value_smaller_than_min', -1],
                 [max => 'value_bigger_than_max', 1]) {
        my $bound = $about->{ $end->[0] } // next;

        _error($self, $state, $end->[1], $name, \%extra, $number, $bound)
            if ($number <=> $bound) == $end->[2];
    }
}


sub _converted
{
    my ($value, $type) = @_;

    return $value ? 1 : 0 if JSON::PP::is_bool($value);
    return if ref $value && !number($value) || !defined $value;
    return $value->copy->bint if ref $value && $type eq 'INT';
    return $value if number($value);
    return $value =~ /^\s*[+-]?\d+\s*$/ ? 0 + $value : undef if $type eq 'INT';
    return $value =~ /^\s*[+-]?\d+(?:\.\d*)?\s*$/ ? 0 + $value : undef;
}


sub _choice
{
    my ($self, $value, $name, $config, $state) = @_;
    my @list = @{ $config->[0] };

    return if defined $value && grep { $_ eq $value } @list;
    my $many = @list > 20;

    _error($self, $state, 'value_not_in_list',
        "$name: '$value' not in "
        . ($many ? '(list of length ' . @list . ')' : repr(\@list)),
        { input_name => $name, received_value => $value,
          input_config => $many ? undef : _config($config) });
}


sub _file
{
    my ($self, $value, $name, $state) = @_;

    return if $self->{file}->($value);
    _error($self, $state, 'custom_validation_failed',
           "$name - Invalid image file: $value", { input_name => $name });
}

1;
