package Podi::Comfy::Rest;

# What each route of the fake answers.
#
#     my ($status, \%headers, $body, %how) = $rest->answer($request);
#     a body that is a reference goes out as JSON
#     my $parts = Podi::Comfy::Rest::parts($request)     # of a multipart body

use strict;
use warnings;
use Digest::SHA qw( sha256_hex );
use Encode qw( decode_utf8 );
use POSIX ();

use Podi::Comfy::Json qw( number encode raw );

my %EMPTY = ('Content-Type' => 'application/octet-stream');
my %TEXT = ('Content-Type' => 'text/plain; charset=utf-8');


# all the parts of Podi::Comfy::Server
sub new
{
    my ($class, %part) = @_;

    return bless { %part }, $class;
}


sub _empty
{
    my ($status) = @_;

    return ($status, \%EMPTY, '');
}


sub _trouble
{
    my ($self) = @_;

    return (500, \%TEXT, $self->{data}{server}{trouble});
}


sub answer
{
    my ($self, $r) = @_;
    my ($path, $rest) = $r->{path} =~ m{^(/(?:upload/)?[^/]*)/?(.*)$};
    my $route = $self->{data}{server}{routes}{$path};
    my $method = $r->{method} eq 'HEAD' ? 'GET' : $r->{method};

    return _empty(403) if $self->_other_origin($r);
    return $method eq 'POST'
        ? (405, { %TEXT, Allow => 'GET,HEAD' }, '405: Method Not Allowed')
        : (404, \%TEXT, '404: Not Found') if !$route || $rest =~ m{/};
    return _empty(200) if $method eq 'OPTIONS';
    my $way = $self->can(lc($method) . $path =~ s{/}{_}gr);

    return (405, { %TEXT, Allow => $route->{allow} },
            '405: Method Not Allowed') if !$way;
    return $self->$way($r, $rest =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger);
}


sub _other_origin
{
    my ($self, $r) = @_;
    my $origin = $r->{headers}{origin} // return 0;

    return $origin =~ m{^https?://(.*)$} && $1 ne $r->{headers}{host};
}


# ---- prompts

sub get_prompt
{
    my ($self) = @_;

    return (200, {}, { exec_info =>
                       { queue_remaining => $self->{run}->remaining } });
}


sub _number
{
    my ($self, $json) = @_;
    my $number = $json->{number};

    if (exists $json->{number}) {
        return if ref $number && !number($number);
        return if !defined $number || $number !~ /^-?[0-9.]+(?:e[+-]?\d+)?$/i;
        return 0 + "$number";
    }
    $number = $self->{run}{number}++;
    return $json->{front} ? -$number : $number;
}


sub post_prompt
{
    my ($self, $r) = @_;
    my $json = $r->{json};

    return $self->_trouble if !$r->{read} || !defined $json || number($json);
    $json = {} if ref $json ne 'HASH';
    my $number = $self->_number($json) // return $self->_trouble;

    if (!exists $json->{prompt}) {
        my ($message, $details) = @{ $self->{data}{refusals}{no_prompt} };

        return (400, {}, { node_errors => {}, error => { type => 'no_prompt',
            message => $message, details => $details, extra_info => {} } });
    }
    my $verdict = $self->_judged($json->{prompt});

    return $self->_trouble if $verdict->{trouble}
        || exists $json->{client_id} && exists $json->{extra_data}
            && ref $json->{extra_data} ne 'HASH';
    return (400, {}, $verdict) if $verdict->{error};

    my %extra = %{ $json->{extra_data} || {} };
    $extra{client_id} = $json->{client_id} if exists $json->{client_id};
    my $id = exists $json->{prompt_id} ? $json->{prompt_id} // 'None'
        : sprintf '%08x-%04x-4%03x-8%03x-%06x%06x', rand 2 ** 32,
            rand 65536, rand 4096, rand 4096, rand 2 ** 24, rand 2 ** 24;

    if (my $rule = $self->{switch}->fires('other_id')) {
        $id = $rule->{as};
    }
    $self->{run}->put([$number, "$id", $json->{prompt}, \%extra,
                       $verdict->{outputs}]);
    return (200, {}, { prompt_id => "$id", number => $number,
                       node_errors => $verdict->{node_errors} });
}


sub _judged
{
    my ($self, $prompt) = @_;

    $self->{graph}{nodes} = $self->_classes;
    return $self->{graph}->validate($prompt);
}


sub get_queue
{
    my ($self) = @_;

    my $queue = $self->{run}->queue;
    my $more = $self->{switch}{queue_bytes};

    $queue->{pad} = 'x' x $more if $more;
    return (200, {}, $queue);
}


sub _ids
{
    my ($list) = @_;

    return ref $list eq 'ARRAY' ? @$list : split //, $list // '';
}


sub post_queue
{
    my ($self, $r) = @_;
    my $json = $r->{json};

    return $self->_trouble if ref $json ne 'HASH';
    $self->{run}->clear if $json->{clear};
    $self->{run}->delete($_) for _ids($json->{delete});
    return _empty(200);
}


sub get_history
{
    my ($self, $r, $id) = @_;
    my $run = $self->{run};

    return (200, {}, $run->{history}{$id}
            ? { $id => $self->_told($run->{history}{$id}) } : {})
        if length $id;
    my ($max, $offset) = @{ $r->{query} }{qw( max_items offset )};

    return $self->_trouble if grep { defined && !/^-?\d+$/ } $max, $offset;
    return (200, {}, $run->history($max, $offset // -1));
}


# an entry, as the switches want it told
sub _told
{
    my ($self, $entry) = @_;
    my ($bytes, $files, $names) = @{ $self->{switch} }{
        qw( entry_bytes files names )};

    return $entry if !$bytes && !$files && !$names;
    my %meta = %{ $entry->{meta} };
    my %out = map {
        my @image = map { { %$_, %{ $names || {} } } }
                    @{ $entry->{outputs}{$_}{images} };

        push @image, map { { %{ $image[0] }, filename => "more_$_.png" } }
                     1 .. $files;
        ($_ => { images => \@image })
    } keys %{ $entry->{outputs} };

    $meta{pad} = 'x' x $bytes if $bytes;
    return { %$entry, meta => \%meta, outputs => \%out };
}


sub post_history
{
    my ($self, $r) = @_;
    my $json = $r->{json};
    my $run = $self->{run};

    return $self->_trouble if ref $json ne 'HASH';
    if ($json->{clear}) {
        $run->{fault}->('the history of others was cleared')
            if grep { $run->{foreign}{$_} } @{ $run->{order} };
        $run->forget(@{ $run->{order} });
    }
    $run->forget(_ids($json->{delete}));
    return _empty(200);
}


# a body that is no JSON is as good as none: everything stops
sub post_interrupt
{
    my ($self, $r) = @_;
    my $json = ref $r->{json} eq 'HASH' ? $r->{json} : {};
    my $id = $self->{switch}{targeted} ? $json->{prompt_id} : undef;

    $self->{run}->interrupt($id);
    return _empty(200);
}


sub post_free
{
    my ($self, $r) = @_;
    my $json = $r->{json};

    return $self->_trouble if ref $json ne 'HASH';
    $self->{run}->free($json->{free_memory});
    return _empty(200);
}


# ---- files

sub parts
{
    my ($r) = @_;
    my ($mark) = $r->{headers}{'content-type'} =~ /boundary="?([^";]+)"?/
        or return;
    my ($start, @part) = split /(?:^|\r\n)--\Q$mark\E/, $r->{body};
    my @out;

    for my $text (@part) {
        last if $text =~ /^--/;
        my ($head, $bytes) = $text =~ /^\r\n(.*?)\r\n\r\n(.*)$/s or return;
        my ($name) = $head =~ /[; ]name="([^"]*)"/;

        push @out, { name => $name, filename => scalar _file_name($head),
                     bytes => $bytes, length => length $bytes,
                     sha256 => sha256_hex($bytes),
                     type => $head =~ /^Content-Type:\s*(\S+)/im ? $1 : undef };
    }

    return \@out;
}


sub _file_name
{
    my ($head) = @_;

    if ($head =~ /filename\*=UTF-8''([^;\r\n]*)/i) {
        return decode_utf8($1 =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger);
    }
    return if $head !~ /filename="((?:[^"\\]|\\.)*)"/s;
    return decode_utf8($1 =~ s/\\(.)/$1/gsr);
}


sub post_upload_image
{
    my ($self, $r) = @_;

    return _empty(400)
        if ($r->{headers}{'content-type'} // '') !~ m{^multipart/form-data}i;
    return $self->_trouble if !$r->{parts};
    my %part = map { ($_->{name} // '') => $_ } @{ $r->{parts} };
    my $image = $part{image} // return _empty(400);
    my %field = map { ($_ => decode_utf8($part{$_}{bytes})) } keys %part;
    my ($status, $answer) = $self->{files}->upload(\%field,
        $image->{filename}, $image->{bytes});

    return $status == 500 ? $self->_trouble : _empty($status) if !$answer;
    return (200, {}, $answer);
}


sub _spoiled
{
    my ($rule, $headers, $bytes) = @_;
    my $as = $rule->{as} // 'expired';
    my $half = $rule->{at} // int(length($bytes) / 2);

    return _empty(404) if $as eq 'expired';
    return (200, { 'Content-Type' => 'text/html' },
            '<html><body>Please sign in</body></html>') if $as eq 'html';
    return (200, { 'Content-Type' => 'text/plain' }, "made\n")
        if $as eq 'text';
    return (200, $headers, substr $bytes, 0, $half) if $as eq 'short';
    return (200, $headers, $bytes . 'x' x $half) if $as eq 'huge';
    return (200, $headers, $bytes, cut => $half);
}


sub get_view
{
    my ($self, $r) = @_;
    my ($status, $path, $name) = $self->{files}->view($r->{query});

    return _empty($status) if $status != 200;
    my @stat = stat $path;
    my $bytes = Podi::Comfy::Files::slurp($path);
    my ($suffix) = $name =~ /\.([^.]*)$/;
    my $type = $self->{data}{server}{types}{lc($suffix // '')};
    my %h = ('Content-Type' => $type // 'application/octet-stream',
        'Content-Disposition' => qq(filename="$name"),
        ETag => sprintf('"%x-%x"', $stat[9] * 1e9, $stat[7]),
        'Last-Modified' => POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT',
                                           gmtime $stat[9]));
    my $rule = $self->{switch}->fires('view');

    return _spoiled($rule, \%h, $bytes) if $rule;
    return (304, \%h, '') if _same($r->{headers}, \%h);
    return _range($r->{headers}{range}, \%h, $bytes)
        if defined $r->{headers}{range};
    return (200, { %h, 'Accept-Ranges' => 'bytes' }, $bytes);
}


sub _same
{
    my ($given, $h) = @_;

    return $given->{'if-none-match'} eq $h->{ETag}
        if defined $given->{'if-none-match'};
    return ($given->{'if-modified-since'} // '') eq $h->{'Last-Modified'};
}


sub _range
{
    my ($range, $h, $bytes) = @_;
    my $size = length $bytes;
    my ($from, $to) = $range =~ /^bytes=(\d*)-(\d*)$/;
    my $good = defined $from && length "$from$to";

    ($from, $to) = ($size - $to, $size - 1) if $good && $from eq '';
    $from = 0 if $good && $from < 0;
    if (!$good || $from >= $size) {
        my %no = (%$h, 'Content-Range' => "bytes */$size",
                  'Transfer-Encoding' => 'chunked');
        delete @no{qw( ETag Last-Modified )};
        return (416, \%no, '');
    }
    $to = $size - 1 if $to eq '' || $to >= $size;
    return (206, { %$h, 'Accept-Ranges' => 'bytes',
                   'Content-Range' => "bytes $from-$to/$size" },
            substr $bytes, $from, $to - $from + 1);
}


# ---- what there is

sub get_system_stats
{
    my ($self) = @_;
    my $stats = $self->{data}{server}{system_stats};
    my @argv = ('main.py', '--cpu', '--listen', '127.0.0.1',
                $self->{switch}{disable_metadata} ? '--disable-metadata' : ());

    my $vram = $self->{switch}{vram};
    my @device = map { { %$_, $vram ? (vram_total => $vram, vram_free => $vram)
                                    : () } } @{ $stats->{devices} };

    return (200, {}, { %$stats, devices => \@device, system => { %{ $stats->{system} },
        comfyui_version => $self->{switch}{version}, argv => \@argv } });
}


sub get_features
{
    my ($self) = @_;

    return (200, {}, $self->{data}{server}{features});
}


# the classes, with the files and the checkpoints that are there
sub _classes
{
    my ($self) = @_;
    my %class = %{ $self->{data}{nodes} };

    delete @class{ @{ $self->{switch}{missing} } };
    $class{LoadImage}{input}{required}{image}[0] = [$self->{files}->inputs]
        if $class{LoadImage};
    $class{CheckpointLoaderSimple}{input}{required}{ckpt_name}[0]
        = $self->{switch}{checkpoints} if $class{CheckpointLoaderSimple};
    return \%class;
}


sub get_object_info
{
    my ($self, $r, $class) = @_;
    my $all = $self->_classes;

    return (200, {}, $all) if !length $class;
    return (200, {}, $all->{$class} ? { $class => $all->{$class} } : {});
}


sub get_models
{
    my ($self, $r, $folder) = @_;
    my $folders = $self->{data}{server}{folders};

    return (200, {}, $folders) if !length $folder;
    return _empty(404) if !grep { $_ eq $folder } @$folders;
    return (200, {}, $folder eq 'checkpoints' ? $self->{switch}{checkpoints}
            : []);
}


sub get_embeddings { return (200, {}, []) }


sub get_extensions { return (200, {}, []) }

1;
